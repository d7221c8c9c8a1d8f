"""Whose turn it is to train: one at a time, the last to ask is next."""

from __future__ import annotations

from trm_tui.workbench.scheduler import Turn


def test_a_free_turn_begins_at_once() -> None:
    turn, begun = Turn(), []
    turn.ask(1, lambda: begun.append(1))
    assert (begun, turn.holder) == ([1], 1)


def test_the_last_to_ask_is_next() -> None:
    turn, begun = Turn(), []
    for slot in (1, 2, 3):
        turn.ask(slot, lambda slot=slot: begun.append(slot))
    turn.give_back(1)
    assert (begun, turn.holder) == ([1, 3], 3)


def test_asking_again_as_holder_drops_who_waits() -> None:
    turn, begun = Turn(), []
    turn.ask(1, lambda: begun.append("first"))
    turn.ask(2, lambda: begun.append("second"))
    turn.ask(1, lambda: begun.append("again"))
    turn.give_back(1)
    assert (begun, turn.holder) == (["first", "again"], None)


def test_a_wish_can_be_given_up() -> None:
    turn, begun = Turn(), []
    turn.ask(1, lambda: None)
    turn.ask(2, lambda: begun.append(2))
    turn.give_back(2)
    turn.give_back(1)
    assert (begun, turn.holder) == ([], None)


def test_a_turn_is_claimed_only_when_nobody_has_it() -> None:
    turn, freed = Turn(), []
    assert turn.claim(1, lambda: freed.append(1))
    assert not turn.claim(2, lambda: freed.append(2))


def test_who_claimed_in_vain_is_told_once_when_nobody_has_it() -> None:
    turn, freed = Turn(), []
    turn.ask(1, lambda: None)
    turn.ask(2, lambda: None)
    turn.claim(3, lambda: freed.append(3))
    turn.claim(3, lambda: freed.append(3))
    turn.give_back(1)
    assert (freed, turn.holder) == ([], 2)
    turn.give_back(2)
    assert (freed, turn.claim(3, lambda: None)) == ([3], True)
    turn.give_back(3)
    assert freed == [3]


def test_after_closing_nobody_begins() -> None:
    turn, begun = Turn(), []
    turn.ask(1, lambda: None)
    turn.ask(2, lambda: begun.append(2))
    turn.close()
    turn.give_back(1)
    turn.ask(3, lambda: begun.append(3))
    assert begun == []
