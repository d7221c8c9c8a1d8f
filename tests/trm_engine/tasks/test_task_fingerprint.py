from types import SimpleNamespace

import numpy as np
import pytest

from trm_engine.tasks import fingerprint as module
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.fingerprint import fingerprint

NUMBERS = np.arange(60, dtype=np.uint8).reshape(20, 3)


def of(inputs=NUMBERS, labels=NUMBERS + 1, ids=None, groups=None, test=NUMBERS):
    ids = np.zeros(len(inputs), np.int32) if ids is None else ids
    return fingerprint(
        SimpleNamespace(train=Examples(inputs, labels, ids, groups), test=Examples.of(test, test))
    )


def changed(array, index):
    copy = array.copy()
    copy[index] += 1
    return copy


def test_the_same_data_has_the_same_name():
    assert of() == of(NUMBERS.copy())
    assert of().keys() == {"train", "test"}
    assert all(len(name) == 64 for name in of().values())


@pytest.mark.parametrize("index", [(0, 0), (11, 2), (19, 2)])
def test_one_changed_token_changes_the_name_of_its_part_only(index):
    assert of(inputs=changed(NUMBERS, index))["train"] != of()["train"]
    assert of(labels=changed(NUMBERS + 1, index))["train"] != of()["train"]
    assert of(test=changed(NUMBERS, index))["train"] == of()["train"]
    assert of(test=changed(NUMBERS, index))["test"] != of()["test"]


@pytest.mark.parametrize(
    "other",
    [
        {"ids": np.ones(20, np.int32)},
        {"groups": np.arange(21)},
        {"groups": np.array([0, 20])},
        {"inputs": NUMBERS[:19], "labels": NUMBERS[:19] + 1},
        {
            "inputs": NUMBERS.reshape(10, 6),
            "labels": (NUMBERS + 1).reshape(10, 6),
            "ids": np.zeros(20, np.int32),
        },
        {"inputs": NUMBERS.astype(np.int64)},
    ],
    ids=["identifiers", "groups", "one group", "fewer rows", "another shape", "another type"],
)
def test_all_that_describes_the_examples_counts(other):
    assert of(**other)["train"] != of()["train"]


def test_the_order_of_bytes_in_a_file_does_not_count():
    assert of(NUMBERS.astype(">i4"))["train"] == of(NUMBERS.astype("<i4"))["train"]


def test_a_memory_mapped_array_has_the_name_of_its_content(tmp_path):
    np.save(tmp_path / "inputs.npy", NUMBERS)
    assert of(np.load(tmp_path / "inputs.npy", mmap_mode="r")) == of()


def test_small_arrays_are_hashed_whole_in_chunks(monkeypatch):
    whole = of()
    monkeypatch.setattr(module, "_CHUNK_BYTES", 7)
    assert of() == whole


def test_of_a_large_array_only_blocks_are_read_from_first_row_to_last(monkeypatch):
    monkeypatch.setattr(module, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 30)
    monkeypatch.setattr(module, "_BLOCKS", 4)
    large = np.arange(3000, dtype=np.uint8).reshape(1000, 3)
    names = {row: of(inputs=changed(large, (row, 0)))["train"] for row in (0, 9, 500, 990, 999)}
    same = of(inputs=large)["train"]
    assert [row for row, name in names.items() if name != same] == [0, 9, 990, 999]
