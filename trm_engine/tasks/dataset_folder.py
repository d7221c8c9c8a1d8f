"""Dataset folders in the form that the published TRM code writes and reads.

`{train,test}/dataset.json` describes a split; `{set}__{field}.npy` holds it. Rows of `inputs` and `labels`
(N, L) are examples; `puzzle_indices` (P + 1,) bounds the examples of each puzzle, `puzzle_identifiers` (P,)
names it, and `group_indices` (G + 1,) bounds the puzzles of each group: an original and its augmentations.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trm_engine.errors import UsageError
from trm_engine.files import unusable
from trm_engine.progress import Progress, silent
from trm_engine.tasks.examples import IGNORE_LABEL, PAD, Examples, Tokens
from trm_engine.text import format_bytes

METADATA = "dataset.json"
_MAX_JSON = 2**20
IN_MEMORY_BYTES = 2**28
"""Splits that need no more than this as 8-bit tokens are held in memory; larger ones stay in their files."""
_CHUNK_ROWS = 2**14
_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_Count = Annotated[int, Field(ge=0, le=2**62)]


class Metadata(BaseModel):
    """What `dataset.json` says of a split. Older folders lack `total_puzzles`, which nothing here needs."""

    model_config = ConfigDict(strict=True, frozen=True)

    pad_id: int
    ignore_label_id: int | None
    blank_identifier_id: int
    vocab_size: int
    seq_len: int
    num_puzzle_identifiers: Annotated[int, Field(ge=1, le=2**31 - 1)]
    total_groups: int
    mean_puzzle_examples: float
    sets: Annotated[list[str], Field(min_length=1, max_length=64)]


@dataclass(frozen=True)
class Published:
    """One split of a dataset folder: its examples and its description."""

    examples: Examples
    metadata: Metadata


def is_published(folder: Path) -> bool:
    """Tell whether a folder is one split of a dataset."""
    try:
        return (folder / METADATA).is_file()
    except OSError:
        return False


def read_published(folder: Path, *, seq_len: int, vocab_size: int, progress: Progress = silent) -> Published:
    """Read one split, such as `data/train`, of `seq_len` tokens below `vocab_size` each.

    Everything is checked, values in chunks of bounded size. The examples' `groups` bound the rows of each
    group, of which an epoch draws one with equal chance. (The published code draws a puzzle and takes its
    examples; the two agree where a group's puzzles have as many examples each, as in its own datasets.)

    Raises `UsageError` that names the file and what is wrong with it.
    """
    path = folder / METADATA
    metadata = _read_metadata(path)
    _require_match(path, metadata, seq_len, vocab_size)
    sets = [_read_set(folder, name, metadata, progress) for name in metadata.sets]
    examples = sets[0] if len(sets) == 1 else _join(sets)
    groups = 0 if examples.groups is None else len(examples.groups) - 1
    if groups != metadata.total_groups:
        raise unusable(path, f"total_groups is {metadata.total_groups}, but the arrays hold {groups} groups")
    return Published(examples, metadata)


def _read_metadata(path: Path) -> Metadata:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise unusable(path, "is not a regular file")
        if found.st_size > _MAX_JSON:
            raise unusable(
                path, f"is larger than {format_bytes(_MAX_JSON)}, which no description of a dataset is"
            )
        metadata = Metadata.model_validate_json(path.read_bytes())
    except OSError as error:
        raise unusable(path, f"cannot be read ({error.strerror}): not a dataset folder?") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise unusable(path, f"{field + ': ' if field else ''}{first['msg']}") from error
    for name in metadata.sets:
        if not _SET_NAME.fullmatch(name):
            raise unusable(path, f'sets: "{name[:80]}" is not a set name (letters, digits, - and _)')
    return metadata


def _require_match(path: Path, metadata: Metadata, seq_len: int, vocab_size: int) -> None:
    for field, found, expected in (
        ("seq_len", metadata.seq_len, seq_len),
        ("vocab_size", metadata.vocab_size, vocab_size),
        ("pad_id", metadata.pad_id, PAD),
    ):
        if found != expected:
            raise unusable(path, f"{field} is {found}, but the configured task has {expected}")
    if metadata.ignore_label_id not in (None, PAD, IGNORE_LABEL):
        raise unusable(path, f"ignore_label_id is {metadata.ignore_label_id}; it can be null, 0 or -100")


def _read_set(folder: Path, name: str, metadata: Metadata, progress: Progress) -> Examples:
    def path(field: str) -> Path:
        return folder / f"{name}__{field}.npy"

    inputs = _read_tokens(path("inputs"), metadata, progress, are_labels=False)
    labels = _read_tokens(path("labels"), metadata, progress, are_labels=True)
    if len(labels) != len(inputs) or not len(inputs):
        raise unusable(path("labels"), f"has {len(labels)} rows for {len(inputs)} rows of inputs")
    identifiers = _read_few(path("puzzle_identifiers"), most=len(inputs), what="rows")
    last = metadata.num_puzzle_identifiers - 1
    if ((identifiers < 0) | (identifiers > last)).any():
        raise unusable(path("puzzle_identifiers"), f"holds names outside 0 … {last} (num_puzzle_identifiers)")
    puzzles = _read_bounds(path("puzzle_indices"), of=len(inputs), what="examples")
    if len(puzzles) - 1 != len(identifiers):
        raise unusable(
            path("puzzle_indices"), f"bounds {len(puzzles) - 1} puzzles; {len(identifiers)} have names"
        )
    groups = _read_bounds(path("group_indices"), of=len(identifiers), what="puzzles")
    names = identifiers.repeat(np.diff(puzzles)).astype(np.int32)
    return Examples(inputs, labels, names, puzzles[groups])


def _read_tokens(path: Path, metadata: Metadata, progress: Progress, *, are_labels: bool) -> Tokens:
    """Check every value; return the array as 8-bit tokens in memory, or as a memory map where it is large."""
    stored = _open(path, dimensions=2)
    if stored.shape[1] != metadata.seq_len:
        raise unusable(path, f"has shape {stored.shape}, expected rows of {metadata.seq_len} (seq_len)")
    held = None
    if stored.size <= IN_MEMORY_BYTES // 2 and metadata.vocab_size <= 256:
        held = np.empty(stored.shape, np.uint8)
    ignoring = are_labels and metadata.ignore_label_id is not None
    lowest = PAD + 1 if are_labels and not ignoring else PAD
    for first in range(0, len(stored), _CHUNK_ROWS):
        # A map of its own for each chunk: its pages are let go with it, so reading does not fill memory.
        rows = _open(path, dimensions=2)[first : first + _CHUNK_ROWS]
        unsound = (rows < lowest) | (rows >= metadata.vocab_size)
        if ignoring:
            unsound &= rows != IGNORE_LABEL
        if unsound.any():
            row, position = np.argwhere(unsound)[0]
            found, allowed = rows[row, position], f"{lowest} … {metadata.vocab_size - 1}"
            raise unusable(path, f"row {first + row}, position {position} is {found}, expected {allowed}")
        if held is not None:
            held[first : first + len(rows)] = np.maximum(rows, PAD)
        progress(f"reading {path.name}", first + len(rows), len(stored))
    return stored if held is None else held


def _open(path: Path, dimensions: int) -> Tokens:
    """Memory-map an array of integers; nothing but its header is read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise unusable(path, "is not a regular file")
        # Unlike np.load, this never turns to pickles or archives, whatever the file begins with.
        array: Tokens = np.lib.format.open_memmap(path, mode="r")
    except UsageError:
        raise
    except OSError as error:
        raise unusable(path, f"cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged header can make NumPy's parser raise almost anything
        raise unusable(path, f"is not a valid .npy file: {str(error)[:200]}") from error
    if array.dtype.kind not in "iu":
        raise unusable(path, f"holds {array.dtype}, expected integers")
    if array.ndim != dimensions or not array.flags.c_contiguous:
        raise unusable(path, f"has shape {array.shape}, expected {dimensions} dimensions stored row by row")
    return array


def _read_few(path: Path, most: int, what: str) -> Tokens:
    """Read an array that has no more than so many entries; a hostile one is refused by its header alone."""
    stored = _open(path, dimensions=1)
    if len(stored) > most:
        raise unusable(path, f"has {len(stored):,} entries; there are {most:,} {what} at most")
    return np.array(stored)


def _read_bounds(path: Path, of: int, what: str) -> npt.NDArray[np.int64]:
    """Read bounds that must rise strictly from 0 to `of`."""
    bounds = _read_few(path, most=of + 1, what=f"bounds of {what}").astype(np.int64)
    if len(bounds) < 2 or bounds[0] != 0 or bounds[-1] != of or (np.diff(bounds) <= 0).any():
        raise unusable(path, f"must rise strictly from 0 to {of}, the number of {what}")
    return bounds


def _join(parts: Sequence[Examples]) -> Examples:
    """Return all sets of a split one after the other, in memory."""
    groups = [np.zeros(1, np.int64)]
    for part in parts:
        if part.groups is not None:
            groups.append(part.groups[1:].astype(np.int64) + groups[-1][-1])
    return Examples(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.puzzle_ids for part in parts]),
        np.concatenate(groups),
    )
