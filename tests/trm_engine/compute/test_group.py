"""What ranks say to each other arrives as it was said, to the bit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from trm_engine.compute.group import Group
from trm_engine.compute.place import FOLDER, Place

T = TypeVar("T")


def together(folder: Path, ranks: int, work: Callable[[Group], T]) -> list[T]:
    """Return what each rank, a thread, makes of a group."""
    found: dict[int, T] = {}

    def run(rank: int) -> None:
        found[rank] = work(Group.join(Place(rank, ranks, rank, ranks), {FOLDER: str(folder)}))

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[rank] for rank in range(ranks)]


@pytest.mark.parametrize("words", ["", "short", "é" * 400])
def test_messages_of_any_length(tmp_path: Path, words: str) -> None:
    message = {"call": words, "number": 2**80, "list": [1.5, None]}

    def work(group: Group) -> dict[str, object]:
        if group.leads:
            group.tell(message)
            return message
        return group.hear()

    assert together(tmp_path, 3, work) == [message] * 3


def test_replies_and_numbers_come_in_the_order_of_ranks(tmp_path: Path) -> None:
    def work(group: Group) -> tuple[object, object]:
        rank = group.place.rank
        return group.replies({"rank": "x" * rank}), group.share([float(rank)] * rank)

    wanted = ([{"rank": ""}, {"rank": "x"}, {"rank": "xx"}], [[], [1.0], [2.0, 2.0]])
    assert together(tmp_path, 3, work) == [wanted] * 3


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.int32, torch.bool]
)
def test_rows_of_ranks_are_merged_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    whole = torch.tensor([[-0.0, 1e-8, float("inf")], [-3.0, 0.0, 7.0]]).nan_to_num(posinf=2e9).to(dtype)

    def work(group: Group) -> torch.Tensor:
        rank = group.place.rank
        mine = torch.full_like(whole, 1)
        mine[:, rank : rank + 1] = whole[:, rank : rank + 1]
        if rank == 1:
            mine[:, 2:] = whole[:, 2:]
        return group.merge(mine, [(0, 1)] if rank == 0 else [(1, 2), (2, 3)], dim=1)

    for merged in together(tmp_path, 2, work):
        assert merged.dtype == dtype
        assert torch.equal(merged.view(torch.uint8), whole.view(torch.uint8))


def test_a_note_outlives_those_who_wrote_it(tmp_path: Path) -> None:
    def write(group: Group) -> str | None:
        before = group.noted()
        if group.leads:
            group.note("where we were")
        return before

    assert together(tmp_path, 2, write)[0] is None
    (tmp_path / "meeting-0").unlink(missing_ok=True)
    assert together(tmp_path, 2, lambda group: group.noted())[0] == "where we were"
