"""Models in memory: loaded on first use, dropped when memory is short, replaced by better ones."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from trm_engine.decisions import Decision
from trm_engine.errors import ResourceError
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.remedies import Advice
from trm_engine.serving.batcher import Batcher, nobody
from trm_engine.serving.catalogue import Catalogue, Served
from trm_engine.serving.puzzles import task_of
from trm_engine.sessions import Store, weights_sha256
from trm_engine.sessions.checkpoints.tensors import byte_count
from trm_engine.tasks.base import PuzzleTask
from trm_engine.text import format_bytes

_SECONDS_BETWEEN_LOOKS = 2.0
_BESIDE_WEIGHTS = 4_000_000  # buffers of a step, the task's tables, the thread


@dataclass
class Resident:
    """A model that is loaded, with the batcher that serves it."""

    served: Served
    trained: PuzzleModel
    batcher: Batcher
    used: float
    looked: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def task(self) -> PuzzleTask:
        """The task that the model was trained on; its puzzles load when they are first used."""
        return task_of(self.trained.config.task)

    @cached_property
    def digest(self) -> str:
        """A digest of what decides an answer beside the question: the weights and how they are applied."""
        weights = weights_sha256(self.trained.network.state_dict())
        config = self.trained.config
        used = (config.model.model_dump_json(), config.runtime.precision, config.task.model_dump_json())
        return hashlib.sha256("\n".join([weights, *used]).encode()).hexdigest()

    @property
    def parameters(self) -> int:
        """Trained numbers, the puzzle embedding aside."""
        return sum(parameter.numel() for parameter in self.trained.network.parameters())

    @property
    def bytes(self) -> int:
        """About how much memory the model takes."""
        state = self.trained.network.state_dict().values()
        return sum(byte_count(tensor) for tensor in state) + _BESIDE_WEIGHTS

    @property
    def busy(self) -> bool:
        """Whether anybody waits for an answer of this model."""
        return sum(self.batcher.load) > 0


def load_puzzle_model(store: Store, session: str, checkpoint: str) -> PuzzleModel:
    """Load the model of a session that has learned puzzles."""
    return load(store, session, checkpoint, expect=PuzzleModel)


class Residents:
    """Holds the models in use within `budget` bytes; the least recently used one goes first.

    `threads` says with how many threads a model computes now. Any thread may call; loading is done by the
    caller, one model at a time.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        budget: int,
        threads: Callable[[], int] = lambda: 1,
        tell: Callable[[Decision], None] = lambda _: None,
        load: Callable[[Store, str, str], PuzzleModel] = load_puzzle_model,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.catalogue = catalogue
        self.budget = budget
        self._threads = threads
        self._tell, self._read = tell, load
        self._clock = clock
        self._held: dict[str, Resident] = {}
        self._lock = threading.RLock()

    def held(self) -> list[Resident]:
        """Return the models in memory."""
        with self._lock:
            return list(self._held.values())

    def get(self, ref: str) -> Resident:
        """Return a model, loading it where it is not in memory, or has a better checkpoint by now.

        Raises `SessionError` where it cannot be served, `ResourceError` where it does not fit the budget.
        """
        with self._lock:
            now = self._clock()
            known = self._held.get(ref)
            if known is not None and now - known.looked < _SECONDS_BETWEEN_LOOKS:
                known.used = now
                return known
            served = self.catalogue.get(ref)
            known = self._held.get(served.session)
            if known is not None and known.served.version == served.version:
                known.used = known.looked = now
                return known
            resident = self._load(served)
            if known is not None:
                known.batcher.close(drain=True)  # those who wait are answered by the model they asked
                self._tell(Decision(served.title, f"step {served.step}", "the session has improved"))
            self._held[served.session] = resident
            self._make_room(keep=resident)
            return resident

    def drop_idle(self, seconds: float) -> None:
        """Drop models that nobody has asked for so long."""
        with self._lock:
            for resident in self.held():
                if not resident.busy and self._clock() - resident.used > seconds:
                    self._drop(resident, f"unused for {seconds:.0f} s")

    def close(self, seconds: float) -> None:
        """Stop all work, waiting so long at most for each thread to end."""
        held = self.held()
        for resident in held:
            resident.batcher.close()
        for resident in held:
            resident.batcher.join(seconds)
        with self._lock:
            self._held.clear()

    def _load(self, served: Served) -> Resident:
        step = self.catalogue.checkpoint_of(served.session) or str(served.step)
        trained = self._read(self.catalogue.store, served.session, step)
        task = task_of(trained.config.task)
        judge = task.solved if task.judges_all else nobody
        batcher = Batcher(trained.network, judge, name=f"batcher {served.title}", threads=self._threads)
        now = self._clock()
        resident = Resident(served, trained, batcher, used=now, looked=now)
        if resident.bytes > self.budget:
            batcher.close()
            raise ResourceError(
                f"{served.title} needs {format_bytes(resident.bytes)}, and {format_bytes(self.budget)} are "
                "for models",
                remedies=[Advice.GIVE_MODELS_MEMORY],
            )
        return resident

    def _make_room(self, keep: Resident) -> None:
        by_age = sorted(self._held.values(), key=lambda resident: resident.used)
        total = sum(resident.bytes for resident in by_age)
        for resident in by_age:
            if total <= self.budget:
                return
            if resident is not keep and not resident.busy:
                total -= resident.bytes
                self._drop(resident, f"{format_bytes(self.budget)} are for models, and others are in use")

    def _drop(self, resident: Resident, reason: str) -> None:
        resident.batcher.close(drain=True)
        del self._held[resident.served.session]
        self._tell(Decision(resident.served.title, "unloaded", reason))
