"""The order in which training takes examples from files larger than memory: shuffled within a window.

An epoch visits blocks of neighbouring rows in a random order. Some dozens of blocks at a time are read into a
window of bounded size, and the rows of a window are shuffled together. So the disk is read in long stretches,
memory holds one window, and a batch still mixes rows from many places of the file.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.decisions import Decision
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.sampler import EpochSampler, Sampler
from trm_engine.tasks.subset import row_bytes
from trm_engine.text import format_bytes

WINDOW_BYTES = 2**26
"""Memory that the rows of a window may take. The order depends on it: it is not chosen by machine."""
_BLOCKS_A_WINDOW = 64
_ORDER, _WINDOW, _GROUP = 0x5A4, 0x5A5, 0x5A6
_Rows = npt.NDArray[np.int64]


class StreamingSampler(EpochSampler):
    """Shuffles the rows of a streamed source within a window.

    The order follows from `window_bytes` too, and going on from a saved position reads one window.
    """

    def __init__(self, source: Source, seed: int, window_bytes: int = WINDOW_BYTES) -> None:
        super().__init__(source, seed)
        in_window = max(1, window_bytes // row_bytes(source))
        self._block = max(1, in_window // _BLOCKS_A_WINDOW)
        self._blocks_a_window = max(1, min(in_window // self._block, _BLOCKS_A_WINDOW))
        self._order, self._starts = self._blocks_of(0)
        self._window = -1
        self._held: Examples | None = None
        self._shuffled: _Rows = np.empty(0, np.int64)

    def next(self, count: int) -> Examples:
        """Return the next `count` rows as they are stored, going on into further epochs as needed."""
        parts = [self._source.head(0)] if count == 0 else []
        while count:
            if self._cursor == self._groups:
                self._go_to(self._epoch + 1, 0)
            parts.append(self._from_window(count))
            self._cursor += len(parts[-1])
            count -= len(parts[-1])
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _plan(self, epoch: int) -> None:
        self._order, self._starts = self._blocks_of(epoch)
        self._window = -1

    def _blocks_of(self, epoch: int) -> tuple[_Rows, _Rows]:
        """Return the order of an epoch's blocks, and the first cursor of each window, and the end."""
        blocks = -(-self._groups // self._block)
        order: _Rows = self._rng(_ORDER, epoch).permutation(blocks)
        sizes = np.full(blocks, self._block, np.int64)
        sizes[order == blocks - 1] = self._groups - (blocks - 1) * self._block
        windows = np.add.reduceat(sizes, np.arange(0, blocks, self._blocks_a_window))
        return order, np.concatenate([[0], windows.cumsum()])

    def _from_window(self, count: int) -> Examples:
        """Return up to `count` rows from the cursor on: as many as the window has."""
        window = int(self._starts.searchsorted(self._cursor, side="right")) - 1
        if window != self._window or self._held is None:
            self._held = None  # the old window goes before the new one comes
            self._held = self._read(window)
            self._shuffled = self._rng(_WINDOW, self._epoch, window).permutation(len(self._held))
            self._window = window
        first = self._cursor - int(self._starts[window])
        return self._held.take(self._shuffled[first : first + count])

    def _read(self, window: int) -> Examples:
        """Read the rows of a window, block by block, into arrays of its size."""
        first = window * self._blocks_a_window
        size = int(self._starts[window + 1] - self._starts[window])
        held: Examples | None = None
        done = 0
        for block in self._order[first : first + self._blocks_a_window]:
            part = self._source.take(self._rows_of(int(block)))
            if held is None:
                held = Examples(*(_room(rows, size) for rows in _arrays(part)))
            for room, rows in zip(_arrays(held), _arrays(part), strict=True):
                room[done : done + len(rows)] = rows
            done += len(part)
        assert held is not None, "a window has at least one block"
        return held

    def _rows_of(self, block: int) -> _Rows | slice:
        """Return the rows that an epoch takes from a block: all of them, or one of each group."""
        first = block * self._block
        last = min(first + self._block, self._groups)
        bounds = self._source.groups
        if bounds is None:
            return slice(first, last)
        rng = self._rng(_GROUP, self._epoch, block)
        drawn: _Rows = rng.integers(bounds[first:last], bounds[first + 1 : last + 1])
        return drawn

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))


def sampler_for(source: Source, seed: int) -> EpochSampler:
    """Return what draws a source's rows: shuffled as a whole, or within a window where it is streamed."""
    return StreamingSampler(source, seed) if source.streamed else Sampler(source, seed)


def reading_decision(source: Source) -> Decision:
    """Return how the training data are read, and why."""
    if not source.streamed:
        reason = "faster than a worker process"
        return Decision("data", "in memory, loaded in the training thread", reason)
    return Decision(
        "data",
        f"streamed, shuffled within {format_bytes(WINDOW_BYTES)}, no workers",
        "the examples stay in their files; a window is read in a fraction of a second and lasts for minutes",
    )


def _arrays(examples: Examples) -> tuple[npt.NDArray[np.integer], ...]:
    return examples.inputs, examples.labels, examples.puzzle_ids


def _room(rows: npt.NDArray[np.integer], size: int) -> npt.NDArray[np.integer]:
    return np.empty((size, *rows.shape[1:]), rows.dtype)


def _joined(parts: list[Examples]) -> Examples:
    return Examples(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True)))
