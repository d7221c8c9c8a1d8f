"""A model's way to its answer, as frames to be shown: the puzzle first, then the grid after every step.

Plain values only: whatever shows a film needs neither torch nor the task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import Fault, PuzzleTask, Verdict
from trm_engine.tasks.examples import PAD, Tokens
from trm_engine.text import safe_text

Kind = Literal["hidden", "blank", "given", "right", "wrong", "answer"]
"""What a cell is: left out, to be filled in, a clue, an answer that is right, wrong, or cannot be judged."""

_HALTS = 0.5


class Step(Protocol):
    """What a film needs of `trm_engine.inference.verified.Seen`."""

    @property
    def look(self) -> int:
        """Which look at the puzzle it belongs to; counts from 1."""

    @property
    def step(self) -> int:
        """Counts from 1 in each look."""

    @property
    def answer(self) -> Tokens:
        """Tokens (L,)."""

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Probability of each token (L,)."""

    @property
    def halt_probability(self) -> float:
        """Of this step."""


@dataclass(frozen=True)
class Cell:
    """One position of the grid in one frame."""

    symbol: str
    kind: Kind
    changed: bool = False
    """Is it another symbol than the step before?"""
    confidence: float = 1.0
    colour: str = ""
    """What the task's palette gives to the symbol (#rrggbb); empty for none."""


@dataclass(frozen=True)
class Frame:
    """The grid after one supervision step; of step 0, the puzzle.

    Steps are counted through all looks; `look` is the one that it belongs to.
    """

    step: int
    rows: Sequence[Sequence[Cell]]
    halt: float
    """Probability of halting here."""
    right: int | None
    """Cells to be filled in that are right; None where nobody knows."""
    changed: int
    confidence: float
    """Mean over the cells to be filled in."""
    lowest: float
    """Confidence of the cell that is surest to be doubted."""
    look: int = 1
    faults: Sequence[str] = ()
    """The rules that the answer breaks, where they can be told without the solution."""


@dataclass(frozen=True)
class Film:
    """All frames of one puzzle."""

    frames: Sequence[Frame]
    box: tuple[int, int]
    blanks: int
    """Cells to be filled in."""
    halts_at: int | None
    """The first step at which the model would halt."""
    solved_at: int | None
    """The first step from which on every cell is right."""
    verdict: Verdict
    """Of the last answer, by the task's rules."""
    known: bool
    """Is it known which cells are right?"""
    text: str
    """The puzzle on one line."""
    looks: int = 1
    """How often the puzzle was looked at."""
    unproven: bool = False
    """Has no look ended in an answer that the rules accept? The last frame is of the surest look then."""

    @property
    def last(self) -> int:
        """The number of the last frame."""
        return len(self.frames) - 1


def make_film(task: PuzzleTask, puzzle: Tokens, label: Tokens | None, steps: Iterable[Step]) -> Film:
    """Return the film of one puzzle (L,). Without a label, an answer that the rules accept is the truth."""
    taken = list(steps)
    given = np.asarray(task.given(puzzle), np.bool_)
    truth = _truth(task, puzzle, label, taken)
    asked = ~given if label is None else ~given & (np.asarray(label) != PAD)
    right = [None if truth is None else (np.asarray(s.answer) == truth) | ~asked & ~given for s in taken]
    frames = [_puzzle_frame(task, puzzle, given)]
    before: Tokens = np.asarray(puzzle)
    for step, judged in zip(taken, right, strict=True):
        faults = task.faults(puzzle, step.answer) if task.judges_all else []
        frame = _frame(task, np.asarray(puzzle), step, before, given, asked, judged, faults)
        frames.append(replace(frame, step=len(frames)))
        before = np.asarray(step.answer)
    verdict = task.check(puzzle, before) if taken else Verdict(False, "nothing was computed")
    return Film(
        frames=frames,
        box=task.box,
        blanks=int(asked.sum()),
        halts_at=next((n for n, s in enumerate(taken, 1) if s.halt_probability > _HALTS), None),
        solved_at=_solved_at(right),
        verdict=Verdict(verdict.solved, safe_text(verdict.reason)),
        known=truth is not None,
        text=safe_text(task.line(puzzle)),
        looks=max((step.look for step in taken), default=1),
        unproven=task.judges_all and not verdict.solved,
    )


def _truth(task: PuzzleTask, puzzle: Tokens, label: Tokens | None, steps: Sequence[Step]) -> Tokens | None:
    if label is not None:
        return np.asarray(label)
    solved = (s.answer for s in reversed(steps) if task.check(puzzle, s.answer).solved)
    return next(solved, None)


def _solved_at(right: Sequence[npt.NDArray[np.bool_] | None]) -> int | None:
    found = None
    for number, judged in enumerate(right, 1):
        if judged is None or not judged.all():
            found = None
        elif found is None:
            found = number
    return found


def _puzzle_frame(task: PuzzleTask, puzzle: Tokens, given: npt.NDArray[np.bool_]) -> Frame:
    # A question of which every cell is to change (ARC) is shown whole, not as blanks.
    flags = iter((given if given.any() else ~given).tolist())
    rows = [
        [
            Cell(symbol, _kind(symbol, next(flags), None, blank=True), colour=task.palette.get(symbol, ""))
            for symbol in map(safe_text, row)
        ]
        for row in task.grid(puzzle)
    ]
    return Frame(0, rows, halt=0.0, right=None, changed=0, confidence=0.0, lowest=0.0)


def _frame(
    task: PuzzleTask,
    puzzle: Tokens,
    step: Step,
    before: Tokens,
    given: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_] | None,
    faults: Sequence[Fault],
) -> Frame:
    changed = (np.asarray(step.answer) != before) & (step.step > 1)
    confidence = np.asarray(step.confidence, np.float64)
    truths: list[bool | None] = [None] * len(given) if judged is None else judged.tolist()
    if judged is None:  # nobody knows the answer, but where it breaks a rule can be seen
        for cell in (cell for fault in faults for cell in fault.cells):
            truths[cell] = False
        # A clue that the model has put another symbol on is wrong, whatever the answer is.
        for cell in np.flatnonzero(given & (np.asarray(step.answer) != puzzle)).tolist():
            truths[cell] = False
    parts = zip(given.tolist(), truths, changed.tolist(), confidence.tolist(), strict=True)
    rows = []
    for row in task.grid(step.answer):
        cells = []
        for symbol in map(safe_text, row):
            is_given, is_right, is_changed, sure = next(parts)
            kind = _kind(symbol, is_given, is_right)
            cells.append(Cell(symbol, kind, is_changed, sure, task.palette.get(symbol, "")))
        rows.append(cells)
    sure_of = confidence[asked] if asked.any() else np.ones(1)
    right = None if judged is None else int((judged & asked).sum())
    return Frame(
        step=step.step,
        rows=rows,
        halt=step.halt_probability,
        right=right,
        changed=int(changed.sum()),
        confidence=float(sure_of.mean()),
        lowest=float(sure_of.min()),
        look=step.look,
        faults=[safe_text(fault.reason) for fault in faults],
    )


def _kind(symbol: str, given: bool, right: bool | None, *, blank: bool = False) -> Kind:
    if not symbol:
        return "hidden"
    if given:
        return "wrong" if right is False else "given"
    if blank:
        return "blank"
    if right is None:
        return "answer"
    return "right" if right else "wrong"
