"""Counts of solutions agree with trying everything; generated puzzles have one, and no number too many."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.light_up.generate import generate
from trm_engine.tasks.light_up.light import BULB, FIRST_NUMBER, OPEN, WALL, Shape, Walls
from trm_engine.tasks.light_up.rules import solved
from trm_engine.tasks.light_up.solver import search, solve

SMALL = Shape(3, 4)


def random_puzzles(count: int) -> np.ndarray:
    """Return puzzles of which some have no solution, some one and some many."""
    rng = np.random.default_rng(1)
    walls = rng.random((count, SMALL.cells)) < 0.4
    numbers = rng.integers(0, 3, walls.shape) + FIRST_NUMBER
    return np.where(walls, np.where(rng.random(walls.shape) < 0.4, numbers, WALL), OPEN).astype(np.uint8)


def all_answers(puzzle: np.ndarray) -> list[np.ndarray]:
    free = np.flatnonzero(puzzle == OPEN)
    answers = np.repeat(puzzle[None], 2 ** len(free), axis=0)
    answers[:, free] = np.array([*product((OPEN, BULB), repeat=len(free))], np.uint8).reshape(-1, len(free))
    return [*answers[solved(SMALL, np.repeat(puzzle[None], len(answers), axis=0), answers)]]


def test_solutions_are_counted_as_by_trying_everything():
    puzzles = random_puzzles(120)
    found = solve(SMALL, puzzles)
    counts = []
    for puzzle, answer, count in zip(puzzles, found.answers, found.count, strict=True):
        right = [a.tolist() for a in all_answers(puzzle)]
        assert count == min(len(right), 2)
        assert not right or answer.tolist() in right
        counts.append(int(count))
    assert {0, 1, 2} == set(counts)


def test_a_barred_number_is_had_by_no_solution():
    puzzles = random_puzzles(120)
    puzzles = puzzles[(puzzles >= WALL).any(axis=1)]
    cell = (puzzles >= WALL).argmax(axis=1)
    puzzles[np.arange(len(puzzles)), cell] = WALL
    for barred in (0, 1, 2):
        walls = Walls.of(SMALL, puzzles)
        walls.barred.reshape(SMALL.cells, -1)[cell, np.arange(len(puzzles))] = barred
        found = search(SMALL, walls, want=1, effort=100)[1]
        for puzzle, at, count in zip(puzzles, cell, found, strict=True):
            numbered = puzzle.copy()
            numbered[at] = FIRST_NUMBER + barred
            others = len(all_answers(puzzle)) - len(all_answers(numbered))
            assert (count > 0) == (others > 0)


@pytest.fixture(scope="module")
def made():
    config = LightUpConfig(rows=5, cols=6)
    return generate(config, Shape(5, 6), 60, np.random.default_rng(0))


def test_generated_puzzles_have_one_solution_which_is_their_label(made):
    found = solve(Shape(5, 6), made.inputs)
    assert (found.count == 1).all()
    assert (found.answers == made.labels).all()
    assert len(made) == 60


def test_no_number_can_go(made):
    for puzzle in made.inputs[:20]:
        for cell in np.flatnonzero(puzzle >= FIRST_NUMBER):
            fewer = puzzle.copy()
            fewer[cell] = WALL
            assert solve(Shape(5, 6), fewer[None]).count[0] == 2


def test_as_many_numbers_stay_as_are_asked_for():
    config = LightUpConfig(rows=6, cols=6, number_share=0.75, wall_share_min=0.3, wall_share_max=0.3)
    made = generate(config, Shape(6, 6), 40, np.random.default_rng(0))
    walls, numbers = (made.inputs >= WALL).sum(axis=1), (made.inputs >= FIRST_NUMBER).sum(axis=1)
    assert (numbers >= 0.75 * walls).all()
    assert (numbers <= 0.75 * walls + 1).mean() > 0.5, "digging goes on until then"
    assert 0.2 < walls.mean() / 36 < 0.4


def test_a_hard_puzzle_is_given_up_within_its_effort():
    wide = Shape(14, 14)
    empty = np.full((1, wide.cells), OPEN, np.uint8)
    found = solve(wide, empty, effort=0)
    assert found.count[0] == -1
