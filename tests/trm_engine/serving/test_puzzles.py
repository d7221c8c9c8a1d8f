"""What an asker may send: text, rows of cells, or an ARC task with its demonstrations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.serving.examples import EXAMPLES
from trm_engine.serving.puzzles import (
    Asked,
    UnknownTaskError,
    parsed,
    question_of,
    recognise,
    task_of,
    text_of_grid,
)
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.base import ContradictionError
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.sudoku.config import SudokuConfig


def test_a_grid_reads_as_its_text() -> None:
    task = task_of(SudokuConfig())
    rows = [[1, 0, 0, 4], [0, 0, 0, 0], [0, 0, 4, 0], [0, 2, 3, 0]]
    by_rows = question_of(task, Asked(grid=rows)).puzzle
    assert (by_rows == question_of(task, Asked(text="1..4......4..23.")).puzzle).all()
    assert text_of_grid([[10, 16]]) == "AG"


@pytest.mark.parametrize("cell", [17, -1, "", "ab"])
def test_a_cell_that_is_none_is_refused(cell) -> None:
    with pytest.raises(UsageError, match="cell of the grid"):
        text_of_grid([[cell]])


def test_a_path_is_read_as_an_answer_to_a_maze() -> None:
    task = build_puzzles(MazeConfig(rows=2, cols=4, min_path=4))
    asked = question_of(task, Asked(text="S.#.\n..G.", truth="S.#.\nooG."))
    assert asked.truth is not None
    assert (asked.truth == 5).sum() == 2
    assert (asked.puzzle == 5).sum() == 0
    with pytest.raises(UsageError, match="to compare with"):
        question_of(task, Asked(text="S.#.\n..G.", truth="S"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_an_example_is_recognised_and_its_solution_right(example) -> None:
    if example["kind"] == "arc":
        kind, _ = recognise(Asked(arc=example["task"]))
        assert kind == "arc"
        return
    asked = Asked(text=str(example["puzzle"]))
    kind, task = recognise(asked)
    puzzle = parsed(task, asked)
    assert kind == example["kind"]
    assert len(task.grid(puzzle)) == example["rows"]
    assert list(task.box) == example["box"]
    answer = task.parse_answer(str(example["solution"]))
    assert task.check(puzzle, answer).solved
    if example["kind"] == "sudoku" and example["rows"] < 16:
        assert task.count_solutions(puzzle) == 1


def test_there_are_five_examples_of_each_kind() -> None:
    for kind in ("sudoku", "maze", "arc"):
        assert sum(example["kind"] == kind for example in EXAMPLES) >= 5


def test_what_is_nearly_a_puzzle_is_told_by_the_nearest_size() -> None:
    for text, said in (
        ("1..4......4..23", "15 cells; a 4×4 grid has 16"),
        ("11.4......4..23.", "appears 2 times in row 1"),
    ):
        kind, task = recognise(Asked(text=text))
        assert kind == "sudoku"
        with pytest.raises(UsageError, match=said):
            parsed(task, Asked(text=text))


@pytest.mark.parametrize(
    ("text", "kind", "cells", "said"),
    [
        ("11.4......4..23.", "sudoku", (0, 1), "appears 2 times"),
        ("S#..\n##..\n....\n...G", "maze", (0, 15), "no path"),
        ("S...\n....\n..S.\n...G", "maze", (0, 10), "2 cells that are a start"),
    ],
)
def test_a_grid_that_breaks_a_rule_is_read_with_its_faults(text, kind, cells, said) -> None:
    found, task = recognise(Asked(text=text))
    assert found == kind
    with pytest.raises(ContradictionError, match=said) as met:
        parsed(task, Asked(text=text))
    assert met.value.faults[0].cells == cells
    assert len(met.value.puzzle) == 16


@pytest.fixture
def arc(tmp_path: Path):
    tasks = {
        example["id"].removeprefix("arc-"): example["task"]
        for example in EXAMPLES
        if example["kind"] == "arc"
    }
    for part in ("training", "evaluation"):
        (tmp_path / part).mkdir()
    names = sorted(tasks)
    for number, name in enumerate(names):
        folder = tmp_path / ("evaluation" if number == 0 else "training")
        (folder / f"{name}.json").write_text(json.dumps(tasks[name]))
    return build_puzzles(ArcConfig(data=str(tmp_path), size=10, augmentations=2)), names, tasks


def test_an_arc_task_that_was_learned_is_known_by_its_demonstrations(arc) -> None:
    task, names, tasks = arc
    question = question_of(task, Asked(arc=tasks[names[1]]))
    assert question.puzzle_id > 0
    assert question.truth is not None
    assert task.name_of is not None
    assert task.task_json(names[0]) == tasks[names[0]]
    assert task.task_json("nothing") is None


def test_an_arc_task_that_was_not_learned_is_refused_unless_asked_for(arc) -> None:
    task, _, tasks = arc
    other = json.loads(json.dumps(next(iter(tasks.values()))))
    other["train"][0]["input"][0][0] = 9 - other["train"][0]["input"][0][0]
    with pytest.raises(UnknownTaskError):
        question_of(task, Asked(arc=other))
    assert question_of(task, Asked(arc=other, allow_unknown=True)).puzzle_id == 0
    with pytest.raises(UsageError, match="numbered from 0"):
        question_of(task, Asked(arc=next(iter(tasks.values())), test=7))
    with pytest.raises(UsageError, match="another kind"):
        question_of(task_of(SudokuConfig()), Asked(arc=other))
