"""Who else computes on this machine: beside a run that trains, a model that is served uses one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from trm_engine.errors import TrmError
from trm_engine.sessions import Store

_SECONDS_BETWEEN_LOOKS = 5.0


class Neighbours:
    """Says with how many threads to compute now; the sessions are looked at every few seconds at most."""

    def __init__(self, store: Store, cores: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._cores, self._clock = store, cores, clock
        self._looked: float | None = None
        self._training = False
        self._lock = threading.Lock()

    @property
    def training(self) -> bool:
        """Whether a session of the folder is being trained."""
        with self._lock:
            now = self._clock()
            if self._looked is None or now - self._looked > _SECONDS_BETWEEN_LOOKS:
                self._training, self._looked = self._look(), now
            return self._training

    def threads(self) -> int:
        """Return the threads to compute with: all cores, or one beside a run."""
        return 1 if self.training else max(self._cores, 1)

    def language_threads(self) -> int:
        """Return the threads for a language model, whose threads spin: one is left to everybody else."""
        return 1 if self.training else max(self._cores - 1, 1)

    def _look(self) -> bool:
        try:
            return any(record.status == "running" for record in self._store.list())
        except TrmError:
            return False
