"""Light Up through the task interface: what is marked, and data from lists and folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.puzzle_lists.files import write_list

SMALL = {"rows": 4, "cols": 4, "train_size": 60, "test_size": 20}


def task_of(**settings: object) -> PuzzleTask:
    return build_puzzles(LightUpConfig(**{**SMALL, **settings}))


@pytest.fixture(scope="module")
def made() -> PuzzleTask:
    return task_of()


def judged(task: PuzzleTask, puzzle: str, answer: str) -> list[tuple[tuple[int, ...], str]]:
    return [*map(tuple, task.faults(task.parse(puzzle), task.read(answer)))]


PUZZLE = "1...|....|..#.|...0"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("1*..|....|.*#.|...0", ((1, 9), "2 bulbs shine on each other")),
        ("1*..|*...|..#.|...0", ((0,), "the 1 at row 1, column 1 has 2 bulbs")),
        ("....|....|..#.|...0", ((0,), "row 1, column 1 is not as the puzzle has it")),
        ("1...|....|..#.|...0", ((0,), "the 1 at row 1, column 1 has 0 bulbs")),
        ("1...|....|..#*|*..0", ((15,), "the 0 at row 4, column 4 has 1 bulb")),
        ("1*..|*...|..#*|..*0", ((15,), "the 0 at row 4, column 4 has 2 bulbs")),
        ("1*..|...*|*.#.|...0", ((14,), "row 4, column 3 is not lit")),
    ],
)
def test_what_breaks_a_rule_is_named_and_marked(made, answer, fault):
    assert fault in judged(made, PUZZLE, answer)


def test_all_cells_in_the_dark_are_marked_together(made):
    (dark,) = [cells for cells, reason in judged(made, PUZZLE, PUZZLE) if reason == "13 cells are not lit"]
    assert dark == (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14)


def test_a_solved_puzzle_says_how(made):
    puzzle, label = made.test.inputs[0], made.test.labels[0]
    bulbs = int((label == 2).sum())
    assert made.check(puzzle, label).reason.startswith(f"{bulbs} bulb")


def test_no_test_puzzle_is_an_image_of_a_training_puzzle(made):
    train, test = (set(made.images.hashes(part.inputs).tolist()) for part in (made.train, made.test))
    assert len(train) == 60
    assert len(test) == 20
    assert not train & test


def test_too_few_puzzles_end_in_words():
    task = task_of(rows=2, cols=2, train_size=500)
    with pytest.raises(UsageError, match=r"differ by more than a symmetry; .* asks for 520") as caught:
        task.facts  # noqa: B018
    assert "wall_share" in str(caught.value)


# --- lists ------------------------------------------------------------------------------------------------


def test_a_missing_solution_is_worked_out(made, tmp_path: Path):
    path = tmp_path / "puzzles.txt"
    path.write_text("# three puzzles\n\n" + "\n".join(map(made.line, made.test.inputs[:3])))
    loaded = made.load(str(path))
    assert loaded.inputs.tolist() == made.test.inputs[:3].tolist()
    assert loaded.labels.tolist() == made.test.labels[:3].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("................", "line 1: the puzzle has more than one solution"),
        ("4..............." + "\n", "line 1: the puzzle has no solution"),
        ("0.#. x\n", "line 1: the puzzle has 4 cells"),
        ("a b c", "line 1: holds 3 words"),
        ("puzzle,solution\n", "holds no puzzles"),
        ("", "holds no puzzles"),
        ("*...............", "line 1: row 1, column 1 of the puzzle is a bulb"),
        ("................ ................", "line 1: the solution breaks the rules: 16 cells are not lit"),
    ],
)
def test_a_list_that_is_not_sound_is_refused_with_its_line(made, tmp_path: Path, text, words):
    path = tmp_path / "puzzles.txt"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        made.load(str(path))
    assert words in str(caught.value)


def test_a_given_solution_must_be_the_only_one_when_asked(made, tmp_path: Path):
    path = tmp_path / "puzzles.csv"
    one = "*...|.*..|..*.|...*".replace("|", "")
    path.write_text(f"question,answer\n{'.' * 16},{one}\n")
    assert len(made.load(str(path))) == 1
    with pytest.raises(UsageError, match="line 2: the puzzle has more than one solution"):
        made.load(str(path), check_unique=True)


def test_a_list_is_split_without_images_on_both_sides(made, tmp_path: Path):
    path = tmp_path / "train.csv"
    write_list(path, made, made.train, as_csv=True)
    split = task_of(data=str(path), train_size=30, test_size=10)
    assert (len(split.train), len(split.test)) == (30, 10)
    assert "set aside" in split.facts["source"]
    train, test = (set(split.images.hashes(part.inputs).tolist()) for part in (split.train, split.test))
    assert not train & test


def test_images_of_test_puzzles_leave_training(made, tmp_path: Path):
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    write_list(train, made, made.train, as_csv=True)
    images = made.augment(made.train.take(slice(0, 5)), np.random.default_rng(1))
    write_list(test, made, images, as_csv=True)
    split = task_of(data=str(tmp_path), train_size=100, test_size=10)
    assert (len(split.train), len(split.test)) == (55, 5)
    assert "5 that were have been left out" in split.facts["unseen"]
    with pytest.raises(UsageError, match="every puzzle is an image of a test puzzle"):
        task_of(data=str(test), test_data=str(test)).facts  # noqa: B018


def test_puzzles_with_several_solutions_are_told_from_those_with_one(made):
    open_grid = np.full((1, made.seq_len), 1, np.uint8)
    puzzles = np.concatenate([made.test.inputs[:3], open_grid])
    assert made.ambiguous(puzzles).tolist() == [False, False, False, True]
