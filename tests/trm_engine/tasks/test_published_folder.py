import contextlib
import io
import json
import os
import tracemalloc

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.interop import dataset_writer
from trm_engine.interop.dataset_writer import write_published
from trm_engine.tasks import dataset_folder
from trm_engine.tasks.dataset_folder import is_published, read_published
from trm_engine.tasks.examples import Examples

TOKENS = {"seq_len": 3, "vocab_size": 5}
INPUTS = np.array([[1, 2, 1], [3, 1, 1], [1, 1, 4], [2, 1, 1], [1, 3, 1]])
LABELS = np.array([[2, 2, 3], [3, 4, 2], [0, 2, 4], [2, 3, 4], [4, 3, 2]])


def save_split(folder, **changes):
    """Write a split of two groups: puzzles of 1 and 2 examples in the first, of 2 in the second."""
    arrays = {
        "inputs": INPUTS,
        "labels": LABELS,
        "puzzle_identifiers": np.array([0, 2, 1], np.int32),
        "puzzle_indices": np.array([0, 1, 3, 5], np.int32),
        "group_indices": np.array([0, 2, 3], np.int32),
    }
    metadata = {
        "pad_id": 0,
        "ignore_label_id": 0,
        "blank_identifier_id": 0,
        "vocab_size": 5,
        "seq_len": 3,
        "num_puzzle_identifiers": 3,
        "total_groups": 2,
        "mean_puzzle_examples": 5 / 3,
        "total_puzzles": 3,
        "sets": ["all"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for field, array in arrays.items():
        np.save(folder / f"all__{field}.npy", changes.get(field, array))
    metadata.update({key: value for key, value in changes.items() if key in metadata})
    (folder / "dataset.json").write_text(json.dumps(metadata))
    return folder


def test_rows_names_and_groups_are_read(tmp_path):
    examples = read_published(save_split(tmp_path / "train"), **TOKENS).examples
    assert examples.inputs.tolist() == INPUTS.tolist()
    assert examples.labels.tolist() == LABELS.tolist()
    assert examples.puzzle_ids.tolist() == [0, 2, 2, 1, 1]
    assert examples.groups.tolist() == [0, 3, 5]


def test_a_description_without_total_puzzles_is_read(tmp_path):
    folder = save_split(tmp_path)
    metadata = json.loads((folder / "dataset.json").read_text())
    del metadata["total_puzzles"]
    (folder / "dataset.json").write_text(json.dumps(metadata))
    assert len(read_published(folder, **TOKENS).examples) == 5


def test_small_splits_are_held_as_8_bit_tokens(tmp_path):
    examples = read_published(save_split(tmp_path), **TOKENS).examples
    assert examples.inputs.dtype == examples.labels.dtype == np.uint8


def test_large_splits_stay_memory_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_folder, "IN_MEMORY_BYTES", 10)
    examples = read_published(save_split(tmp_path), **TOKENS).examples
    assert isinstance(examples.inputs, np.memmap)
    assert not examples.inputs.flags.writeable
    assert examples.inputs.tolist() == INPUTS.tolist()


def sparse(path, entries):
    """Write the header of an array of that many numbers, and a hole for them."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<i4", "fortran_order": False, "shape": (entries,)}
        )
        file.truncate(file.tell() + 4 * entries)


@pytest.mark.parametrize("field", ["puzzle_identifiers", "puzzle_indices", "group_indices"])
def test_an_array_of_more_entries_than_rows_is_refused_by_its_header(tmp_path, field):
    folder = save_split(tmp_path)
    sparse(folder / f"all__{field}.npy", 10**9)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match=rf"{field}.*has 1,000,000,000 entries; there are \d .* at most"):
            read_published(folder, **TOKENS)
        assert tracemalloc.get_traced_memory()[1] < 10**8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["dataset.json", "all__inputs.npy", "all__group_indices.npy"])
def test_a_pipe_in_a_folder_is_refused_without_waiting_for_it(tmp_path, name):
    folder = save_split(tmp_path)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(UsageError, match=rf"{name}: is not a regular file"):
        read_published(folder, **TOKENS)


def test_ignored_labels_may_be_minus_a_hundred(tmp_path):
    labels = np.where(LABELS == 0, -100, LABELS)
    examples = read_published(save_split(tmp_path, labels=labels, ignore_label_id=-100), **TOKENS).examples
    assert examples.labels.tolist() == LABELS.tolist()


def test_values_are_checked_in_every_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_folder, "_CHUNK_ROWS", 2)
    inputs = INPUTS.copy()
    inputs[4, 1] = 5
    calls = []
    with pytest.raises(UsageError, match=r"all__inputs\.npy: row 4, position 1 is 5, expected 0 … 4"):
        read_published(
            save_split(tmp_path, inputs=inputs), progress=lambda *call: calls.append(call), **TOKENS
        )
    assert calls == [("reading all__inputs.npy", 2, 5), ("reading all__inputs.npy", 4, 5)]


def test_several_sets_are_joined(tmp_path):
    folder = save_split(tmp_path, sets=["all", "more"], total_groups=4)
    for path in list(folder.glob("all__*.npy")):
        (folder / path.name.replace("all", "more")).write_bytes(path.read_bytes())
    examples = read_published(folder, **TOKENS).examples
    assert examples.inputs.tolist() == INPUTS.tolist() * 2
    assert examples.puzzle_ids.tolist() == [0, 2, 2, 1, 1] * 2
    assert examples.groups.tolist() == [0, 3, 5, 8, 10]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seq_len": 9}, "dataset.json: seq_len is 9, but the configured task has 3"),
        ({"vocab_size": 11}, "dataset.json: vocab_size is 11, but the configured task has 5"),
        ({"pad_id": 7}, "dataset.json: pad_id is 7, but the configured task has 0"),
        ({"ignore_label_id": 3}, "ignore_label_id is 3; it can be null, 0 or -100"),
        ({"total_groups": 5}, "total_groups is 5, but the arrays hold 2 groups"),
        ({"seq_len": "3"}, "dataset.json: seq_len: Input should be a valid integer"),
        ({"sets": []}, "dataset.json: sets: List should have at least 1 item"),
        ({"sets": ["../all"]}, 'dataset.json: sets: "../all" is not a set name'),
        ({"sets": ["none"]}, "none__inputs.npy: cannot be read"),
        ({"num_puzzle_identifiers": 2}, "puzzle_identifiers.npy: holds names outside 0 … 1"),
        ({"inputs": INPUTS.astype(float)}, "inputs.npy: holds float64, expected integers"),
        ({"inputs": INPUTS > 1}, "inputs.npy: holds bool, expected integers"),
        ({"inputs": INPUTS[0]}, "inputs.npy: has shape (3,), expected 2 dimensions"),
        (
            {"inputs": np.asfortranarray(INPUTS)},
            "inputs.npy: has shape (5, 3), expected 2 dimensions stored row by row",
        ),
        ({"inputs": INPUTS[:, :2]}, "inputs.npy: has shape (5, 2), expected rows of 3 (seq_len)"),
        ({"inputs": INPUTS - 2}, "inputs.npy: row 0, position 0 is -1, expected 0 … 4"),
        ({"labels": LABELS[:4]}, "labels.npy: has 4 rows for 5 rows of inputs"),
        ({"inputs": INPUTS[:0], "labels": LABELS[:0]}, "labels.npy: has 0 rows"),
        ({"labels": LABELS - 1}, "labels.npy: row 2, position 0 is -1, expected 0 … 4"),
        ({"labels": LABELS + 1}, "labels.npy: row 1, position 1 is 5, expected 0 … 4"),
        ({"ignore_label_id": None}, "labels.npy: row 2, position 0 is 0, expected 1 … 4"),
        ({"puzzle_indices": np.array([0, 1, 1, 5])}, "puzzle_indices.npy: must rise strictly from 0 to 5"),
        ({"puzzle_indices": np.array([0, 3, 1, 5])}, "puzzle_indices.npy: must rise"),
        ({"puzzle_indices": np.array([1, 2, 3, 5])}, "puzzle_indices.npy: must rise"),
        ({"puzzle_indices": np.array([0, 1, 3, 6])}, "puzzle_indices.npy: must rise"),
        ({"puzzle_indices": np.array([0, 5])}, "puzzle_indices.npy: bounds 1 puzzles; 3 have names"),
        ({"puzzle_indices": np.array([], np.int32)}, "puzzle_indices.npy: must rise"),
        (
            {"group_indices": np.array([0, 2, 4])},
            "group_indices.npy: must rise strictly from 0 to 3, the number of puzzles",
        ),
        ({"group_indices": np.array([[0, 3]])}, "group_indices.npy: has shape (1, 2), expected 1 dimensions"),
        ({"puzzle_identifiers": np.array([0, -1, 1])}, "puzzle_identifiers.npy: holds names outside"),
    ],
)
def test_a_split_that_does_not_fit_together_is_refused(tmp_path, changes, words):
    with pytest.raises(UsageError) as caught:
        read_published(save_split(tmp_path, **changes), **TOKENS)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def npy_with_header(header):
    data = io.BytesIO()
    data.write(b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header)
    data.write(bytes(64))
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset.json", None),
        ("dataset.json", b"{"),
        ("dataset.json", b"[" * 100_000),
        ("dataset.json", b"\xff\xfe"),
        ("dataset.json", b" " * (2**20 + 1)),
        ("all__inputs.npy", None),
        ("all__inputs.npy", b""),
        ("all__inputs.npy", b"not an array"),
        ("all__inputs.npy", b"\x93NUMPY\x01\x00"),
        (
            "all__inputs.npy",
            npy_with_header(b"{'descr': '<i8', 'fortran_order': False, 'shape': (9999, 3)}\n"),
        ),
        ("all__inputs.npy", npy_with_header(b"{'descr': '<i8', 'fortran_order': False, 'shape': (-1, 3)}\n")),
        (
            "all__inputs.npy",
            npy_with_header(b"{'descr': '<i8', 'fortran_order': False, 'shape': (9" + b"9" * 40 + b",)}\n"),
        ),
        ("all__inputs.npy", npy_with_header(b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}\n")),
        ("all__inputs.npy", npy_with_header(b"{'descr': '<i8', 'shape': (2, 3)}\n")),
        ("all__inputs.npy", npy_with_header(b"{" + b" " * 20_000 + b"}\n")),
        ("all__inputs.npy", npy_with_header(b"(((((\n")),
        ("all__labels.npy", b"PK\x03\x04 no archive"),
        ("all__group_indices.npy", b"\x80\x04K\x01."),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, name, content):
    folder = save_split(tmp_path)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_published(folder, **TOKENS)
    assert str(caught.value).startswith(str(folder / name))
    assert len(str(caught.value)) < 500


def test_every_single_byte_of_a_header_may_be_damaged_without_a_crash(tmp_path):
    folder = save_split(tmp_path)
    path = folder / "all__inputs.npy"
    sound = path.read_bytes()
    for position in range(128):
        for value in (0, 0x28, 0xFF):
            path.write_bytes(sound[:position] + bytes([value]) + sound[position + 1 :])
            with contextlib.suppress(UsageError):
                examples = read_published(folder, **TOKENS).examples
                assert examples.inputs.shape == (5, 3)


NAMES = ["<blank>", "first", "second"]


def written(folder, train, test=None, **changes):
    """Write a folder and read its training part back."""
    test = Examples.of(INPUTS[:2], LABELS[:2]) if test is None else test
    write_published(folder, train, test, **{"vocab_size": 5, "identifiers": NAMES, **changes})
    return read_published(folder / "train", **TOKENS)


def test_what_is_written_is_read_back(tmp_path):
    train = Examples(
        INPUTS, np.where(LABELS == 0, -100, LABELS), np.array([0, 1, 1, 2, 0]), np.array([0, 2, 5])
    )
    back = written(tmp_path / "new", train)
    assert back.examples.inputs.tolist() == INPUTS.tolist()
    assert back.examples.labels.tolist() == LABELS.tolist()
    assert back.examples.puzzle_ids.tolist() == [0, 1, 1, 2, 0]
    assert back.examples.groups.tolist() == [0, 2, 5]
    assert back.metadata.num_puzzle_identifiers == 3
    assert read_published(tmp_path / "new" / "test", **TOKENS).examples.groups.tolist() == [0, 1, 2]
    assert json.loads((tmp_path / "new" / "identifiers.json").read_text()) == NAMES


def test_rows_of_one_identifier_are_one_puzzle_within_a_group_and_rows_without_are_many(tmp_path):
    train = Examples(INPUTS, LABELS, np.array([1, 1, 1, 0, 0]), np.array([0, 2, 5]))
    assert written(tmp_path, train).examples.groups.tolist() == [0, 2, 5]
    folder = tmp_path / "train"
    assert np.load(folder / "all__puzzle_indices.npy").tolist() == [0, 2, 3, 4, 5]
    assert np.load(folder / "all__puzzle_identifiers.npy").tolist() == [1, 1, 0, 0]
    assert np.load(folder / "all__group_indices.npy").tolist() == [0, 1, 4]
    described = json.loads((folder / "dataset.json").read_text())
    assert (described["total_puzzles"], described["mean_puzzle_examples"]) == (4, 1.25)


def test_writing_goes_chunk_by_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_writer, "_CHUNK_ROWS", 2)
    calls = []
    back = written(tmp_path, Examples.of(INPUTS, LABELS), progress=lambda *call: calls.append(call))
    assert back.examples.inputs.tolist() == INPUTS.tolist()
    assert calls[:3] == [("writing train", 2, 5), ("writing train", 4, 5), ("writing train", 5, 5)]


def test_the_description_is_that_of_the_published_builder(tmp_path):
    written(tmp_path, Examples.of(INPUTS, LABELS))
    assert json.loads((tmp_path / "train" / "dataset.json").read_text()) == {
        "pad_id": 0,
        "ignore_label_id": 0,
        "blank_identifier_id": 0,
        "vocab_size": 5,
        "seq_len": 3,
        "num_puzzle_identifiers": 3,
        "total_groups": 5,
        "mean_puzzle_examples": 1.0,
        "total_puzzles": 5,
        "sets": ["all"],
    }


def test_test_puzzles_are_written_where_there_are_any(tmp_path):
    examples = Examples.of(INPUTS, LABELS)
    written(tmp_path / "without", examples)
    written(tmp_path / "with", examples, test_puzzles={"abc": {"train": [], "test": []}})
    assert not (tmp_path / "without" / "test_puzzles.json").exists()
    assert json.loads((tmp_path / "with" / "test_puzzles.json").read_text()) == {
        "abc": {"train": [], "test": []}
    }


def test_an_existing_split_is_not_overwritten(tmp_path):
    examples = Examples.of(INPUTS, LABELS)
    (tmp_path / "test").mkdir()
    with pytest.raises(UsageError, match="test: exists already"):
        written(tmp_path, examples)
    assert not (tmp_path / "train").exists()


def test_a_split_without_examples_is_not_written(tmp_path):
    examples = Examples.of(INPUTS, LABELS)
    with pytest.raises(UsageError, match="test: would be empty"):
        written(tmp_path, examples, examples.take(slice(0, 0)))
    assert not (tmp_path / "train").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: cannot be written"):
        written(tmp_path / "file", Examples.of(INPUTS, LABELS))


def test_a_folder_is_a_split_when_it_has_a_description(tmp_path):
    assert not is_published(tmp_path)
    assert not is_published(tmp_path / ("x" * 300))
    assert is_published(save_split(tmp_path / "train"))
