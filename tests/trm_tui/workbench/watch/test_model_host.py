"""Films of a real model: from a session's checkpoints and from live weights, on real puzzles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import trm_engine.tasks
from trm_engine.config import Config, ModelConfig, TrainConfig, dumps
from trm_engine.errors import SessionError, UsageError
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.inference.supervise import refine
from trm_engine.models.trm import build_model
from trm_engine.sessions import Checkpoint, Store
from trm_engine.tasks import build_task
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.watch.model_host import Studio
from trm_tui.workbench.workbench import Look

TINY = Config(
    task=SudokuConfig(train_size=4, test_size=6),
    model=ModelConfig(hidden_size=16, layers=1),
    train=TrainConfig(halt_max_steps=3),
)


def weights(seed: int) -> dict[str, torch.Tensor]:
    network = build_model(TINY, 1, torch.Generator().manual_seed(seed))
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one session: checkpoints of steps 10 and 20, of which 10 is the best."""
    made = Store(tmp_path)
    with made.create(dumps(TINY), "tiny", name="tiny one", threads=1) as session:
        for step, score in ((10, 0.9), (20, 0.1)):
            averaged = {
                f"ema.{name}": tensor for name, tensor in weights(step).items() if name != "puzzle_emb"
            }
            kept = {name: t for name, t in averaged.items() if not name.endswith("_init")}
            session.save(
                Checkpoint(step, weights(step), kept, {}), best_score=score if step == 10 else None, keep=3
            )
    return made


@pytest.fixture
def studio(store: Store) -> Studio:
    return Studio(store, lambda *_: None)


def answers(seed: int, number: int) -> list[list[int]]:
    """Return what the engine itself says of a held-out puzzle."""
    network = build_model(TINY, 1, torch.Generator().manual_seed(seed))
    puzzle = build_task(TINY.task).test.inputs[number]
    return [found.answer.tolist() for found in refine(network, puzzle, 3)]


def shown(film: object) -> list[str]:
    frames = film.frames[1:]  # type: ignore[attr-defined]
    return ["".join(cell.symbol for row in frame.rows for cell in row) for frame in frames]


@pytest.mark.parametrize(("checkpoint", "step"), [(None, 20), ("10", 10), ("best", 10)])
def test_a_checkpoint_answers_as_the_engine_does(studio: Studio, checkpoint: str | None, step: int) -> None:
    subject = studio.load_session("tiny one", checkpoint)
    assert (subject.title, subject.step, subject.live) == ("tiny one", step, False)
    assert studio.count() == 6
    film = studio.film(2, 1)
    task = build_task(TINY.task)
    assert shown(film) == [task.line(np.array(tokens)) for tokens in answers(step, 2)]
    assert film.text == task.line(task.test.inputs[2])


def test_live_weights_answer_as_the_engine_does(studio: Studio, store: Store) -> None:
    session = store.list()[0].id
    subject = studio.load_look(Look(session, 77, TINY, weights(5)))
    assert (subject.title, subject.step, subject.live) == ("tiny one", 77, True)
    task = build_task(TINY.task)
    assert shown(studio.film(0, 1)) == [task.line(np.array(tokens)) for tokens in answers(5, 0)]
    assert studio.load_look(Look("not-saved-yet", 1, TINY, weights(5))).title == "not-saved-yet"


def test_a_typed_puzzle_is_solved_without_its_solution(studio: Studio) -> None:
    studio.load_session("latest", None)
    film = studio.film_of("1... .2.. ..3. ...4", 1)
    assert film.text == "1....2....3....4"
    assert film.last == 3
    with pytest.raises(UsageError):
        studio.parse("nonsense")


def test_an_unsolved_puzzle_is_looked_at_again_and_the_surest_look_is_shown_last(studio: Studio) -> None:
    studio.load_session("latest", None)
    film = studio.film(2, 4)
    looks = [frame.look for frame in film.frames[1:]]
    assert looks[:12] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert [frame.step for frame in film.frames] == list(range(len(film.frames)))
    assert film.looks == 4
    assert film.unproven
    assert all(frame.faults for frame in film.frames[1:])
    ends = [frame for place, frame in enumerate(film.frames[1:13], 1) if place % 3 == 0]
    surest = max(ends, key=lambda frame: frame.halt)
    shown_last = [cell.symbol for row in film.frames[-1].rows for cell in row]
    assert shown_last == [cell.symbol for row in surest.rows for cell in row]
    task = build_task(TINY.task)
    given = task.given(task.test.inputs[2])
    for frame in film.frames[1:]:
        clues = [cell.kind for row in frame.rows for cell in row]
        assert len(clues) == len(given), "every look is shown in the places of the puzzle"


def test_puzzles_it_gets_wrong_are_found_going_round(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.load_session("latest", None)
    test = build_task(TINY.task).test
    wrong = {1, 4}

    def answers_to(_model: PuzzleModel, examples: Examples) -> np.ndarray:
        found = np.array(examples.labels)
        for row, puzzle in zip(found, examples.inputs, strict=True):
            number = next(n for n in range(len(test)) if (test.inputs[n] == puzzle).all())
            row[0] = 1 if number in wrong else row[0]
        return found

    monkeypatch.setattr(PuzzleModel, "answers", answers_to)
    assert [studio.next_failure(start, 1, lambda: False) for start in range(6)] == [1, 1, 4, 4, 4, 1]
    assert [studio.next_failure(start, -1, lambda: False) for start in range(6)] == [4, 1, 1, 1, 4, 4]
    assert studio.next_failure(0, 1, lambda: True) is None
    wrong.clear()
    assert studio.next_failure(3, 1, lambda: False) is None


def test_an_untrained_model_gets_the_first_puzzle_wrong(studio: Studio) -> None:
    studio.load_session("latest", None)
    assert studio.next_failure(0, 1, lambda: False) == 0


def test_the_task_is_kept_while_models_change(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.load_session("latest", None)
    studio.count()
    monkeypatch.setattr(trm_engine.tasks, "build_task", lambda *_: pytest.fail("the puzzles are made anew"))
    studio.load_session("latest", "10")
    assert studio.count() == 6


def test_preparing_the_puzzles_is_told(store: Store) -> None:
    heard: list[str] = []
    studio = Studio(store, lambda what, _done, _total: heard.append(what))
    studio.load_session("latest", None)
    studio.count()
    assert heard


def test_what_is_not_there_is_an_error(studio: Studio) -> None:
    with pytest.raises(UsageError, match="no model"):
        studio.count()
    with pytest.raises(SessionError):
        studio.load_session("nobody", None)
    with pytest.raises(SessionError):
        studio.load_session("latest", "15")
