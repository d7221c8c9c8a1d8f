"""ARC read from a published dataset folder: rows as the published builder shifts them, images in the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arc_makers import FIRST, TURN, MakeTask, write

from trm_engine.errors import UsageError
from trm_engine.interop.dataset_writer import write_published
from trm_engine.tasks import dataset_folder
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.tasks.sampler import Sampler

IMAGES = 20
Made = Callable[..., Path]


def whole(task: ArcTask) -> Examples:
    return task.train.take(slice(None))


def same(a: Examples, b: Examples) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("inputs", "labels", "puzzle_ids")
    )


def read(folder: Path, **settings: object) -> ArcTask:
    return ArcTask(ArcConfig(**{"data": str(folder), "size": 5, "augmentations": IMAGES, **settings}))


def change(path: Path, edit: Callable[[list[str]], object]) -> None:
    """Rewrite a JSON file: `edit` changes what it holds, or returns what it shall hold."""
    value = json.loads(path.read_text())
    edited = edit(value)
    path.write_text(json.dumps(value if edited is None else edited))


@pytest.fixture
def task(make_task: MakeTask) -> ArcTask:
    return make_task(augmentations=IMAGES)


@pytest.fixture
def made(task: ArcTask, tmp_path: Path) -> Made:
    """Write the task as the published builder does, with training rows added at the end of the last group."""

    def make(*, more: Examples | None = None, test: Examples | None = None, name: str = "made") -> Path:
        rows = task.augment(whole(task), np.random.default_rng(0))
        groups = np.array(task.train.groups)
        if more is not None:
            pairs = zip(vars(rows).values(), vars(more).values(), strict=True)
            rows = Examples(*(np.concatenate(pair) for pair in list(pairs)[:3]))
            groups[-1] += len(more)
        asked = task.ballots(IMAGES + 1).take(slice(None)) if test is None else test
        write_published(
            tmp_path / name,
            Examples(rows.inputs, rows.labels, rows.puzzle_ids, groups),
            asked,
            vocab_size=task.vocab_size,
            identifiers=task.identifiers,
            test_puzzles=task.test_puzzles,
        )
        return tmp_path / name

    return make


# --- what is read -------------------------------------------------------------------------------------------


def test_training_rows_are_those_of_the_tasks_moved_to_the_corner(task: ArcTask, made: Made) -> None:
    again = read(made())
    assert same(whole(again), whole(task))
    assert again.train.groups is not None
    assert again.train.groups.tolist() == task.train.groups.tolist()


def test_the_test_has_the_originals_of_its_rows(task: ArcTask, made: Made) -> None:
    assert same(read(made()).test.take(slice(None)), task.test.take(slice(None)))


def test_identifiers_keep_their_names_and_images(task: ArcTask, made: Made) -> None:
    again = read(made())
    assert again.identifiers == task.identifiers
    assert again.num_puzzle_ids == task.num_puzzle_ids
    row = whole(task).take(np.array([30]))
    name = int(row.puzzle_ids[0])
    assert again.restore(row.inputs[0], name).tolist() == task.restore(row.inputs[0], name).tolist()


def test_votes_are_asked_for_as_of_the_tasks_themselves(task: ArcTask, made: Made) -> None:
    again = read(made())
    assert [query.task for query in again.queries] == ["first", "first"]
    assert same(again.ballots(99).take(slice(None)), task.ballots(99).take(slice(None)))
    assert again.test_puzzles == task.test_puzzles == {"first": FIRST}


def test_without_test_puzzles_the_rows_tell_them(task: ArcTask, made: Made) -> None:
    folder = made()
    (folder / "test_puzzles.json").unlink()
    again = read(folder)
    assert same(again.ballots(99).take(slice(None)), task.ballots(99).take(slice(None)))
    assert again.test_puzzles == {"first": FIRST}


def test_inputs_without_outputs_are_asked_but_not_scored(made: Made) -> None:
    folder = made()
    more = {**FIRST, "test": [*FIRST["test"], {"input": [[3, 3]]}]}
    write(folder / "test_puzzles.json", {"first": more})
    again = read(folder)
    assert [query.output is None for query in again.queries] == [False, False, True]
    assert len(again.test) == 2
    assert "1 more have no known output" in again.facts["test"]


def test_rows_with_a_held_out_input_are_left_out_whatever_their_image(task: ArcTask, made: Made) -> None:
    leak = task.ballots(IMAGES + 1).take(slice(3, 5))
    asked = [query.input.tolist() for query in task.queries]
    assert task.restore(leak.inputs[0], int(leak.puzzle_ids[0])).tolist() in asked
    again = read(made(more=leak))
    assert same(whole(again), whole(task))
    assert again.train.groups is not None
    assert again.train.groups.tolist() == task.train.groups.tolist()
    assert "; 2 that had have been left out" in again.facts["unseen"]
    assert fingerprint(again) != fingerprint(read(made(name="clean")))


def test_a_task_all_of_whose_rows_are_left_out_is_no_group(task: ArcTask, made: Made) -> None:
    ids = whole(task).puzzle_ids
    last = np.flatnonzero(ids > 42)  # of `first`: its demonstration now stands in the test too
    folder = made(test=task.train.take(last[:1]))
    (folder / "test_puzzles.json").unlink()
    again = read(folder)
    assert again.train.groups is not None
    assert len(again.train.groups) == len(task.train.groups) - 1
    again.augment(Sampler(again.train, 0).next(20), np.random.default_rng(0))


def test_training_shifts_the_rows_as_of_the_tasks_themselves(task: ArcTask, made: Made) -> None:
    rows = whole(task)
    shifted, again = (one.augment(rows, np.random.default_rng(4)) for one in (task, read(made())))
    assert same(shifted, again)
    assert not same(shifted, rows)


def test_rows_too_many_for_memory_stay_in_their_files(
    task: ArcTask, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_folder, "IN_MEMORY_BYTES", 0)
    again = read(made())
    assert again.train.streamed
    assert same(whole(again), whole(task))


def test_the_facts_tell_the_folder_and_its_counts(made: Made) -> None:
    facts = read(made()).facts
    assert set(facts) == {"source", "training", "test", "unseen"}
    assert facts["source"].endswith("made, 3 tasks")
    assert "in 63 images" in facts["training"]


# --- questions ----------------------------------------------------------------------------------------------


def test_questions_are_asked_by_task(made: Made) -> None:
    again = read(made())
    assert again.line(again.parse("task:first#2")) == "225/161"
    assert again.line(again.parse("task:turn 12")) == "12"
    assert again.puzzle_id_of("task:turn 12") == again.identifiers.index("turn")
    with pytest.raises(UsageError, match="all pairs of task turn are trained on"):
        again.parse("task:turn")


def test_a_folder_is_loaded_for_evaluation_with_identifiers_by_name(
    task: ArcTask, made: Made, tmp_path: Path
) -> None:
    folder = made()
    for path in (folder, folder / "test"):
        assert same(task.load(str(path)).take(slice(None)), task.test.take(slice(None)))
    write(tmp_path / "other" / "turn.json", TURN)
    other = ArcTask(ArcConfig(data=str(tmp_path / "other"), size=5, augmentations=2))
    assert other.load(str(folder)).take(slice(None)).puzzle_ids.tolist() == [0, 0]


# --- what is refused ----------------------------------------------------------------------------------------


def swap(names: list[str]) -> None:
    names[2], names[30] = names[30], names[2]


def recolour(names: list[str]) -> None:
    names[2] = names[2][:-1] + names[2][-2]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda names: {"names": names}, 'identifiers.json: must be a list of names, "<blank>" first'),
        (lambda names: names[1:], 'identifiers.json: must be a list of names, "<blank>" first'),
        (lambda names: [*names, "more"], "has 64 puzzle identifiers, and identifiers.json names 65"),
        (swap, "does not follow its task, whose image it is"),
        (recolour, "gives two colours the same one"),
        (lambda names: [*names[:-1], "same"], "identifiers.json: has a task twice"),
        (lambda names: [*names[:-1], "../x"], '"../x" is not a task name'),
        (lambda names: [*names[:-1], None], "identifiers.json: number 63 is not text"),
    ],
)
def test_identifiers_that_do_not_fit_are_refused(
    made: Made, edit: Callable[[list[str]], object], said: str
) -> None:
    folder = made()
    change(folder / "identifiers.json", edit)
    with pytest.raises(UsageError) as caught:
        _ = read(folder).train
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("puzzles", "said"),
    [
        ([], "test_puzzles.json: must be an object with tasks by name"),
        ({"first": 3}, 'test_puzzles.json: task first: must be an object with "train" and "test"'),
        ({"last": FIRST}, "test_puzzles.json: task last has no puzzle identifier in identifiers.json"),
        ({"turn": TURN}, "task first lacks a test pair that the test part of the folder has"),
        ({"first": TURN}, "task first lacks a test pair that the test part of the folder has"),
        ({"first": {**FIRST, "train": [{"input": [[1]], "output": [[1] * 6]}]}}, "a grid larger than 5×5"),
    ],
)
def test_test_puzzles_that_do_not_fit_are_refused(made: Made, puzzles: object, said: str) -> None:
    folder = made()
    write(folder / "test_puzzles.json", puzzles)
    with pytest.raises(UsageError) as caught:
        _ = read(folder).train
    assert said in str(caught.value)


def test_a_folder_without_identifiers_is_refused(made: Made) -> None:
    folder = made()
    (folder / "identifiers.json").unlink()
    with pytest.raises(UsageError, match=r"identifiers\.json: cannot be read"):
        _ = read(folder).train


def test_rows_that_are_no_grids_or_of_no_task_are_refused(task: ArcTask, made: Made) -> None:
    row = whole(task).take(np.array([0]))
    count = len(task.train)
    torn = Examples(row.inputs, row.labels[:, ::-1], row.puzzle_ids)
    with pytest.raises(UsageError, match=f"train: row {count}: its label is not a grid"):
        _ = read(made(more=torn, name="torn")).train
    nameless = Examples(row.inputs, row.labels, row.puzzle_ids * 0)
    with pytest.raises(UsageError, match=f"train: row {count} has the blank identifier"):
        _ = read(made(more=nameless, name="nameless")).train


def test_a_test_of_images_only_is_refused(task: ArcTask, made: Made) -> None:
    images = task.ballots(IMAGES + 1).take(np.array([1, 2]))
    with pytest.raises(UsageError, match="test: has images only"):
        _ = read(made(test=images)).test


def test_one_part_of_a_folder_is_refused(made: Made) -> None:
    with pytest.raises(UsageError, match="is one part of a dataset folder"):
        _ = read(made() / "train").train


def test_a_folder_of_another_canvas_is_refused(made: Made) -> None:
    with pytest.raises(UsageError, match="seq_len is 25, but the configured task has 36"):
        _ = read(made(), size=6).train


def test_more_identifiers_than_the_settings_allow_for_are_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made()
    monkeypatch.setattr(ArcConfig, "most_tasks", 3)
    assert read(folder).num_puzzle_ids == 64
    with pytest.raises(
        UsageError, match="has 64 puzzle identifiers, and 19 images of each task allow for 61"
    ):
        _ = read(folder, augmentations=19).train
