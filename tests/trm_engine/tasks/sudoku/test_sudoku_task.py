import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.interop.dataset_writer import write_published
from trm_engine.tasks import build_task
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits

FOUR = Geometry(2, 2)
SMALL = {"clues_max": 10, "train_size": 60, "test_size": 20}


def task_of(**settings):
    return build_task(SudokuConfig(**{**SMALL, **settings}))


def hashes(examples, geometry=FOUR):
    return symmetry_hashes(geometry, to_digits(examples.inputs), to_digits(examples.labels))


def as_list(examples):
    return "".join("".join(".1234"[d] for d in row) + "\n" for row in to_digits(examples.inputs))


@pytest.fixture(scope="module")
def generated():
    return task_of()


@pytest.fixture
def puzzle_list(tmp_path, generated):
    path = tmp_path / "puzzles.txt"
    path.write_text(as_list(generated.train))
    return path


def test_the_task_has_the_sizes_its_configuration_says(generated):
    assert (len(generated.train), len(generated.test)) == (60, 20)
    assert (generated.seq_len, generated.vocab_size, generated.num_puzzle_ids) == (16, 6, 1)
    assert generated.train.inputs.shape == generated.train.labels.shape == (60, 16)


def test_every_label_solves_its_puzzle(generated):
    for examples in (generated.train, generated.test):
        for puzzle, label in zip(examples.inputs, examples.labels, strict=True):
            assert generated.check(puzzle, label).solved


@pytest.mark.parametrize(("shape", "clues", "clues_max"), [((2, 2), 0, 10), ((2, 3), 0, 0), ((3, 3), 40, 0)])
def test_no_two_generated_puzzles_are_equivalent(shape, clues, clues_max):
    task = task_of(box_rows=shape[0], box_cols=shape[1], clues=clues, clues_max=clues_max)
    every = np.concatenate([hashes(part, Geometry(*shape)) for part in (task.train, task.test)])
    assert len(np.unique(every)) == 80


def test_four_by_four_has_a_thousand_and_five_hundred_inequivalent_puzzles():
    task = task_of(train_size=1000, test_size=500)
    assert len({*hashes(task.train), *hashes(task.test)}) == 1500


def test_the_seed_decides_the_puzzles(generated):
    assert (task_of().train.inputs == generated.train.inputs).all()
    assert (task_of(seed=1).train.inputs != generated.train.inputs).any()


def test_nothing_is_generated_before_it_is_needed():
    calls = []
    task = build_task(SudokuConfig(**SMALL), lambda *call: calls.append(call))
    task.parse("." * 16)
    assert not calls
    assert len(task.train) == 60
    assert calls[-1] == ("generating puzzles", 80, 80)


def test_facts_are_sentences_about_the_data(generated):
    assert generated.facts.keys() == {"source", "training", "test", "unseen"}
    assert "seed 0" in generated.facts["source"]
    assert "60 puzzles, with 4 to 10 clues" in generated.facts["training"]
    assert "only two solution grids" in generated.facts["unseen"]


def test_augmented_rows_are_other_puzzles_that_their_labels_solve(generated):
    image = generated.augment(generated.train, np.random.default_rng(0))
    assert (image.inputs != generated.train.inputs).any()
    assert (hashes(image) == hashes(generated.train)).all()
    assert all(generated.check(p, a).solved for p, a in zip(image.inputs, image.labels, strict=True))


def test_what_the_task_draws_it_reads_back(generated):
    tokens = generated.test.inputs[3]
    assert generated.parse(generated.render(tokens)).tolist() == tokens.tolist()


def test_augmentation_can_be_switched_off():
    task = task_of(augment=False)
    assert task.augment(task.train, np.random.default_rng(0)) is task.train


def test_a_list_gives_training_and_held_out_puzzles(puzzle_list):
    task = task_of(data=str(puzzle_list), train_size=30, test_size=12)
    assert (len(task.train), len(task.test)) == (30, 12)
    assert not set(hashes(task.train)) & set(hashes(task.test))
    assert "12 puzzles set aside" in task.facts["source"]


def test_training_puzzles_equivalent_to_the_test_list_are_dropped_and_said(tmp_path, generated, puzzle_list):
    tests = tmp_path / "tests.txt"
    tests.write_text(as_list(generated.augment(generated.train.head(5), np.random.default_rng(1))))
    task = task_of(data=str(puzzle_list), test_data=str(tests))
    assert (len(task.train), len(task.test)) == (55, 5)
    assert "5 that were have been left out" in task.facts["unseen"]


def test_a_test_list_that_covers_all_training_puzzles_is_refused(puzzle_list):
    task = task_of(data=str(puzzle_list), test_data=str(puzzle_list), test_size=100)
    with pytest.raises(UsageError, match=r"task\.data: every puzzle is an image of a test puzzle"):
        _ = task.train


@pytest.fixture
def folder(tmp_path, generated):
    grouped = Examples(
        generated.train.inputs.astype(np.int64),
        generated.train.labels.astype(np.int64),
        np.zeros(60, np.int32),
        np.arange(0, 61, 2),
    )
    write_published(tmp_path / "set", grouped, generated.test, vocab_size=6)
    return tmp_path / "set"


def test_a_dataset_folder_gives_both_its_splits(folder, generated):
    task = task_of(data=str(folder))
    assert (task.train.inputs == generated.train.inputs).all()
    assert task.train.groups.tolist() == list(range(0, 61, 2))
    assert (task.test.inputs == generated.test.inputs).all()
    assert "30 puzzles, given in 60 images" in task.facts["training"]


def test_a_split_alone_sets_puzzles_aside(folder):
    task = task_of(data=str(folder / "train"), test_size=10)
    assert len(task.test) == 10
    assert len(task.train.groups) - 1 == 20


def test_train_size_limits_the_groups_of_a_folder(folder):
    task = task_of(data=str(folder), train_size=7)
    assert task.train.groups.tolist() == list(range(0, 15, 2))


@pytest.mark.parametrize("path", ["missing.txt", "x" * 300, "a\0b"])
def test_loading_what_is_not_there_is_refused(tmp_path, monkeypatch, generated, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        generated.load(path)


def test_load_reads_lists_folders_and_splits(puzzle_list, folder, generated):
    for path, expected in (
        (puzzle_list, generated.train),
        (folder, generated.test),
        (folder / "train", generated.train),
    ):
        loaded = generated.load(str(path))
        assert (loaded.inputs == expected.inputs).all()
        assert (loaded.labels == expected.labels).all()


def test_a_folder_whose_labels_break_the_rules_is_refused(folder):
    labels = np.load(folder / "train" / "all__labels.npy")
    labels[17] = np.roll(labels[17], 1)
    np.save(folder / "train" / "all__labels.npy", labels)
    with pytest.raises(UsageError, match=r"train, row 17: the solution"):
        _ = task_of(data=str(folder)).train


@pytest.mark.parametrize(("field", "value"), [("inputs", 0), ("labels", 0), ("labels", 1)])
def test_a_folder_with_a_puzzle_that_lacks_cells_or_a_solution_is_refused(folder, field, value):
    path = folder / "train" / f"all__{field}.npy"
    rows = np.load(path)
    rows[4] = value
    np.save(path, rows)
    with pytest.raises(UsageError, match=r"train, row 4: it lacks cells or has no solution"):
        _ = task_of(data=str(folder)).train


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("missing.txt", "[task] data: there is no missing.txt"),
        ("x" * 300, "[task] data: there is no xxx"),
        ("a\0b", "[task] data: there is no ab"),
        ("~no-such-user/x", "~no-such-user/x"),
        (".", "dataset.json: cannot be read"),
    ],
)
def test_data_that_is_not_there_is_refused(tmp_path, monkeypatch, data, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        _ = task_of(data=data).train
    assert words in str(caught.value)


def test_too_few_inequivalent_puzzles_are_refused():
    with pytest.raises(UsageError, match=r"task\.train_size \+ task\.test_size asks for 1500"):
        _ = task_of(clues_max=0, train_size=1000, test_size=500).train


def test_smaller_training_sets_of_one_pool_are_part_of_larger_ones_with_the_same_test():
    small, large = task_of(train_size=15, train_pool=60), task_of(train_size=40, train_pool=60)
    assert (small.train.inputs == large.train.inputs[:15]).all()
    assert (small.test.inputs == large.test.inputs).all()
    whole = task_of(train_size=60)
    assert (whole.train.inputs == task_of(train_size=60, train_pool=60).train.inputs).all()
