import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.sudoku.generation import distinct
from trm_engine.tasks.sudoku.generation.distinct import generate_distinct
from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate, random_grids
from trm_engine.tasks.sudoku.generation.solver import solve
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes

FOUR, SIX, NINE = Geometry(2, 2), Geometry(2, 3), Geometry(3, 3)
MINIMAL = ClueRange(0, 0)


def rng():
    return np.random.default_rng(7)


def clue_counts(puzzles):
    return (puzzles.clues != 0).sum(axis=1)


@pytest.mark.parametrize("shape", [(1, 2), (1, 5), (2, 2), (3, 2), (3, 3), (3, 4), (4, 4)])
def test_random_grids_keep_the_rules_and_differ(shape):
    geometry = Geometry(*shape)
    grids = random_grids(geometry, 12, rng())
    assert grids.shape == (12, geometry.cells)
    assert grids.all()
    assert first_fault(geometry, grids, grids) is None
    assert len(np.unique(grids, axis=0)) > 1


def test_random_grids_of_four_reach_all_288():
    assert len(np.unique(random_grids(FOUR, 6000, rng()), axis=0)) == 288


@pytest.mark.parametrize(
    ("shape", "count", "clues"),
    [
        ((2, 2), 300, MINIMAL),
        ((2, 2), 300, ClueRange(0, 9)),
        ((2, 3), 200, MINIMAL),
        ((3, 2), 100, ClueRange(12, 20)),
        ((3, 3), 60, ClueRange(30, 0)),
        ((3, 3), 30, MINIMAL),
        ((3, 4), 5, ClueRange(80, 0)),
        ((4, 4), 3, ClueRange(160, 0)),
    ],
)
def test_every_puzzle_has_exactly_the_solution_it_comes_with(shape, count, clues):
    geometry = Geometry(*shape)
    puzzles = generate(geometry, count, clues, rng()).puzzles
    found = solve(geometry, puzzles.clues)
    assert len(puzzles)
    assert (found.count == 1).all()
    assert (found.solution == puzzles.solutions).all()


@pytest.mark.parametrize(("geometry", "count"), [(FOUR, 100), (SIX, 60), (NINE, 12)])
def test_no_clue_of_a_minimal_puzzle_can_go(geometry, count):
    puzzles = generate(geometry, count, MINIMAL, rng()).puzzles
    row, cell = np.nonzero(puzzles.clues)
    without = puzzles.clues[row]
    without[np.arange(len(row)), cell] = 0
    assert (solve(geometry, without).count == 2).all()


def test_a_chosen_clue_count_is_kept():
    batch = generate(NINE, 40, ClueRange(32, 0), rng())
    assert len(batch.puzzles) == 40
    assert (clue_counts(batch.puzzles) == 32).all()


def test_clue_counts_are_drawn_from_the_whole_range():
    counts = clue_counts(generate(SIX, 400, ClueRange(14, 18), rng()).puzzles)
    assert sorted(set(counts)) == [14, 15, 16, 17, 18]


def test_clues_from_minimal_up_to_a_maximum():
    counts = clue_counts(generate(FOUR, 500, ClueRange(0, 8), rng()).puzzles)
    assert sorted(set(counts)) == [4, 5, 6, 7, 8]


def test_a_puzzle_that_cannot_reach_its_count_is_left_out():
    batch = generate(FOUR, 400, ClueRange(4, 0), rng())
    assert 0 < len(batch.puzzles) < 400
    assert (clue_counts(batch.puzzles) == 4).all()
    assert len(batch.ended_at) == 400
    assert batch.ended_at.min() == 4


def test_the_seed_decides_everything():
    first, again, other = (
        generate(SIX, 20, MINIMAL, np.random.default_rng(seed)).puzzles for seed in (3, 3, 4)
    )
    assert (first.clues == again.clues).all()
    assert (first.clues != other.clues).any()


def test_distinct_puzzles_are_as_many_as_asked_and_pairwise_inequivalent():
    puzzles = generate_distinct(FOUR, 1500, ClueRange(0, 10), rng())
    hashes = symmetry_hashes(FOUR, puzzles.clues, puzzles.solutions)
    assert len(puzzles) == len(np.unique(hashes)) == 1500


def test_distinct_puzzles_come_in_random_order():
    counts = clue_counts(generate_distinct(FOUR, 1000, ClueRange(0, 10), rng()))
    halves = counts[:500].mean(), counts[500:].mean()
    assert abs(halves[0] - halves[1]) < 0.4


def test_progress_counts_up_to_what_was_asked():
    calls = []
    generate_distinct(SIX, 50, MINIMAL, rng(), lambda what, done, total: calls.append((what, done, total)))
    assert calls[-1] == ("generating puzzles", 50, 50)
    assert all(0 <= done <= total == 50 for _, done, total in calls)


@pytest.mark.parametrize(
    ("geometry", "clues", "count", "words"),
    [
        (FOUR, ClueRange(3, 0), 10, ("task.clues = 3", "4×4", "Set task.clues to 4 or more")),
        (SIX, ClueRange(5, 0), 10, ("task.clues = 5", "end at 8 to", "0 for minimal")),
        (FOUR, ClueRange(0, 3), 10, ("task.clues_max = 3", "Set task.clues_max to")),
    ],
)
def test_a_clue_count_out_of_reach_is_refused(geometry, clues, count, words):
    with pytest.raises(UsageError) as caught:
        generate_distinct(geometry, count, clues, rng())
    assert all(word in str(caught.value) for word in words)


def test_nine_by_nine_with_fifteen_clues_is_refused(monkeypatch):
    monkeypatch.setattr(distinct, "_PATIENCE", 100)
    with pytest.raises(UsageError, match=r"task\.clues = 15: 0 of \d+ generated 9×9 puzzles"):
        generate_distinct(NINE, 5, ClueRange(15, 0), rng())


@pytest.mark.parametrize(
    ("clues", "found", "remedy"),
    [
        (MINIMAL, 36, "mix clue counts by setting task.clues_max"),
        (ClueRange(4, 0), 13, "task.clues = 0 and a higher task.clues_max"),
    ],
)
def test_too_few_inequivalent_puzzles_are_counted_and_a_remedy_named(clues, found, remedy):
    with pytest.raises(UsageError) as caught:
        generate_distinct(FOUR, 200, clues, rng())
    assert f"only {found} 4×4 puzzles" in str(caught.value)
    assert "asks for 200" in str(caught.value)
    assert remedy in str(caught.value)
