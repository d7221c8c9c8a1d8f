"""Counts of solutions agree with trying everything; generated puzzles have one, and no digit too many."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from trm_engine.tasks import build_puzzles
from trm_engine.tasks.futoshiki.board import Board, Clues, images
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.futoshiki.generate import generate
from trm_engine.tasks.futoshiki.rules import solved
from trm_engine.tasks.futoshiki.solver import solve

THREE = Board(3)
SQUARES = np.array(
    [
        rows
        for rows in product(permutations((1, 2, 3)), repeat=3)
        if all(len(set(column)) == 3 for column in zip(*rows, strict=True))
    ],
    np.uint8,
).reshape(-1, 9)


def random_puzzles(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    digits = np.where(rng.random((count, 9)) < 0.15, rng.integers(1, 4, (count, 9)), 0)
    return THREE.to_tokens(
        Clues(
            digits.astype(np.uint8),
            rng.choice([-1, 0, 0, 1], (count, 3, 2)).astype(np.int8),
            rng.choice([-1, 0, 0, 1], (count, 2, 3)).astype(np.int8),
        )
    )


def right_answers(puzzle: np.ndarray) -> list[list[int]]:
    clues = THREE.to_clues(puzzle[None])
    many = Clues(SQUARES, *(np.repeat(signs, len(SQUARES), axis=0) for signs in clues[1:]))
    answers = THREE.to_tokens(many)
    return answers[solved(THREE, np.repeat(puzzle[None], len(answers), axis=0), answers)].tolist()


def test_solutions_are_counted_as_by_trying_everything():
    assert len(SQUARES) == 12
    puzzles = random_puzzles(400)
    found = solve(THREE, puzzles)
    for puzzle, answer, count in zip(puzzles, found.answers, found.count, strict=True):
        right = right_answers(puzzle)
        assert count == min(len(right), 2)
        assert not right or answer.tolist() in right
    assert set(found.count.tolist()) == {0, 1, 2}


@pytest.fixture(scope="module")
def made():
    return generate(FutoshikiConfig(size=5), Board(5), 40, np.random.default_rng(0))


def test_generated_puzzles_have_one_solution_which_is_their_label(made):
    found = solve(Board(5), made.inputs)
    assert (found.count == 1).all()
    assert (found.answers == made.labels).all()
    assert solved(Board(5), made.inputs, made.labels).all()


def test_no_digit_can_go(made):
    board = Board(5)
    for puzzle in made.inputs[:15]:
        for cell in board.cells[puzzle[board.cells] > 1]:
            fewer = puzzle.copy()
            fewer[cell] = 1
            assert solve(board, fewer[None]).count[0] == 2


def test_as_many_signs_are_given_as_are_asked_for():
    config = FutoshikiConfig(size=4, sign_share_min=1.0, sign_share_max=1.0)
    made = generate(config, Board(4), 10, np.random.default_rng(0))
    assert ((made.inputs > Board(4).no_sign).sum(axis=1) == 24).all()
    config = FutoshikiConfig(size=4, sign_share_min=0.0, sign_share_max=0.0)
    made = generate(config, Board(4), 10, np.random.default_rng(0))
    assert ((made.inputs > Board(4).no_sign).sum(axis=1) == 0).all()


# --- symmetries -------------------------------------------------------------------------------------------


def test_there_are_sixteen_images_and_each_keeps_solutions(made):
    board, group = Board(5), images(5)
    assert len(group) == 16
    seen = set()
    for source, names in zip(group.sources, group.names, strict=True):
        assert sorted(names.tolist()) == list(range(board.vocab_size))
        inputs, labels = names[made.inputs[:, source]], names[made.labels[:, source]]
        assert solved(board, inputs, labels).all()
        seen.add(inputs.tobytes())
    assert len(seen) == 16


def test_the_images_are_a_group():
    """Two of them, one after the other, are a third: so that all images of a puzzle share its hash."""
    group = images(4)
    known = {(s.tobytes(), n.tobytes()) for s, n in zip(group.sources, group.names, strict=True)}
    for i, j in product(range(16), repeat=2):
        source = group.sources[i][group.sources[j]]
        names = group.names[j][group.names[i]]
        assert (source.tobytes(), names.tobytes()) in known


def test_all_images_of_a_puzzle_share_its_hash(made):
    group = images(5)
    for source, names in zip(group.sources, group.names, strict=True):
        assert (group.hashes(names[made.inputs[:, source]]) == group.hashes(made.inputs)).all()
    assert len(set(group.hashes(made.inputs).tolist())) == len(made)


def test_puzzles_with_several_solutions_are_told_from_those_with_one():
    task = build_puzzles(FutoshikiConfig(size=3, train_size=4, test_size=2))
    empty = THREE.to_tokens(Clues(*(np.zeros((1, *shape), np.int8) for shape in ((9,), (3, 2), (2, 3)))))
    puzzles = np.concatenate([task.test.inputs, empty])
    assert task.ambiguous(puzzles).tolist() == [False, False, True]
