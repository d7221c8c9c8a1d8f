"""Which look follows, which answer counts, and how figures of cells come home from a view."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.inference.looks import Looking, Looks
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.kit.symmetry import places, relabelling
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.sudoku.config import SudokuConfig

TASK = build_puzzles(SudokuConfig(clues=6, train_size=5, test_size=4))
PUZZLE, OTHER = TASK.test.head(2).inputs
ANSWERS = TASK.test.head(4).labels


class Mute(type(TASK)):  # type: ignore[misc]  # Sudoku whose rules nobody wrote down, in images by identifier
    judges_all = False

    def symmetry(self, rng: np.random.Generator) -> None:
        return None

    def image(self, puzzle_id: int, number: int):
        turned = relabelling(np.roll(np.arange(16), number))
        return (puzzle_id + number, turned) if puzzle_id and number < 6 else None


MUTE = Mute(SudokuConfig(clues=6, train_size=5, test_size=4))


def test_the_views_of_a_puzzle_are_its_own_whoever_looks() -> None:
    def views(puzzle: np.ndarray, seed: int = 0) -> list[list[int]]:
        looks = Looks(TASK, puzzle, Looking(4, looks=5, seed=seed))
        look, found = looks.first(), []
        while look is not None:
            found.append(look.view.tolist())
            look = looks.after(look, puzzle, 0.5, accepted=False)
        return found

    assert len(views(PUZZLE)) == 5
    assert views(PUZZLE) == views(PUZZLE)
    assert views(PUZZLE)[1:] != views(PUZZLE, seed=1)[1:]
    assert views(PUZZLE) != views(OTHER)


def test_an_accepted_answer_ends_the_looks() -> None:
    looks = Looks(TASK, PUZZLE, Looking(4, looks=5))
    assert looks.after(looks.first(), ANSWERS[0], 0.1, accepted=True) is None


def test_answers_to_images_vote_and_halting_decides_between_equals() -> None:
    looks = Looks(MUTE, PUZZLE, Looking(4, looks=5), puzzle_id=10)
    ends = [(0, 0.9), (1, 0.2), (2, 0.3), (1, 0.6), (2, 0.4)]
    look = looks.first()
    asked = []
    for answer, halt in ends:
        assert look is not None
        asked.append(look.puzzle_id)
        look = looks.after(look, ANSWERS[answer], halt, accepted=False)
    assert look is None
    assert asked == [10, 11, 12, 13, 14]
    ranked = looks.ranked()
    assert [one.answer.tolist() for one in ranked] == [ANSWERS[n].tolist() for n in (1, 2, 0)]
    assert [(one.votes, one.look, one.halt_probability) for one in ranked] == [
        (2, 4, 0.6),
        (2, 5, 0.4),
        (1, 1, 0.9),
    ]


def test_an_answer_without_a_cell_has_no_vote() -> None:
    looks = Looks(MUTE, PUZZLE, Looking(4, looks=3), puzzle_id=1)
    nothing = np.zeros_like(PUZZLE)
    look = looks.after(looks.first(), nothing, 0.9, accepted=False)
    assert look is not None
    look = looks.after(look, nothing, 0.9, accepted=False)
    assert look is not None
    looks.after(look, ANSWERS[0], 0.1, accepted=False)
    assert looks.ranked()[0].answer.tolist() == ANSWERS[0].tolist()


def test_a_puzzle_without_identifier_is_looked_at_once_where_images_have_theirs() -> None:
    looks = Looks(MUTE, PUZZLE, Looking(4, looks=5))
    assert looks.after(looks.first(), ANSWERS[0], 0.5, accepted=False) is None


def test_the_surest_of_unproven_answers_counts() -> None:
    looks = Looks(TASK, PUZZLE, Looking(4, looks=3))
    look = looks.first()
    for answer, halt in ((0, 0.3), (1, 0.7), (0, 0.5)):
        assert look is not None
        look = looks.after(look, ANSWERS[answer], halt, accepted=False)
    assert looks.ranked()[0].answer.tolist() == ANSWERS[1].tolist()


@pytest.mark.parametrize("seed", range(4))
def test_figures_of_cells_come_home_from_a_view(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = int(rng.integers(2, 300))
    source = rng.permutation(cells)
    names = np.concatenate([[0], 1 + rng.permutation(10)]).astype(np.uint8)
    symmetry = relabelling(source, names)
    home = places(symmetry, cells)
    figures = rng.random(cells)
    # A figure of the view belongs to the cell of the puzzle that its cell came from.
    in_view = figures[source]
    np.testing.assert_array_equal(in_view[home], figures)


def test_figures_of_a_maze_come_home_too() -> None:
    task = build_puzzles(MazeConfig(rows=4, cols=6, min_path=4))
    symmetry = task.symmetry(np.random.default_rng(3))
    assert symmetry is not None
    number = np.arange(24)
    home = places(symmetry, 24)
    assert sorted(home) == list(number)
    assert (symmetry.forward(number)[home] == number).all()
