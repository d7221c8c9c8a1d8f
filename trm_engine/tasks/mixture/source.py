"""Rows of several tasks in one vocabulary and one length.

Token 0 is padding for all of them; the other tokens of each part stand behind those of the parts before it,
so that every part has rows of its own in the embedding and in the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import PAD, Examples, Source, Tokens
from trm_engine.tasks.kit.symmetry import Symmetry, places

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """One task of a mixture, with its place in vocabulary and sequence.

    `number` is its puzzle identifier, from 1; `first` what is added to its tokens; `length` the positions of
    all parts.
    """

    number: int
    name: str
    weight: float
    task: PuzzleTask
    first: int
    length: int

    def own(self, tokens: Tokens) -> Tokens:
        """Return tokens (…, length) as the task knows them (…, L); what is another part's is padding."""
        some = np.asarray(tokens)[..., : self.task.seq_len].astype(np.int64) - self.first
        return np.where((some > PAD) & (some < self.task.vocab_size), some, PAD).astype(np.uint8)

    def lifted(self, tokens: Tokens) -> Tokens:
        """Return tokens (…, L) of the task as the mixture knows them (…, length)."""
        known = np.asarray(tokens).astype(np.int64)
        found = np.full((*known.shape[:-1], self.length), PAD, np.int32)
        found[..., : self.task.seq_len] = np.where(known > PAD, known + self.first, PAD)
        return found

    def count(self, tokens: Tokens) -> npt.NDArray[np.int64]:
        """Return how many tokens (…, length) are its own (…)."""
        known = np.asarray(tokens).astype(np.int64) - self.first
        found: npt.NDArray[np.int64] = ((known > PAD) & (known < self.task.vocab_size)).sum(axis=-1)
        return found

    def examples(self, rows: Examples) -> Examples:
        """Return rows of the task as rows of the mixture."""
        ids = np.full(len(rows), self.number, np.int32)
        return Examples(self.lifted(rows.inputs), self.lifted(rows.labels), ids)


def of_part(part: Part, symmetry: Symmetry) -> Symmetry:
    """Return a symmetry of a part's task as one of the mixture."""
    size = part.task.seq_len

    def sources(answer: Tokens) -> Rows:
        own = symmetry.places(part.own(answer)) if symmetry.places else places(symmetry, size)
        return np.concatenate([own, np.arange(size, part.length)])

    return Symmetry(
        lambda tokens: part.lifted(symmetry.forward(part.own(tokens))),
        lambda tokens: part.lifted(symmetry.back(part.own(tokens))),
        sources,
    )


class MixedSource(Source):
    """Rows of several parts in one order: row i is row `rows`[i] of part `which`[i]."""

    def __init__(self, parts: Sequence[tuple[Part, Source]], which: Rows, rows: Rows) -> None:
        self._parts = parts
        self._which, self._rows = which, rows

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows in memory, in the order asked for."""
        which, of_part = self._which[rows], self._rows[rows]
        shape = len(which), self._parts[0][0].length
        found = Examples(np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(len(which), np.int32))
        for number, (part, source) in enumerate(self._parts):
            here = np.flatnonzero(which == number)
            if len(here):
                put(found, here, part.examples(source.take(of_part[here])))
        return found

    def content(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Return the arrays of all parts, and the order of their rows."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"which": self._which, "rows": self._rows}
        for part, source in self._parts:
            arrays |= {f"{part.name}.{name}": array for name, array in source.content().items()}
        return arrays


def put(whole: Examples, here: Rows, some: Examples) -> None:
    """Put rows into others, in place."""
    whole.inputs[here], whole.labels[here] = some.inputs, some.labels
    whole.puzzle_ids[here] = some.puzzle_ids


def by_weight(parts: Sequence[tuple[Part, Source]]) -> MixedSource:
    """Return an epoch's rows: each part has its share of them, so that those with few come more than once."""
    whole = max(len(source) / part.weight for part, source in parts)
    counts = [max(round(whole * part.weight), 1) for part, _ in parts]
    which = np.repeat(np.arange(len(parts)), counts)
    rows = [np.arange(count) % len(source) for count, (_, source) in zip(counts, parts, strict=True)]
    return MixedSource(parts, which, np.concatenate(rows))


def side_by_side(parts: Sequence[tuple[Part, Source]]) -> MixedSource:
    """Return each row once, the parts evenly spread: the first rows are some of every part."""
    which = np.repeat(np.arange(len(parts)), [len(source) for _, source in parts])
    rows = np.concatenate([np.arange(len(source)) for _, source in parts])
    place = np.concatenate([(np.arange(len(source)) + 0.5) / len(source) for _, source in parts])
    order = np.argsort(place, kind="stable")
    return MixedSource(parts, which[order], rows[order])
