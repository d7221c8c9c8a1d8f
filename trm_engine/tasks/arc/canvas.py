"""Rows of ARC tokens looked at many at once: is each a grid on its canvas, and how is it in the corner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.arc.text import END, FIRST_COLOUR
from trm_engine.tasks.examples import PAD, Tokens

_Flags = npt.NDArray[np.bool_]
_Numbers = npt.NDArray[np.intp]


class _Place(NamedTuple):
    """Where grids stand on their canvases and how large they are, each number (N,)."""

    top: _Numbers
    left: _Numbers
    rows: _Numbers
    columns: _Numbers


def first_fault(inputs: Tokens, labels: Tokens, size: int) -> tuple[int, str] | None:
    """Return the first of the rows (N, size²) that is no pair of grids, and what is wrong with it."""
    (given, asked_at), (answers, answered_at) = _read(inputs, size), _read(labels, size)
    apart = (asked_at.top != answered_at.top) | (asked_at.left != answered_at.left)
    for row in np.flatnonzero(~given | ~answers | apart)[:1].tolist():
        if not given[row]:
            return row, "its input is not a grid of colours with its ends marked"
        if not answers[row]:
            return row, "its label is not a grid of colours with its ends marked"
        return row, "its input and its label stand at different places of the canvas"
    return None


def cornered(tokens: Tokens, size: int) -> Tokens:
    """Return sound rows (N, size²) with each grid moved to the upper left corner, ends that were lost again.

    The rows are returned themselves where all of them stand there already.
    """
    moved = np.flatnonzero(tokens[:, 0] < FIRST_COLOUR)
    if not len(moved):
        return tokens
    canvas = tokens[moved].reshape(-1, size, size)
    place = _place(canvas >= FIRST_COLOUR)
    along = np.arange(size)
    up = (along + place.top[:, None]) % size
    left = (along + place.left[:, None]) % size
    canvas = np.take_along_axis(np.take_along_axis(canvas, up[:, :, None], 1), left[:, None, :], 2)
    inside, ends = _marks(place._replace(top=np.zeros_like(moved), left=np.zeros_like(moved)), size)
    found = tokens.copy()
    found[moved] = np.where(inside, canvas, np.where(ends, END, PAD)).reshape(len(moved), -1)
    return found


def colour_counts(tokens: Tokens, colours: int) -> npt.NDArray[np.int16]:
    """Return how many cells of each row (N, L) have each colour (N, colours)."""
    counts = [(tokens == FIRST_COLOUR + colour).sum(axis=1, dtype=np.int16) for colour in range(colours)]
    return np.stack(counts, axis=1)


def _read(tokens: Tokens, size: int) -> tuple[_Flags, _Place]:
    """Tell which rows (N, size²) are a grid with its ends, and where the grids stand."""
    canvas = tokens.reshape(-1, size, size)
    coloured = canvas >= FIRST_COLOUR
    place = _place(coloured)
    inside, ends = _marks(place, size)
    sound: _Flags = ((coloured == inside) & ((canvas == END) == ends)).all(axis=(1, 2)) & (place.rows > 0)
    return sound, place


def _place(coloured: _Flags) -> _Place:
    down, across = coloured.any(axis=2), coloured.any(axis=1)
    return _Place(down.argmax(axis=1), across.argmax(axis=1), down.sum(axis=1), across.sum(axis=1))


def _marks(place: _Place, size: int) -> tuple[_Flags, _Flags]:
    """Return which cells (N, size, size) grids at these places cover, and which their ends take."""
    along = np.arange(size)
    down, across = along - place.top[:, None], along - place.left[:, None]
    rows, columns = place.rows[:, None], place.columns[:, None]
    in_rows, in_columns = (down >= 0) & (down < rows), (across >= 0) & (across < columns)
    inside = in_rows[:, :, None] & in_columns[:, None, :]
    below = (down == rows)[:, :, None] & in_columns[:, None, :]
    beside = in_rows[:, :, None] & (across == columns)[:, None, :]
    return inside, below | beside
