import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.tasks.examples import Examples
from trm_engine.tasks.sampler import Sampler

ROWS = 23
BOUNDS = np.array([0, 1, 4, 5, 11, 23], np.int32)


def examples(groups=None, rows=ROWS):
    numbers = np.arange(rows)
    return Examples(numbers[:, None], numbers[:, None] + 100, numbers + 200, groups)


def rows_of(batch):
    assert (batch.labels == batch.inputs + 100).all()
    assert (batch.puzzle_ids == batch.inputs[:, 0] + 200).all()
    return batch.inputs[:, 0].tolist()


def test_an_epoch_takes_every_row_once_in_shuffled_order():
    sampler = Sampler(examples(), 0)
    first, second = rows_of(sampler.next(ROWS)), rows_of(sampler.next(ROWS))
    assert sorted(first) == sorted(second) == list(range(ROWS))
    assert first != second
    assert first != list(range(ROWS))


def test_an_epoch_takes_one_row_of_each_group():
    sampler = Sampler(examples(BOUNDS), 0)
    for _ in range(20):
        groups = np.searchsorted(BOUNDS, rows_of(sampler.next(5)), side="right") - 1
        assert sorted(groups) == [0, 1, 2, 3, 4]


def test_every_row_of_a_group_is_drawn_equally_often():
    taken = rows_of(Sampler(examples(BOUNDS), 0).next(5 * 2400))
    times = np.bincount(taken, minlength=ROWS)
    for first, last in itertools.pairwise(BOUNDS):
        share = times[first:last] / 2400
        assert share == pytest.approx(1 / (last - first), rel=0.25)


def test_a_batch_may_cross_several_epochs():
    rows = rows_of(Sampler(examples(), 3).next(3 * ROWS + 5))
    assert [sorted(rows[at : at + ROWS]) for at in range(0, 3 * ROWS, ROWS)] == [list(range(ROWS))] * 3
    assert len(rows) == 3 * ROWS + 5


@settings(max_examples=60, deadline=None)
@given(
    st.booleans(),
    st.integers(0, 2**63 - 1),
    st.lists(st.integers(0, 60), max_size=8),
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
)
def test_a_restored_sampler_goes_on_identically(grouped, seed, before, after):
    data = examples(BOUNDS if grouped else None)
    sampler = Sampler(data, seed)
    for count in before:
        sampler.next(count)
    state = sampler.state()
    expected = [rows_of(sampler.next(count)) for count in after]
    for resumed in (Sampler(data, seed), sampler):
        resumed.restore(state)
        assert [rows_of(resumed.next(count)) for count in after] == expected
        assert resumed.state() == {key: value for key, value in resumed.state().items() if type(value) is int}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=10))
def test_how_rows_are_split_into_batches_does_not_change_them(counts):
    together = rows_of(Sampler(examples(BOUNDS), 5).next(sum(counts)))
    sampler = Sampler(examples(BOUNDS), 5)
    assert [row for count in counts for row in rows_of(sampler.next(count))] == together


def test_seeds_draw_different_orders_also_next_to_each_other():
    orders = {tuple(rows_of(Sampler(examples(), seed).next(2 * ROWS))) for seed in range(20)}
    assert len(orders) == 20


@pytest.mark.parametrize(
    "state", [{"epoch": -1, "cursor": 0}, {"epoch": 0, "cursor": 24}, {"epoch": 0, "cursor": -1}]
)
def test_a_position_outside_the_data_is_refused(state):
    with pytest.raises(ValueError, match="outside the data's 23 rows"):
        Sampler(examples(), 0).restore(state)


def test_the_end_of_an_epoch_is_a_position_too():
    sampler = Sampler(examples(), 0)
    sampler.next(ROWS)
    assert sampler.state() == {"epoch": 0, "cursor": ROWS}
    other = Sampler(examples(), 0)
    other.restore(sampler.state())
    assert rows_of(other.next(7)) == rows_of(sampler.next(7))


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="no examples"):
        Sampler(examples(rows=0), 0)
