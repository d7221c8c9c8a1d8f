"""Where films are made: a model from a checkpoint or a live run, the puzzles of its task, and its answers.

Everything here computes and is called beside the UI's thread. torch is imported inside the functions: the
first call brings it. One thread is used, so that a run that trains meanwhile keeps its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trm_engine.config import TaskConfig
from trm_engine.errors import TrmError, UsageError
from trm_engine.sessions import Store
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import PAD, Tokens
from trm_engine.text import safe_text
from trm_tui.workbench.watch.generated_text import LENGTH, TEMPERATURE, Passage
from trm_tui.workbench.watch.trace import Film, make_film
from trm_tui.workbench.workbench import Look

if TYPE_CHECKING:
    from trm_engine.inference.model import Model
    from trm_engine.inference.puzzle_model import PuzzleModel
    from trm_engine.inference.text_model import TextModel
    from trm_engine.inference.verified import Seen

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Subject:
    """The model that is watched."""

    session: str
    title: str
    """What the session is called."""
    step: int
    live: bool
    """Was it copied from a run in this app?"""
    warnings: Sequence[str] = ()
    writes: bool = False
    """Does it write text, and solve no puzzles?"""


class Studio:
    """Holds one model and one task. Any thread may call; one at a time is served."""

    def __init__(self, store: Store, progress: Progress) -> None:
        self._store = store
        self._progress = progress
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._task: tuple[TaskConfig, PuzzleTask] | None = None

    # --- models -------------------------------------------------------------------------------------------

    def load_session(self, ref: str, checkpoint: str | None) -> Subject:
        """Take the model of a session: its newest valid checkpoint, that of a step, or the `best`.

        Raises `SessionError` where there is none.
        """
        from trm_engine.inference.load import load

        with self._lock:
            self._model = load(self._store, ref, checkpoint)
            return self._subject(live=False)

    def load_look(self, look: Look) -> Subject:
        """Take the weights of a run as they were at one of its steps."""
        from trm_engine.inference.load import from_weights

        with self._lock:
            self._model = from_weights(self._store, look.session, look.step, look.config, look.weights)
            return self._subject(live=True)

    def _subject(self, *, live: bool) -> Subject:
        from trm_engine.inference.text_model import TextModel

        model = self._model
        assert model is not None
        warnings = tuple(map(safe_text, model.warnings))
        writes = isinstance(model, TextModel)
        return Subject(model.session, self._title(model.session), model.step, live, warnings, writes)

    def _title(self, session: str) -> str:
        try:
            record = self._store.get(session).record
        except TrmError:
            return session
        return safe_text(record.name or record.preset or session)

    # --- puzzles ------------------------------------------------------------------------------------------

    def count(self) -> int:
        """Return how many puzzles are held out; reads or generates them first. Raises `UsageError`."""
        from trm_engine.inference.text_model import TextModel

        with self._lock:
            return 0 if isinstance(self._model, TextModel) else len(self._its_task().test)

    def parse(self, text: str) -> Tokens:
        """Return a puzzle written as text. Raises `UsageError` when it is none."""
        with self._lock:
            return self._its_task().parse(text)

    # --- texts --------------------------------------------------------------------------------------------

    def check_start(self, start: str) -> str:
        """Return what a text may begin with. Raises `UsageError` when the model cannot read it."""
        with self._lock:
            self._its_author().check_start(start)
        return start

    def write(
        self, start: str, number: int, tell: Callable[[Passage], None], stopping: Callable[[], bool]
    ) -> Passage:
        """Return a text that the model writes; `tell` hears how far it is after every character.

        When `stopping` turns true, what there is is returned. Raises `UsageError` for a start it cannot read.
        """
        import torch

        from trm_engine.inference.generate import Sampling

        with self._lock:
            author = self._its_author()
            torch.set_num_threads(1)  # of this thread alone
            passage = Passage(start, number)
            sampling = Sampling(temperature=TEMPERATURE, max_tokens=LENGTH)
            for character in author.write(author.check_start(start), sampling, number):
                if stopping():
                    return passage
                passage = replace(passage, text=passage.text + character)
                tell(passage)
            return replace(passage, done=True)

    # --- films --------------------------------------------------------------------------------------------

    def film(self, number: int, views: int) -> Film:
        """Return the model's way to its answer to a held-out puzzle, in so many looks at most."""
        with self._lock:
            task = self._its_task()
            example = task.test.take(slice(number, number + 1))
            return self._film(task, example.inputs[0], example.labels[0], int(example.puzzle_ids[0]), views)

    def film_of(self, text: str, views: int) -> Film:
        """Return the same of a puzzle written as text. Raises `UsageError`."""
        with self._lock:
            task = self._its_task()
            return self._film(task, task.parse(text), None, task.puzzle_id_of(text), views)

    def next_failure(self, start: int, step: int, stopping: Callable[[], bool]) -> int | None:
        """Return the first held-out puzzle from `start` on, in steps of ±1, that the model gets wrong.

        All puzzles are tried in batches, going round; None when the model solves them all, or `stopping`
        turns true.
        """
        with self._lock:
            model, test = self._its_solver(), self._its_task().test
            size = model.config.eval.batch_size
            for tried in range(0, len(test), size):
                if stopping():
                    return None
                numbers = [(start + step * n) % len(test) for n in range(tried, min(tried + size, len(test)))]
                examples = test.take(np.array(numbers))
                answers = model.answers(examples)
                labels = np.asarray(examples.labels)
                wrong = ((answers != labels) & (labels != PAD)).any(axis=1)
                if wrong.any():
                    return numbers[int(wrong.argmax())]
                done = tried + len(numbers)
                self._progress("looking for a puzzle that the model gets wrong", done, len(test))
        return None

    def _film(
        self, task: PuzzleTask, puzzle: Tokens, label: Tokens | None, puzzle_id: int, views: int
    ) -> Film:
        model = self._its_solver()
        seen: list[Seen] = []
        found = model.solve(
            task, puzzle, puzzle_id=puzzle_id, looking=model.looking(views), observe=seen.append
        )
        if not (seen[-1].answer == found.answer).all():
            # Unproven: the look that the model is surest of is shown once more, as the answer.
            seen.append(next(one for one in reversed(seen) if (one.answer == found.answer).all()))
        return make_film(task, puzzle, label, seen)

    # --- under the lock -----------------------------------------------------------------------------------

    def _its_solver(self) -> PuzzleModel:
        import torch

        from trm_engine.inference.puzzle_model import PuzzleModel

        torch.set_num_threads(1)  # of this thread alone: one that has computed keeps its own count
        if not isinstance(self._model, PuzzleModel):
            raise UsageError("no model is loaded yet: p picks one")
        return self._model

    def _its_author(self) -> TextModel:
        from trm_engine.inference.text_model import TextModel

        if not isinstance(self._model, TextModel):
            raise UsageError("no text model is loaded yet: p picks one")
        return self._model

    def _its_task(self) -> PuzzleTask:
        """Return the task of the model; the same while models change but their task does not."""
        model = self._its_solver()
        config = model.config.task
        if self._task is None or self._task[0] != config:
            self._task = config, model.task(self._progress)
        return self._task[1]
