"""Rows share steps, join and leave between them, and know nothing of each other."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from tests.serving import PUZZLE, Oracle, small_config
from trm_engine.models.trm import build_model
from trm_engine.serving.batcher import Batcher, Row
from trm_engine.tasks import build_puzzles

CONFIG = small_config()
TASK = build_puzzles(CONFIG.task)


class Asker(Row):
    """A row that takes `steps` steps and remembers what it was told."""

    def __init__(self, steps: int, puzzle: str = PUZZLE) -> None:
        self.puzzle = TASK.parse(puzzle)
        self.steps = steps
        self.seen: list = []
        self.error: BaseException | None = None
        self.leaves = False
        self.over = threading.Event()

    def observe(self, refinement, *, accepted: bool) -> bool:
        self.seen.append(refinement)
        going_on = len(self.seen) < self.steps
        if not going_on:
            self.over.set()
        return going_on

    def gone(self) -> bool:
        if self.leaves:
            self.over.set()
        return self.leaves

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.over.set()


@pytest.fixture
def batchers():
    made: list[Batcher] = []
    yield made
    for batcher in made:
        batcher.close()
        batcher.join(10)


def network():
    return build_model(CONFIG, 1, torch.Generator().manual_seed(1))


def run(batchers, rows, model=None, **options) -> Batcher:
    batcher = Batcher(model or network(), **options)
    batchers.append(batcher)
    for row in rows:
        batcher.submit(row)
    for row in rows:
        assert row.over.wait(30)
    return batcher


def test_an_answer_is_the_same_alone_and_in_a_crowd(batchers) -> None:
    rng = np.random.default_rng(0)
    test = build_puzzles(CONFIG.task).test
    puzzles = [TASK.line(test.inputs[i]) for i in range(8)]
    alone = [Asker(4, puzzle) for puzzle in puzzles]
    for row in alone:
        run(batchers, [row])
    crowd = [Asker(int(rng.integers(4, 9)), puzzle) for puzzle in puzzles]
    run(batchers, crowd)
    for one, many in zip(alone, crowd, strict=True):
        for a, b in zip(one.seen, many.seen, strict=False):
            assert a.step == b.step
            assert (a.answer == b.answer).all()
            np.testing.assert_allclose(a.confidence, b.confidence, rtol=1e-3)


def test_a_row_joins_between_steps_and_leaves_when_it_is_done(batchers) -> None:
    gate = threading.Semaphore(0)
    oracle = Oracle(CONFIG, at=99, gate=gate)
    long, short = Asker(5), Asker(2)
    batcher = Batcher(oracle, longest_step=1e9)
    batchers.append(batcher)
    batcher.submit(long)
    gate.release()
    while not long.seen:
        threading.Event().wait(0.001)
    batcher.submit(short)
    gate.release(4)
    assert long.over.wait(30)
    assert short.over.wait(30)
    assert [seen.step for seen in short.seen] == [1, 2]
    assert [seen.step for seen in long.seen] == [1, 2, 3, 4, 5]
    assert oracle.steps == 5  # the short one cost no step of its own
    assert batcher.steps_run == 5
    assert batcher.rows_run == 7


def test_a_row_that_nobody_waits_for_takes_no_further_step(batchers) -> None:
    gate = threading.Semaphore(0)
    row = Asker(100)
    batcher = Batcher(Oracle(CONFIG, gate=gate))
    batchers.append(batcher)
    batcher.submit(row)
    gate.release()
    while not row.seen:
        threading.Event().wait(0.001)
    row.leaves = True
    gate.release(10)
    assert row.over.wait(30)
    assert len(row.seen) <= 2


def test_a_failing_step_fails_its_rows_and_serves_the_next(batchers) -> None:
    class Breaks(Oracle):
        def forward(self, *words):
            if self.steps == 0:
                self.steps = 1
                raise MemoryError("no room")
            return super().forward(*words)

    model = Breaks(CONFIG, at=1)
    first, second = Asker(1), Asker(1)
    batcher = run(batchers, [first], model)
    assert isinstance(first.error, MemoryError)
    batcher.submit(second)
    assert second.over.wait(30)
    assert second.error is None


def test_a_row_whose_observer_fails_does_not_harm_others(batchers) -> None:
    class Faulty(Asker):
        def observe(self, refinement, *, accepted):
            raise ValueError("defect")

    faulty, sound = Faulty(1), Asker(3)
    run(batchers, [faulty, sound])
    assert isinstance(faulty.error, ValueError)
    assert len(sound.seen) == 3


def test_closing_fails_what_is_under_way_and_refuses_more(batchers) -> None:
    gate = threading.Semaphore(0)
    row = Asker(100)
    batcher = Batcher(Oracle(CONFIG, gate=gate))
    batchers.append(batcher)
    batcher.submit(row)
    batcher.close()
    gate.release(2)
    assert row.over.wait(30)
    assert row.error is not None
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(Asker(1))


def test_draining_answers_what_is_under_way(batchers) -> None:
    gate = threading.Semaphore(0)
    row = Asker(3)
    batcher = Batcher(Oracle(CONFIG, gate=gate))
    batchers.append(batcher)
    batcher.submit(row)
    batcher.close(drain=True)
    gate.release(3)
    assert row.over.wait(30)
    assert row.error is None
    batcher.join(30)
    with pytest.raises(RuntimeError):
        batcher.submit(Asker(1))


def test_a_slow_network_serves_few_rows_at_a_time(batchers) -> None:
    ticks = iter(range(10**6))
    rows = [Asker(2) for _ in range(4)]
    # Every look at the clock is a second later: a step seems to take a second.
    batcher = run(batchers, rows, longest_step=1.5, clock=lambda: float(next(ticks)))
    assert batcher.rows_run == 8
    assert batcher.steps_run == 8


def test_no_more_rows_than_allowed_share_a_step(batchers) -> None:
    rows = [Asker(2) for _ in range(6)]
    gate = threading.Semaphore(0)
    oracle = Oracle(CONFIG, at=99, gate=gate)
    batcher = Batcher(oracle, most_rows=2, longest_step=1e9)
    batchers.append(batcher)
    for row in rows:
        batcher.submit(row)
    gate.release(100)
    for row in rows:
        assert row.over.wait(30)
    assert batcher.rows_run == 12
    assert oracle.steps >= 6
