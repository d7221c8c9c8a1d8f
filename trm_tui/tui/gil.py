"""Sharing the interpreter with the threads that train: its lock, and its hunts for garbage.

Only one thread at a time runs Python. A trainer gives up the lock with every operation of torch and wants it
back some microseconds later; an app that draws keeps it for as long as it may. And a hunt for garbage among
all objects, of which torch and Textual bring half a million, holds the lock for a tenth of a second; an app
that builds and drops widgets would set one off every few seconds.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time

_TRAINING_SECONDS = 0.0005
"""How long a trainer waits for the lock while nobody is at the keys; the default, 5 ms, is long."""
_ANSWERING_SECONDS = 0.05
"""The same while a key is answered: all of the answer, where it is not a long one."""
_ANSWER_SECONDS = 0.3
"""How long after a key that lasts."""
_NEVER = 1_000_000
_SECONDS_BETWEEN_HUNTS = 60.0
_QUIET_SECONDS = 2.0


class Interpreter:
    """Prefers the threads that train, and the app while a person waits for it.

    As a context it holds for the process and puts back what was before.
    """

    def __init__(self) -> None:
        self._before = sys.getswitchinterval(), gc.get_threshold()
        self._touched = self._hunted = time.monotonic()
        self._settled = False
        self._end_of_answer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Interpreter:
        sys.setswitchinterval(_TRAINING_SECONDS)
        young, middle, _ = self._before[1]
        gc.set_threshold(young, middle, _NEVER)  # what is young is still looked through: that takes no time
        return self

    def __exit__(self, *exc: object) -> None:
        interval, thresholds = self._before
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.unfreeze()

    def answer(self) -> None:
        """Keep the lock for the app for a moment: a person has pressed something. Within the event loop."""
        self._touched = time.monotonic()
        if self._end_of_answer is not None:
            self._end_of_answer.cancel()
        sys.setswitchinterval(_ANSWERING_SECONDS)
        self._end_of_answer = asyncio.get_running_loop().call_later(
            _ANSWER_SECONDS, sys.setswitchinterval, _TRAINING_SECONDS
        )

    def tidy(self) -> None:
        """Hunt for garbage when it is time and nobody waits; called again and again."""
        now = time.monotonic()
        if now - self._touched < _QUIET_SECONDS or now - self._hunted < _SECONDS_BETWEEN_HUNTS:
            return
        gc.collect()
        if not self._settled:
            gc.freeze()  # what has been there for a minute stays: modules, classes, screens
            self._settled = True
        self._hunted = time.monotonic()
