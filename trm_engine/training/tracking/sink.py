"""What a tracker is to who passes figures on to it, and which figures those are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

_NO_FIGURES = ("step", "steps")
_OF_THE_MACHINE = (
    "available_bytes",
    "cpu_percent",
    "device_",
    "micro_batch",
    "rss_bytes",
    "samples_per_second",
    "seconds",
    "speed_limit_percent",
    "swap_used_bytes",
    "throttle_events",
)


class Sink(Protocol):
    """Where figures go. Its methods raise whatever the tracker raises."""

    takes_back: bool
    """Whether it can forget what it was given: some keep what they have once seen."""

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Take the figures of a step."""

    def take_back(self, step: int) -> None:
        """Forget what came after a step: the run resumed from there."""

    def flush(self) -> None:
        """Have what was written stand on the disk, where it goes there."""

    def close(self) -> None:
        """Take nothing more."""


def figures_of(record: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers of a record of `metrics.jsonl`, by group and name: `train/loss`, `eval/loss`.

    `machine/` are those of a step that tell of what it runs on, `final/` those of the last evaluation, on all
    held-out examples.
    """
    step = record.get("event") == "step"
    group = "train" if step else "final" if record.get("final") else "eval"
    return {
        f"{'machine' if step and name.startswith(_OF_THE_MACHINE) else group}/{name}": float(value)
        for name, value in record.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in _NO_FIGURES
    }
