"""Films without a model: a Sudoku that is solved a little better with every step, always the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from trm_engine.errors import SessionError
from trm_engine.tasks import build_task
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.watch.model_host import Progress, Subject
from trm_tui.workbench.watch.trace import Film, Step, make_film
from trm_tui.workbench.workbench import Look

FOUR = build_task(SudokuConfig())
NINE = build_task(SudokuConfig(box_rows=3, box_cols=3))
SOLVED_FOUR = "1234341221434321"
PUZZLES_FOUR = ("1.3..4..2..3.3.1", "12..34..21..43..", "....3412....4321", "1234............")
SOLVED_NINE = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
PUZZLE_NINE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"


def steps(task: Task, puzzle: Tokens, solution: Tokens, count: int = 8, mistakes: int = 0) -> list[Step]:
    """Return steps in which ever more blanks are right, but for the last `mistakes` of them."""
    blanks = np.flatnonzero(~task.given(puzzle))
    side, made = task.vocab_size - 2, list[Step]()
    for number in range(1, count + 1):
        answer = np.array(solution)
        wrong = max(len(blanks) * (count - 2 - number) // count, mistakes)
        doubted = blanks[len(blanks) - wrong :]
        answer[doubted] = 2 + (answer[doubted] - 2 + 1 + number % (side - 1)) % side
        confidence = np.full(len(answer), 0.5 + 0.49 * number / count, np.float32)
        confidence[doubted] = 0.31
        made.append(
            SimpleNamespace(
                look=1,
                step=number,
                answer=answer,
                confidence=confidence,
                halt_probability=(number / count) ** 3,
            )
        )  # type: ignore[arg-type]
    return made


@dataclass(frozen=True)
class Made:
    """What the fake was asked for."""

    loaded: list[tuple[str, str | None]]
    shown: list[str]
    views: list[int]


class FakeStudio:
    """See `Studio`. Puzzle 2 is one that the model gets wrong."""

    made = Made([], [], [])

    def __init__(self, _store: object, _progress: Progress) -> None:
        self.task = FOUR
        FakeStudio.made = Made([], [], [])

    def load_session(self, ref: str, checkpoint: str | None) -> Subject:
        self.made.loaded.append((ref, checkpoint))
        if ref == "gone":
            raise SessionError("there is no session gone")
        step = int(checkpoint) if checkpoint and checkpoint.isdecimal() else 500
        return Subject(
            ref, "baseline", step, live=False, warnings=("an older checkpoint was damaged",) * (ref == "old")
        )

    def load_look(self, look: Look) -> Subject:
        self.made.loaded.append((look.session, f"live {look.step}"))
        return Subject(look.session, "sudoku-6x6", look.step, live=True)

    def count(self) -> int:
        return len(PUZZLES_FOUR) if self.task is FOUR else 1

    def parse(self, text: str) -> Tokens:
        return self.task.parse(text)

    def film(self, number: int, views: int) -> Film:
        self.made.views.append(views)
        text, solved = (
            (PUZZLES_FOUR[number], SOLVED_FOUR) if self.task is FOUR else (PUZZLE_NINE, SOLVED_NINE)
        )
        self.made.shown.append(text)
        puzzle, label = self.task.parse(text), self.task.parse(solved)
        return make_film(
            self.task, puzzle, label, steps(self.task, puzzle, label, mistakes=2 * (number == 2))
        )

    def film_of(self, text: str, views: int) -> Film:
        self.made.views.append(views)
        puzzle = self.task.parse(text)
        text = self.task.line(puzzle)
        self.made.shown.append(text)
        solved = self.task.parse(SOLVED_FOUR if self.task is FOUR else SOLVED_NINE)
        return make_film(self.task, puzzle, None, steps(self.task, puzzle, solved))

    def next_failure(self, start: int, _step: int, _stopping: Callable[[], bool]) -> int | None:
        return 2 if start >= 0 else None
