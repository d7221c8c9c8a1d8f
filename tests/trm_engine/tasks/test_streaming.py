"""Streamed epochs: every row once, shuffled in bounded memory, and resumable at any cursor."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from trm_engine.tasks.examples import Examples, Source, is_mapped
from trm_engine.tasks.sampler import Sampler
from trm_engine.tasks.streaming import WINDOW_BYTES, StreamingSampler, reading_decision, sampler_for
from trm_engine.tasks.subset import Selected, select

CELLS = 6
ROW_BYTES = 2 * CELLS + 4


class Watched(Source):
    """Rows that are numbered in their tokens; counts what is read, and in which pieces."""

    streamed = True

    def __init__(self, count, groups=None):
        self.count = count
        self.groups = groups
        self.reads = []

    def __len__(self):
        return self.count

    def take(self, rows):
        numbers = np.arange(self.count)[rows]
        self.reads.append(numbers)
        tokens = np.repeat(numbers[:, None] % 250, CELLS, axis=1).astype(np.uint8)
        return Examples(tokens, tokens, numbers.astype(np.int32))

    def content(self):
        return {"count": np.array([self.count])}


def stream(source, seed=0, rows_in_window=64):
    sampler = StreamingSampler(source, seed, window_bytes=rows_in_window * ROW_BYTES)
    source.reads.clear()
    return sampler


def drawn(sampler, *counts):
    return [row for count in counts for row in sampler.next(count).puzzle_ids.tolist()]


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 1000, 1027])
@pytest.mark.parametrize("rows_in_window", [1, 7, 64, 300, 5000])
def test_an_epoch_takes_every_row_once(count, rows_in_window):
    sampler = stream(Watched(count), rows_in_window=rows_in_window)
    for _ in range(2):
        assert sorted(drawn(sampler, count)) == list(range(count))


@pytest.mark.parametrize("batch", [1, 7, 64, 100, 1500])
def test_the_order_does_not_depend_on_the_batch(batch):
    together = drawn(stream(Watched(1000)), 3000)
    assert drawn(stream(Watched(1000)), *[batch] * (3000 // batch)) == together[: 3000 // batch * batch]


def test_rows_stay_whole():
    batch = stream(Watched(700)).next(300)
    assert (batch.inputs == batch.puzzle_ids[:, None] % 250).all()
    assert (batch.labels == batch.inputs).all()


def test_nothing_is_drawn_when_nothing_is_asked_for():
    assert len(stream(Watched(10)).next(0)) == 0


def test_epochs_differ_and_seeds_differ():
    sampler = stream(Watched(1000))
    first, second = drawn(sampler, 1000), drawn(sampler, 1000)
    assert first != second
    assert first != drawn(stream(Watched(1000), seed=1), 1000)
    assert first == drawn(stream(Watched(1000)), 1000)


def test_neighbours_in_the_file_are_apart_in_the_epoch():
    order = drawn(stream(Watched(4096), rows_in_window=512), 4096)
    neighbours = np.abs(np.diff(order)) == 1
    assert neighbours.mean() < 0.02
    # A window holds blocks from all over the file, so a batch does too.
    assert np.ptp(order[:64]) > 4096 / 2


def test_the_file_is_read_in_stretches_once_an_epoch():
    source = Watched(4096)
    drawn(stream(source, rows_in_window=512), 4096)
    assert sum(map(len, source.reads)) == 4096
    assert all((np.diff(numbers) == 1).all() for numbers in source.reads)
    assert len(source.reads) == 512


@pytest.mark.parametrize("rows_in_window", [1, 10, 64, 640])
def test_what_is_held_stays_within_the_window(rows_in_window):
    source = Watched(5000)
    sampler = stream(source, rows_in_window=rows_in_window)
    most = 0
    for _ in range(500):
        source.reads.clear()
        sampler.next(10)
        # Rows read for one batch: the windows that it touched.
        most = max(most, sum(map(len, source.reads)))
        assert sampler._held is not None
        assert len(sampler._held) <= rows_in_window
    assert most <= max(2 * rows_in_window, 10)


@pytest.mark.parametrize("cursor", [0, 1, 63, 64, 65, 500, 999, 1000, 1001, 1999, 2000, 2500])
def test_going_on_from_any_place_equals_never_having_stopped(cursor):
    whole = drawn(stream(Watched(1000)), 3000)
    before = stream(Watched(1000))
    drawn(before, cursor)
    state = json.loads(json.dumps(before.state()))
    after = stream(Watched(1000))
    after.restore(state)
    assert drawn(after, 3000 - cursor) == whole[cursor:]


def test_going_on_reads_one_window():
    source = Watched(10_000)
    sampler = stream(source, rows_in_window=256)
    sampler.restore({"epoch": 7, "cursor": 9_000})
    assert source.reads == []
    sampler.next(1)
    assert sum(map(len, source.reads)) <= 256


def test_an_undone_step_reads_nothing_again():
    source = Watched(1000)
    sampler = stream(source)
    sampler.next(5)
    state = sampler.state()
    first = drawn(sampler, 10)
    source.reads.clear()
    sampler.restore(state)
    assert drawn(sampler, 10) == first
    assert source.reads == []


@pytest.mark.parametrize(
    "state", [{"epoch": -1, "cursor": 0}, {"epoch": 0, "cursor": 11}, {"epoch": 0, "cursor": -1}]
)
def test_a_place_outside_the_data_is_refused(state):
    with pytest.raises(ValueError, match="outside the data's 10 rows"):
        stream(Watched(10)).restore(state)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no examples"):
        StreamingSampler(Watched(0), 0)


def test_an_epoch_takes_one_row_of_each_group():
    bounds = np.cumsum([0, *([3, 1, 5] * 50)])
    sampler = stream(Watched(int(bounds[-1]), bounds), rows_in_window=40)
    epochs = [np.sort(drawn(sampler, 150)) for _ in range(40)]
    for rows in epochs:
        assert (bounds[:-1] <= rows).all()
        assert (rows < bounds[1:]).all()
    # Over many epochs every row has its turn.
    assert len(np.unique(np.concatenate(epochs))) == bounds[-1]


@pytest.mark.parametrize("cursor", [0, 17, 40, 149, 151])
def test_groups_go_on_where_they_stopped(cursor):
    bounds = np.cumsum([0, *([3, 1, 5] * 50)])

    def fresh():
        return stream(Watched(int(bounds[-1]), bounds), rows_in_window=40)

    whole = drawn(fresh(), 400)
    before, after = fresh(), fresh()
    drawn(before, cursor)
    after.restore(before.state())
    assert drawn(after, 400 - cursor) == whole[cursor:]


def test_no_more_of_a_group_is_read_than_the_row_that_is_drawn():
    source = Watched(100_000, np.arange(0, 100_001, 1000))
    drawn(stream(source), 100)
    assert sum(map(len, source.reads)) == 100


class Endless(Source):
    """A thousand million rows of which only those asked for exist."""

    streamed = True

    def __len__(self):
        return 10**9

    def take(self, rows):
        numbers = np.arange(*rows.indices(len(self)))
        tokens = np.zeros((len(numbers), 256), np.uint8)
        return Examples(tokens, tokens, numbers.astype(np.int32))

    def content(self):
        return {"count": np.array([len(self)])}


def test_memory_does_not_grow_with_the_number_of_rows():
    source = Endless()
    tracemalloc.start()
    try:
        sampler = StreamingSampler(source, 0)
        sampler.restore({"epoch": 3, "cursor": 999_999_000})
        rows = sampler.next(2000).puzzle_ids
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(np.unique(rows)) == 2000
    # Beside the window: the order of its rows and of half a million blocks, not of 10⁹ rows (8 GB).
    assert peak < 1.5 * WINDOW_BYTES


def mapped_examples(tmp_path, count):
    rows = np.arange(count * CELLS, dtype=np.int32).reshape(count, CELLS)
    np.save(tmp_path / "rows.npy", rows)
    tokens = np.load(tmp_path / "rows.npy", mmap_mode="r")
    return Examples(tokens, tokens, np.zeros(count, np.int32))


def test_what_is_in_a_file_is_streamed_and_what_is_in_memory_is_not(tmp_path):
    examples = mapped_examples(tmp_path, 100)
    held = examples.take(slice(None))
    assert (examples.streamed, held.streamed) == (True, False)
    assert isinstance(sampler_for(examples, 0), StreamingSampler)
    assert isinstance(sampler_for(held, 0), Sampler)
    assert not is_mapped(held.inputs)


def test_a_mapped_file_gives_the_same_rows_as_memory(tmp_path):
    examples = mapped_examples(tmp_path, 1000)
    held = examples.take(slice(None))
    for rows in (slice(3, 700), np.array([5, 900, 7, 7])):
        assert (examples.take(rows).inputs == held.take(rows).inputs).all()


def test_a_selection_is_a_source_of_its_own(tmp_path):
    examples = mapped_examples(tmp_path, 1000)
    rows = np.arange(0, 1000, 3)
    few = select(examples, rows)
    many = select(examples, rows, most_bytes=1000)
    assert (few.streamed, many.streamed) == (False, True)
    assert isinstance(many, Selected)
    assert len(many) == len(few) == 334
    assert (many.take(slice(100, 120)).inputs == few.take(slice(100, 120)).inputs).all()
    assert many.content()["rows"] is rows


def test_how_the_data_are_read_is_said(tmp_path):
    streamed = mapped_examples(tmp_path, 10)
    assert "shuffled within 67.1 MB, no workers" in str(reading_decision(streamed))
    assert "in memory, loaded in the training thread" in str(reading_decision(streamed.head(3)))
