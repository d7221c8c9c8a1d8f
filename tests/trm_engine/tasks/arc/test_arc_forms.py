"""ARC folders as people have them: what is no task is passed over, what is left out is counted."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from arc_makers import FIRST, SAME, TURN, MakeTask, Raw, write

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.files import read_sets
from trm_engine.tasks.arc.grids import as_grid


def test_hidden_files_and_folders_are_no_tasks(folder: Path) -> None:
    (folder / "training" / "._turn.json").write_bytes(b"\x00\x05\x16\x07Mac OS X")
    (folder / ".DS_Store").write_bytes(b"\x00Bud1")
    (folder / "__MACOSX" / "training").mkdir(parents=True)
    (folder / "__MACOSX" / "training" / "._turn.json").write_bytes(b"\x00")
    (folder / ".git").mkdir()
    write(folder / ".git" / "odd.json", [])
    found = read_sets(str(folder))
    assert {name: sorted(tasks) for name, tasks in found.items()} == {
        "evaluation": ["first"],
        "training": ["same", "turn"],
    }
    assert found.notes == []


def challenges(tasks: dict[str, Raw]) -> dict[str, Raw]:
    bare = copy.deepcopy(tasks)
    for task in bare.values():
        for pair in task["test"]:
            del pair["output"]
    return bare


def test_one_file_of_kaggle_is_a_set_with_its_solutions(tmp_path: Path) -> None:
    path = write(tmp_path / "arc-agi_evaluation_challenges.json", challenges({"turn": TURN}))
    ((name, tasks),) = read_sets(str(path)).items()
    assert (name, tasks["turn"].test[0].output) == ("evaluation", None)
    write(tmp_path / "arc-agi_evaluation_solutions.json", {"turn": [[[7], [8], [0]]]})
    output = read_sets(str(path))["evaluation"]["turn"].test[0].output
    assert output is not None
    assert output.tolist() == [[7], [8], [0]]


def test_tasks_by_name_in_a_file_of_any_name_are_a_set(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.json", {"turn": TURN, "same": SAME})
    assert [sorted(tasks) for tasks in read_sets(str(path)).values()] == [["same", "turn"]]


@pytest.mark.parametrize("answers", [{"turn": [[[7]]]}, {"turn": [{"attempt_1": [[0]], "attempt_2": [[0]]}]}])
def test_a_file_of_answers_is_named_as_one(tmp_path: Path, answers: object) -> None:
    path = write(tmp_path / "sample_submission.json", answers)
    with pytest.raises(UsageError, match="holds answers by task, and no tasks: name the file of challenges"):
        read_sets(str(path))


@pytest.mark.parametrize("value", [[["1", "2"], ["3", "0"]], ["12", "30"], [["1", 2], "30"]])
def test_colours_may_be_written_as_text(value: object) -> None:
    assert as_grid(value).tolist() == [[1, 2], [3, 0]]


@pytest.mark.parametrize("value", [[["10"]], [["x"]], ["1x"], [[" "]]])
def test_text_that_is_no_colour_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="colours are 0 to 9"):
        as_grid(value)


def test_lists_of_pairs_are_trained_on_whole(folder: Path, make_task: MakeTask) -> None:
    pairs = [{"input": [[1, count % 9]], "output": [[count % 9, 1]]} for count in range(1, 200)]
    write(folder / "training" / "made.json", pairs)
    task = make_task(data=str(folder), size=4, augmentations=0)
    assert "3 tasks" not in task.facts["source"]
    assert task.facts["source"].startswith(f"Read from {folder}, 4 tasks")


def test_lists_of_pairs_alone_hold_nothing_out(tmp_path: Path, make_task: MakeTask) -> None:
    write(tmp_path / "re_arc" / "made.json", [{"input": [[1, 2]], "output": [[2, 1]]}] * 3)
    with pytest.raises(UsageError, match="holds out no test input: its tasks are lists of pairs"):
        _ = make_task(data=str(tmp_path / "re_arc"), size=4).facts


def test_a_task_with_an_untold_output_is_counted(folder: Path, make_task: MakeTask) -> None:
    untold = {**SAME, "test": [{"input": [[4, 5]], "output": None}]}
    write(folder / "training" / "untold.json", untold)
    told = make_task(data=str(folder), size=4).facts["source"]
    assert "3 tasks; 1 more left out, for want of a known test output" in told


def test_a_file_whose_name_is_no_word_is_passed_over_and_told(folder: Path, make_task: MakeTask) -> None:
    write(folder / "training" / "my task (1).json", SAME)
    told = make_task(data=str(folder), size=4).facts["source"]
    assert "1 file of training passed over, for the name is not a word (my task (1).json)" in told


def test_names_that_are_no_words_throughout_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "my task.json", SAME)
    with pytest.raises(UsageError, match=r"the name is not a word \(my task\.json\).*rename them"):
        read_sets(str(tmp_path))


def test_tasks_too_large_for_the_canvas_are_known_with_their_tests(folder: Path, make_task: MakeTask) -> None:
    large = {**FIRST, "test": [*FIRST["test"], {"input": [[1] * 9], "output": [[1] * 9]}]}
    write(folder / "evaluation" / "large.json", large)
    assert make_task(data=str(folder), size=4).too_large == {"large": 3}


def test_nothing_held_out_with_a_known_output_is_warned_of(folder: Path, make_task: MakeTask) -> None:
    for path in (folder / "evaluation").iterdir():
        path.unlink()
    asked = {**FIRST, "test": [{"input": [[9, 8], [7, 6]]}]}
    write(folder / "evaluation" / "asked.json", asked)
    (warning,) = make_task(data=str(folder), size=4).warnings
    assert warning.startswith("no held-out input has a known output: nothing is measured")


def test_what_is_not_measured_of_other_tasks_is_noted(
    folder: Path, tmp_path: Path, make_task: MakeTask
) -> None:
    write(tmp_path / "more" / "turn.json", TURN)
    write(tmp_path / "more" / "large.json", {**SAME, "test": [{"input": [[1] * 9], "output": [[1]]}]})
    write(tmp_path / "more" / "half.json", {**SAME, "test": [*SAME["test"], {"input": [[1]]}]})
    source = make_task(data=str(folder), size=4).load(str(tmp_path / "more"))
    assert source.notes == [
        "1 tasks do not fit 4×4: not measured",
        "1 test inputs have no known output: not measured",
    ]


def test_a_byte_order_mark_before_json_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "turn.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(TURN).encode())
    assert read_sets(str(tmp_path / "turn.json"))
