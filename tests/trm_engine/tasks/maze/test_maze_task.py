"""Mazes through the task interface: data from every source, unseen test mazes, augmentation, judging."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.interop.dataset_writer import write_published
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.rules import Shape, paths_of
from trm_engine.tasks.puzzle_lists.files import write_list

SHAPE = Shape(6, 6)
SMALL = {"rows": 6, "cols": 6, "min_path": 7, "train_size": 60, "test_size": 20}


def task_of(**settings: object) -> PuzzleTask:
    return build_puzzles(MazeConfig(**{**SMALL, **settings}))


def hashes(examples) -> set[int]:
    return set(SHAPE.images.hashes(examples.inputs).tolist())


@pytest.fixture(scope="module")
def made() -> PuzzleTask:
    return task_of()


@pytest.fixture
def listed(made: PuzzleTask, tmp_path: Path) -> Path:
    path = tmp_path / "mazes.csv"
    write_list(path, made, made.train, as_csv=True)
    return path


def test_sizes_are_those_of_the_configuration(made):
    assert (made.vocab_size, made.seq_len) == (6, 36)
    assert (len(made.train), len(made.test)) == (60, 20)
    assert made.train.inputs.shape == made.train.labels.shape == (60, 36)


def test_every_label_solves_its_maze(made):
    for examples in (made.train, made.test):
        assert made.solved(examples.inputs, examples.labels).all()
        for puzzle, label in zip(examples.inputs, examples.labels, strict=True):
            assert made.check(puzzle, label).solved


def test_no_test_maze_is_an_image_of_a_training_maze(made):
    assert not hashes(made.train) & hashes(made.test)
    assert "8 reflections and rotations" in made.facts["unseen"]


def test_the_same_configuration_gives_the_same_data(made):
    assert fingerprint(task_of()) == fingerprint(made)
    assert fingerprint(task_of(seed=1)) != fingerprint(made)


def test_facts_say_whether_the_rules_decide_the_answer(made):
    assert made.facts.keys() == {"source", "training", "test", "unseen", "labels"}
    assert "down before left" in made.facts["labels"]
    assert "one shortest path only" in task_of(unique_path=True).facts["labels"]


def test_nothing_is_generated_to_read_a_maze():
    heard = []
    task = build_puzzles(MazeConfig(**SMALL), lambda *call: heard.append(call))
    assert task.line(task.parse("S" + " " * 34 + "G")) == "S" + " " * 34 + "G"
    assert not heard


def test_a_maze_without_a_way_is_no_puzzle(made):
    with pytest.raises(UsageError, match="no path leads"):
        made.parse("S" + "#" * 34 + "G")


def test_only_open_cells_ask_for_an_answer(made):
    puzzle = made.test.inputs[0]
    assert (made.given(puzzle) == (puzzle != 2)).all()


def test_drawings_lines_and_tokens_are_the_same_maze(made):
    for puzzle in made.test.inputs:
        assert (made.parse(made.render(puzzle)) == puzzle).all()
        assert (made.parse(made.line(puzzle)) == puzzle).all()
        assert "".join(map("".join, made.grid(puzzle))) == made.line(puzzle)


def test_every_symbol_but_open_has_a_colour(made):
    assert set(made.palette) == set("#SGo")


# --- augmentation -----------------------------------------------------------------------------------------


def test_augmentation_gives_images_with_the_path_that_labels_go_by(made):
    drawn = made.augment(made.train, np.random.default_rng(0))
    assert (drawn.inputs != made.train.inputs).any()
    assert (SHAPE.images.hashes(drawn.inputs) == SHAPE.images.hashes(made.train.inputs)).all()
    paths = paths_of(SHAPE, drawn.inputs).cells
    assert ((drawn.labels == 5) == paths & (drawn.inputs == 2)).all()


def test_foreign_labels_are_turned_with_their_maze(tmp_path, made):
    """Where labels go by another rule than ours, nobody knows which path the image should have."""
    path = tmp_path / "mazes.txt"
    turned = SHAPE.images.sources[3]
    pairs = zip(made.train.inputs[:, turned], made.train.labels[:, turned], strict=True)
    path.write_text("".join(f"{made.line(a)} {made.line(b)}\n" for a, b in pairs))
    task = task_of(data=str(path))
    drawn = task.augment(task.train, np.random.default_rng(0))
    assert made.solved(drawn.inputs, drawn.labels).all()
    counts = [(labels == 5).sum(axis=1) for labels in (drawn.labels, task.train.labels)]
    assert (counts[0] == counts[1]).all()
    assert "down before left" not in task.facts["labels"]


def test_augmentation_can_be_turned_off(made):
    task = task_of(augment=False)
    assert (task.augment(made.train, np.random.default_rng(0)).inputs == made.train.inputs).all()


# --- data from files --------------------------------------------------------------------------------------


def test_a_list_gives_training_and_held_out_mazes(listed, made):
    task = task_of(data=str(listed), train_size=30, test_size=10)
    assert (len(task.train), len(task.test)) == (30, 10)
    assert not hashes(task.train) & hashes(task.test)
    assert hashes(task.train) | hashes(task.test) <= hashes(made.train)
    assert "10 mazes set aside with seed 0" in task.facts["source"]


def test_a_list_too_short_for_a_test_set_is_refused(listed):
    with pytest.raises(UsageError, match="test_size = 60 of them cannot be held out"):
        len(task_of(data=str(listed), test_size=60).train)


def test_images_of_test_mazes_leave_the_training_set(tmp_path, made):
    path = tmp_path / "mazes.txt"
    image = SHAPE.images.sources[5]
    path.write_text(
        "".join(f"{made.line(row)}\n" for row in [*made.train.inputs, *made.test.inputs[:, image]])
    )
    held = tmp_path / "held.csv"
    write_list(held, made, made.test, as_csv=True)
    task = task_of(data=str(path), test_data=str(held), train_size=1000)
    assert hashes(task.test) == hashes(made.test)
    assert hashes(task.train) == hashes(made.train)
    assert "20 that were have been left out" in task.facts["unseen"]


def test_a_dataset_folder_is_read_back(tmp_path, made):
    folder = tmp_path / "set"
    write_published(folder, made.train, made.test, vocab_size=6)
    task = task_of(data=str(folder))
    assert (task.train.inputs == made.train.inputs).all()
    assert (task.test.labels == made.test.labels).all()
    assert len(made.load(str(folder))) == 20


def test_a_folder_with_two_lists_is_a_data_set(tmp_path, made):
    for name, examples in (("train.csv", made.train), ("test.csv", made.test)):
        write_list(tmp_path / name, made, examples, as_csv=True)
    task = task_of(data=str(tmp_path))
    assert (task.train.inputs == made.train.inputs).all()
    assert (task.test.inputs == made.test.inputs).all()


def test_a_dataset_folder_with_a_wrong_answer_is_refused(tmp_path, made):
    folder = tmp_path / "set"
    write_published(folder, made.train, made.test, vocab_size=6)
    path = folder / "train" / "all__labels.npy"
    labels = np.load(path)
    labels[7] = made.train.inputs[7]
    np.save(path, labels)
    with pytest.raises(UsageError, match=r"row 7: the answer is no path"):
        len(task_of(data=str(folder)).train)


def test_uniqueness_can_be_asked_of_a_folder(tmp_path, made):
    folder = tmp_path / "set"
    write_published(folder, made.train, made.test, vocab_size=6)
    with pytest.raises(UsageError, match="more than one shortest path"):
        made.load(str(folder), check_unique=True)


def test_data_that_are_not_there_are_named():
    with pytest.raises(UsageError, match=r"\[task\] data: there is no gone.csv"):
        len(task_of(data="gone.csv").train)
    with pytest.raises(UsageError, match="cannot be read"):
        task_of().load("gone.csv")


def test_mazes_of_another_size_are_refused(listed):
    with pytest.raises(UsageError, match="line 2: the maze has 36 cells; a 5×6 maze has 30"):
        len(task_of(data=str(listed), rows=5).train)
