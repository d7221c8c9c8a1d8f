"""Which experiment computes: at most one at a time. Passing the turn on blocks nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from trm_engine.training.control import Gate


class Scheduler:
    """Gives one experiment at a time the turn to compute; the last to ask is the next.

    Experiments are known by a ticket each, not by their slots: a slot is used again while the run that was in
    it is still being saved.
    """

    def __init__(self) -> None:
        self.moving = threading.RLock()
        """Held around whatever decides whose turn it is: commands, and a run's beginning and end."""
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._next: tuple[int, Callable[[], None]] | None = None
        self._waiting: dict[int, Callable[[], None]] = {}
        self._closed = False

    @property
    def holder(self) -> int | None:
        """The ticket of the one that computes, or None."""
        return self._holder

    def ask(self, ticket: int, begin: Callable[[], None]) -> None:
        """Have `begin` called when it is `ticket`'s turn, maybe at once. Who waited so far no longer does."""
        with self._lock:
            if self._closed:
                return
            # The newest request replaces an older one: a person who presses 2, then 3, wants 3.
            free = self._holder in (None, ticket)
            if free:
                self._holder, self._next = ticket, None
            else:
                self._next = ticket, begin
        if free:
            begin()

    def claim(self, ticket: int, freed: Callable[[], None]) -> bool:
        """Take the turn if nobody else has it: for a run that went on while it was giving the turn back.

        Where another has it, `freed` is called once when nobody does any more.
        """
        with self._lock:
            if self._holder is None:
                self._holder = ticket
            if self._holder == ticket:
                return True
            # Not a place in the queue: whoever asks by a key press comes before a run that merely goes on.
            self._waiting[ticket] = freed
            return False

    def give_back(self, ticket: int) -> None:
        """End `ticket`'s turn, or its wish for one, and begin the next. With neither, nothing happens."""
        told: list[Callable[[], None]] = []
        with self._lock:
            if self._next is not None and self._next[0] == ticket:
                self._next = None
            if self._holder == ticket:
                self._holder = None
                # The next holds the turn before the lock is left, or a third could slip in between.
                if self._next is not None:
                    self._holder, begin = self._next
                    self._next, told = None, [begin]
                else:
                    told = list(self._waiting.values())
                    self._waiting.clear()
        # Outside the lock: what is told may ask for the turn at once.
        for tell in told:
            tell()

    def gate(self, ticket: int) -> Gate:
        """Return the gate of `ticket`'s run: its `Control` asks there whether it may compute."""
        return _Gate(self, ticket)

    def close(self) -> None:
        """Give nobody a turn any more."""
        with self._lock:
            self._closed, self._next = True, None


@dataclass(frozen=True)
class _Gate:
    scheduler: Scheduler
    ticket: int

    def claim(self, wake: Callable[[], None]) -> bool:
        return self.scheduler.claim(self.ticket, wake)

    def give_back(self) -> None:
        self.scheduler.give_back(self.ticket)
