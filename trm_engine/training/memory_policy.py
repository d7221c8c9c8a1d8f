"""Keeping a run within its memory: what is made smaller when it gets short, in which order, and back again.

Fewer rows at once come first: gradients accumulate over micro-batches, so the batch and the mathematics stay
the same, and only the rounding differs. At one row the batch itself is halved, once; the learning rate stays,
and a larger batch comes back only when a person asks for it. Then there is nothing left but to save and stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trm_engine.config import Config
from trm_engine.monitoring.allocator import release_memory
from trm_engine.monitoring.memory_guard import MemoryGuard
from trm_engine.planning.estimate import estimate

_MICRO_BATCH = "train.micro_batch"


@dataclass(frozen=True)
class Change:
    """Another configuration because of memory; `code` is stable, `why` is prose."""

    config: Config
    code: str
    why: str


@dataclass(frozen=True)
class Sizes:
    """Rows of a batch, and how many of them are in flight at once (0: all), as a configuration says them."""

    micro_batch: int
    batch_size: int

    @classmethod
    def of(cls, config: Config) -> Sizes:
        """Return the sizes of a configuration."""
        return cls(config.train.micro_batch, config.train.batch_size)

    @classmethod
    def parse(cls, value: object) -> Sizes | None:
        """Return sizes from a checkpoint's state; None when it holds none."""
        if not isinstance(value, Mapping):
            return None
        micro, batch = value.get("micro_batch"), value.get("batch_size")
        if not isinstance(micro, int) or not isinstance(batch, int) or not 0 <= micro <= batch or batch < 1:
            return None
        return cls(micro, batch)

    def applied(self, config: Config) -> Config:
        """Return the configuration with these sizes."""
        train = config.train.model_copy(
            update={"micro_batch": self.micro_batch, "batch_size": self.batch_size}
        )
        return config.model_copy(update={"train": train})

    def to_dict(self) -> dict[str, int]:
        """Return them as a JSON object's members."""
        return {"micro_batch": self.micro_batch, "batch_size": self.batch_size}


def in_force(config: Config, saved: object, overrides: Sequence[str]) -> Config:
    """Return the configuration with the sizes that a checkpoint was trained with.

    `saved` is what `MemoryKeeper.state` returned. Going on with other sizes would round differently; only who
    sets them anew (`overrides`) gets other ones.
    """
    sizes = Sizes.parse(saved)
    if sizes is None:
        return config
    if _sets_micro_batch(overrides):
        sizes = Sizes(min(config.train.micro_batch, sizes.batch_size), sizes.batch_size)
    return sizes.applied(config)


def _sets_micro_batch(overrides: Sequence[str]) -> bool:
    return any(override.partition("=")[0].strip() == _MICRO_BATCH for override in overrides)


class MemoryKeeper:
    """Turns what a memory guard sees into changes of the configuration, and counts them.

    `saved` is the state in the checkpoint that a run resumes from. With `acts` false (a replay, whose changes
    are all recorded) sizes are left alone as long as memory can be had.
    """

    def __init__(
        self, config: Config, *, saved: object = None, overrides: Sequence[str] = (), acts: bool = True
    ) -> None:
        state = saved if isinstance(saved, Mapping) else {}
        reductions = state.get("reductions")
        self.guard = MemoryGuard(config.memory)
        self.reductions = reductions if isinstance(reductions, int) else 0
        """How often the rows in flight, the batch, or the puzzles evaluated at once were made fewer."""
        self._asked = Sizes.parse(state.get("asked")) or Sizes.of(config)
        if _sets_micro_batch(overrides):
            self._asked = Sizes(config.train.micro_batch, self._asked.batch_size)
        self._acts = acts and config.memory.guard
        self._stops = config.memory.guard
        self._grown = False
        self.settle(config)

    def state(self, config: Config) -> dict[str, Any]:
        """Return what a checkpoint must hold: the sizes in force and those asked for."""
        return {
            **Sizes.of(config).to_dict(),
            "asked": self._asked.to_dict(),
            "reductions": self.reductions,
        }

    def take_warning(self) -> str | None:
        """Return what a person should hear about memory, once each time it gets short."""
        pressure = self.guard.take_warning() if self._stops else None
        return (
            f"memory is getting short: the process holds {pressure}; "
            f"close other programs, or lower {_MICRO_BATCH}"
            if pressure
            else None
        )

    def presses(self, config: Config) -> bool:
        """Whether the step under way is better given up than finished."""
        # While something can be halved, halving comes first: stopping is for when nothing is left.
        if self.smaller(config) is not None and self._acts:
            return self.guard.shrink
        return self.must_stop(config)

    def presses_evaluation(self, config: Config) -> bool:
        """Whether fewer puzzles must be evaluated at once."""
        return self._acts and self.guard.shrink and config.eval.batch_size > 1

    def must_stop(self, config: Config) -> bool:
        """Whether memory is too short, and nothing is left that could be made smaller."""
        return self._stops and self.guard.stop and not (self._acts and self.smaller(config) is not None)

    def stop_reason(self) -> str:
        """Return why the run stops, for a person."""
        return (
            f"out of memory: with the smallest batch the process holds {self.guard.latest}; "
            f"free some memory, then resume"
        )

    def due(self, config: Config) -> Change | None:
        """Return the change that what the guard has seen asks for."""
        if not self._acts:
            return None
        if self.guard.shrink:
            return self.smaller(config, f"the process held {self.guard.latest}")
        if self.guard.grow:
            return self._larger(config)
        return None

    def smaller(self, config: Config, why: str = "") -> Change | None:
        """Return the next smaller sizes; None when there is nothing left to halve."""
        sizes, rows = Sizes.of(config), config.micro_batch
        if rows > 1:
            halved = Sizes(rows // 2, sizes.batch_size)
            what = f"micro-batch {rows} → {halved.micro_batch} (effective batch size unchanged)"
            return Change(halved.applied(config), "micro-batch-reduced", f"{what}: {why}")
        # The batch is halved once at most: each halving is another training than the one asked for.
        if sizes.batch_size > 1 and sizes.batch_size == self._asked.batch_size:
            halved = Sizes(1, sizes.batch_size // 2)
            what = f"batch {sizes.batch_size} → {halved.batch_size}, one row at once"
            return Change(halved.applied(config), "batch-reduced", f"{what}: {why}")
        return None

    def smaller_evaluation(self, config: Config, why: str) -> Change | None:
        """Return a configuration that evaluates half as many at once; None when it is one already."""
        count = config.eval.batch_size
        if count == 1:
            return None
        halved = config.eval.model_copy(update={"batch_size": count // 2})
        what = f"{count} → {count // 2} evaluated at once"
        return Change(config.model_copy(update={"eval": halved}), "evaluation-reduced", f"{what}: {why}")

    def _larger(self, config: Config) -> Change | None:
        rows, batch = config.micro_batch, config.train.batch_size
        most = min(self._asked.micro_batch or batch, batch)
        if rows >= most:
            return None
        # One doubling at a time, each after half a minute of calm: a jump could end in out of memory.
        count = min(2 * rows, most)
        # As it was asked for, where that is reached: 0 is another spelling of the whole batch.
        asked = count == most and batch == self._asked.batch_size
        grown = Sizes(self._asked.micro_batch if asked else count, batch)
        why = f"micro-batch {rows} → {count}: memory is available again, {self.guard.latest}"
        return Change(grown.applied(config), "micro-batch-grown", why)

    def took(self, change: Change) -> None:
        """Note that a change is in force; memory given up by it goes back to the system."""
        grows = change.code == "micro-batch-grown"
        if not grows:
            self.reductions += 1
            # A growth that had to be taken back doubles the wait before the next: no toggling.
            if self._grown and change.code != "evaluation-reduced":
                self.guard.regret()
            release_memory()
        if change.code != "evaluation-reduced":
            self._grown = grows
        self.settle(change.config)

    def tidy(self, config: Config) -> None:
        """Give back what an evaluation or a save has left, before it is taken for a need of training."""
        latest = self.guard.latest
        if self._acts and latest is not None and latest.share > config.memory.warn_at:
            release_memory()
            self.settle(config)

    def settle(self, config: Config) -> None:
        """Let the guard judge anew what a configuration needs."""
        self.guard.changed(growth_bytes=estimate(config).memory.training)
