"""Whose turn it is to train: one at a time, the last to ask is next."""

from __future__ import annotations

from trm_tui.workbench.scheduler import Scheduler


def test_a_free_turn_begins_at_once() -> None:
    scheduler, begun = Scheduler(), []
    scheduler.ask(1, lambda: begun.append(1))
    assert (begun, scheduler.holder) == ([1], 1)


def test_the_last_to_ask_is_next() -> None:
    scheduler, begun = Scheduler(), []
    for slot in (1, 2, 3):
        scheduler.ask(slot, lambda slot=slot: begun.append(slot))
    scheduler.give_back(1)
    assert (begun, scheduler.holder) == ([1, 3], 3)


def test_asking_again_as_holder_drops_who_waits() -> None:
    scheduler, begun = Scheduler(), []
    scheduler.ask(1, lambda: begun.append("first"))
    scheduler.ask(2, lambda: begun.append("second"))
    scheduler.ask(1, lambda: begun.append("again"))
    scheduler.give_back(1)
    assert (begun, scheduler.holder) == (["first", "again"], None)


def test_a_wish_can_be_given_up() -> None:
    scheduler, begun = Scheduler(), []
    scheduler.ask(1, lambda: None)
    scheduler.ask(2, lambda: begun.append(2))
    scheduler.give_back(2)
    scheduler.give_back(1)
    assert (begun, scheduler.holder) == ([], None)


def test_a_turn_is_claimed_only_when_nobody_has_it() -> None:
    scheduler, freed = Scheduler(), []
    assert scheduler.claim(1, lambda: freed.append(1))
    assert not scheduler.claim(2, lambda: freed.append(2))


def test_who_claimed_in_vain_is_told_once_when_nobody_has_it() -> None:
    scheduler, freed = Scheduler(), []
    scheduler.ask(1, lambda: None)
    scheduler.ask(2, lambda: None)
    scheduler.claim(3, lambda: freed.append(3))
    scheduler.claim(3, lambda: freed.append(3))
    scheduler.give_back(1)
    assert (freed, scheduler.holder) == ([], 2)
    scheduler.give_back(2)
    assert (freed, scheduler.claim(3, lambda: None)) == ([3], True)
    scheduler.give_back(3)
    assert freed == [3]


def test_after_closing_nobody_begins() -> None:
    scheduler, begun = Scheduler(), []
    scheduler.ask(1, lambda: None)
    scheduler.ask(2, lambda: begun.append(2))
    scheduler.close()
    scheduler.give_back(1)
    scheduler.ask(3, lambda: begun.append(3))
    assert begun == []
