"""Where the limits of the engine's memory guard lie on this machine now: what panels may say of them."""

from __future__ import annotations

from dataclasses import dataclass

from trm_engine.config.sections import MemoryConfig
from trm_engine.monitoring.memory_guard import pressure
from trm_engine.monitoring.monitor import Sample


@dataclass(frozen=True)
class MemoryOutlook:
    """What the guard of a run with these settings judges from a sample.

    `shrink_at_bytes` is what the process may hold before the run's micro-batch is halved; None where the
    guard is off or the system does not tell.
    """

    held_bytes: int
    shrink_at_bytes: int | None
    shrinks: bool


def outlook(sample: Sample, settings: MemoryConfig) -> MemoryOutlook:
    """Return what the guard judges: the same pressure and the same limits as in `MemoryGuard.see`."""
    now = pressure(sample.rss_bytes, sample.available_bytes, settings.budget_gb)
    if now is None or not settings.guard:
        return MemoryOutlook(sample.rss_bytes or 0, None, shrinks=False)
    return MemoryOutlook(
        now.rss_bytes, round(settings.shrink_at * now.limit_bytes), shrinks=now.over(settings.shrink_at)
    )
