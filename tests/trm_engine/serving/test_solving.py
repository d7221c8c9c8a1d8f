"""Verified solving: when refinement ends, what further views bring, and how figures come home from them."""

from __future__ import annotations

import queue

import numpy as np
import pytest

from tests.serving import PUZZLE, SOLUTION, Oracle, small_config
from trm_engine.inference import verified
from trm_engine.inference.looks import Looking
from trm_engine.serving.batcher import Batcher
from trm_engine.serving.solving import Done, Effort, Failed, Job, Question, Step, ViewBegun
from trm_engine.tasks import build_puzzles

CONFIG = small_config()
TASK = build_puzzles(CONFIG.task)
ASKED = TASK.parse(PUZZLE)


@pytest.fixture
def solve():
    made = []

    def run(effort: Effort, *, puzzle=ASKED, truth: str = "", clock=None, tell_steps=True, **oracle):
        batcher = Batcher(Oracle(CONFIG, **oracle), TASK.solved)
        made.append(batcher)
        told: queue.Queue = queue.Queue()
        question = Question(puzzle, truth=TASK.parse_answer(truth) if truth else None)
        timed = {"clock": clock} if clock else {}
        job = Job(TASK, question, effort, batcher, told.put, tell_steps=tell_steps, **timed)
        job.start()
        events = []
        while not events or not isinstance(events[-1], (Done, Failed)):
            events.append(told.get(timeout=30))
        return events

    yield run
    for batcher in made:
        batcher.close()
        batcher.join(10)


def answer(events):
    assert isinstance(events[-1], Done), events[-1]
    return events[-1].answer


def test_it_ends_when_the_rules_accept(solve) -> None:
    found = answer(solve(Effort("checked", 8), at=3))
    assert (found.ended, len(found.steps)) == ("checked", 3)
    assert found.verdict.solved
    assert TASK.line(found.answer) == SOLUTION


def test_all_steps_are_taken_where_asked_for(solve) -> None:
    found = answer(solve(Effort("all", 6), at=2))
    assert (found.ended, len(found.steps)) == ("all", 6)


def test_it_ends_when_the_model_says_so(solve) -> None:
    found = answer(solve(Effort("halt", 8), at=2, lost=lambda _: True))
    assert (found.ended, len(found.steps)) == ("halt", 2)
    assert not found.verdict.solved


def test_it_ends_when_time_is_up(solve) -> None:
    ticks = iter(range(10**6))
    found = answer(solve(Effort("all", 50, seconds=3.5), at=99, clock=lambda: float(next(ticks))))
    assert found.ended == "time"
    assert len(found.steps) < 50


def test_a_question_that_fails_is_asked_again_as_its_image(solve) -> None:
    def lost(puzzle: np.ndarray) -> bool:
        return bool((puzzle == ASKED).all())

    events = solve(Effort("checked", 4, views=4), at=2, lost=lost)
    found = answer(events)
    assert found.verdict.solved
    assert TASK.line(found.answer) == SOLUTION
    assert found.views >= 1
    assert any(isinstance(event, ViewBegun) for event in events)
    views = [event.view for event in events if isinstance(event, Step)]
    assert views == sorted(views)
    assert [event.step for event in events if isinstance(event, Step) and event.view == 0] == [1, 2, 3, 4]


def test_without_success_the_answer_is_that_of_the_surest_view(solve) -> None:
    found = answer(solve(Effort("checked", 3, views=2), at=99, lost=lambda _: True))
    assert not found.verdict.solved
    assert found.views == 2
    assert len(found.steps) == 9
    ends = found.steps[2::3]
    assert found.found.step == 3
    assert found.found.halt_probability == max(step.halt_probability for step in ends)
    assert (found.answer == found.found.answer).all()


def test_the_outcome_is_that_of_verified_solving(solve) -> None:
    """One rule: the same views in the same order, and the same answer, as `eval --views` and `solve`."""

    def lost(puzzle: np.ndarray) -> bool:
        return int(puzzle.astype(int).sum()) % 3 != 0

    for puzzle in TASK.test.head(12).inputs:
        looking = Looking(max_steps=4, looks=9)
        network = Oracle(CONFIG, at=2, lost=lost)
        (wanted,) = verified.solve(network, TASK, puzzle[None], np.zeros(1, int), looking, batch_size=1)
        found = answer(solve(Effort("checked", 4, views=8), puzzle=puzzle, at=2, lost=lost))
        assert found.answer.tolist() == wanted.answer.tolist()
        assert (found.views + 1, len(found.steps)) == (wanted.looks, wanted.steps)
        assert found.verdict.solved == wanted.proven


def test_only_the_end_is_told_where_steps_are_not_wanted(solve) -> None:
    events = solve(Effort("all", 6), at=2, tell_steps=False)
    assert [type(event) for event in events] == [Done]
    assert len(answer(events).steps) == 6


def test_the_views_are_the_same_whenever_the_question_is_asked(solve) -> None:
    runs = [answer(solve(Effort("all", 2, views=3), at=99, lost=lambda _: True)) for _ in range(2)]
    for a, b in zip(runs[0].steps, runs[1].steps, strict=True):
        assert (a.answer == b.answer).all()


def test_the_answer_is_compared_with_the_truth(solve) -> None:
    found = answer(solve(Effort("all", 1), at=99, truth=SOLUTION))
    right = found.right
    assert right is not None
    assert 0 < right.sum() < len(right)


def test_changed_cells_are_those_that_differ_from_the_step_before(solve) -> None:
    found = answer(solve(Effort("checked", 8), at=2))
    assert not found.steps[0].changed.any()
    differ = found.steps[0].answer != found.steps[1].answer
    assert (found.steps[1].changed == differ).all()
    assert differ.any()


def test_a_job_ends_once() -> None:
    batcher = Batcher(Oracle(CONFIG))
    told: list = []
    job = Job(TASK, Question(ASKED), Effort(), batcher, told.append)
    assert job.abandon()
    assert not job.abandon()
    job.fail(ValueError())
    assert told == []
    batcher.close()
