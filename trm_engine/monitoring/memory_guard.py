"""Whether a run's memory is getting short: judged sample by sample, twice a second, in the monitor's thread.

The guard only judges. What is done about it, and when, is decided between micro-batches by whoever trains.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from trm_engine.config.sections import MemoryConfig
from trm_engine.monitoring.device_gauges import DeviceSample
from trm_engine.monitoring.monitor import Sample
from trm_engine.text import format_bytes

_CONFIRMING = 2  # samples in a row: a single one may be a short peak of another program
_RESTING = 4  # samples after a change that do not count: freed memory takes a moment to show
_CALM = 60  # samples in a row: 30 s below the limit before growing again
_MOST_PATIENCE = 64  # times as long after growths that had to be taken back
_WARN_BAND = 0.05  # hysteresis: how far below the warning's limit the share must fall before another warning


@dataclass(frozen=True)
class Pressure:
    """How much of the memory that this process could have, it has: `rss_bytes` of `limit_bytes`.

    `device` names the graphics processor whose memory it is; empty for the machine's.
    """

    rss_bytes: int
    limit_bytes: int
    device: str = ""

    @property
    def share(self) -> float:
        """The used share; above 1 when even the budget is exceeded."""
        return self.rss_bytes / max(self.limit_bytes, 1)

    def over(self, share: float) -> bool:
        """Whether more than this share is used: the one comparison behind every limit, shown or judged."""
        return self.share > share

    def __str__(self) -> str:
        return (
            f"{self.share:.0%} of the memory it can have {f'on {self.device} ' if self.device else ''}"
            f"({format_bytes(self.rss_bytes)} of {format_bytes(self.limit_bytes)})"
        )


def pressure(rss_bytes: int | None, available_bytes: int | None, budget_gb: float = 0.0) -> Pressure | None:
    """Return the pressure on a process that holds `rss_bytes` and could take `available_bytes` more.

    `available_bytes` is what the system, the control groups and the process's limits leave, whichever is
    least. A budget caps what it could have. None where the system does not tell.
    """
    if rss_bytes is None:
        return None
    limits = [round(budget_gb * 1e9)] if budget_gb else []
    if available_bytes is not None:
        # What is held now and what could be taken more is all that this process can have.
        limits.append(available_bytes + rss_bytes)
    return Pressure(rss_bytes, min(limits)) if limits else None


def device_pressure(device: DeviceSample | None) -> Pressure | None:
    """Return the pressure on what a process holds on a graphics processor; None where it holds nothing."""
    if device is None:
        return None
    return Pressure(device.held_bytes, device.held_bytes + device.free_bytes, device.name)


class MemoryGuard:
    """Judges each sample of a monitor against the limits of a configuration. Any thread may ask it.

    `shrink` and `stop` are due after two samples in a row above their limits, `grow` after half a minute in
    which also `growth_bytes` more would have stayed below the warning's limit. Whoever acts on one of them
    says so with `changed`: then nothing is due until work was done under the new sizes (`worked`) and, below
    the limit for stopping, some samples have passed.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._latest: Pressure | None = None
        self._peak_share = 0.0
        self._growth_bytes = 0
        self._patience = 1
        self._untried = False
        self._resting = 0
        self._over_warn = self._over_shrink = self._over_stop = self._calm = 0
        self._warned = False
        self._warning: Pressure | None = None

    def see(self, sample: Sample) -> None:
        """Judge one sample."""
        own = pressure(sample.rss_bytes, sample.available_bytes, self._config.budget_gb)
        there = device_pressure(sample.device)
        now = max((one for one in (own, there) if one is not None), key=lambda one: one.share, default=None)
        if now is None:
            return
        with self._lock:
            self._latest = now
            self._peak_share = max(self._peak_share, now.share)
            self._weigh_warning(now)
            # Until a micro-batch has run under the new sizes, samples still show the old ones.
            if self._untried:
                return
            # Resting ignores samples after a change, but never above the limit for stopping: memory that is
            # nearly gone cannot wait.
            if self._resting and not now.over(self._config.stop_at):
                self._resting -= 1
                return
            self._over_shrink = self._over_shrink + 1 if now.over(self._config.shrink_at) else 0
            self._over_stop = self._over_stop + 1 if now.over(self._config.stop_at) else 0
            # Growing is judged by what would be held afterwards, so that it is not taken back at once.
            grown = (now.rss_bytes + self._growth_bytes) / max(now.limit_bytes, 1)
            self._calm = self._calm + 1 if grown < self._config.warn_at else 0

    def _weigh_warning(self, now: Pressure) -> None:
        self._over_warn = self._over_warn + 1 if now.over(self._config.warn_at) else 0
        if self._over_warn >= _CONFIRMING and not self._warned:
            self._warned, self._warning = True, now
        elif now.share < self._config.warn_at - _WARN_BAND:
            self._warned = False

    @property
    def latest(self) -> Pressure | None:
        """The pressure at the last sample that told it."""
        return self._latest

    @property
    def peak_share(self) -> float:
        """The highest used share that a sample has shown."""
        return self._peak_share

    def take_warning(self) -> Pressure | None:
        """Return the pressure that a person should hear of; once each time it rises above the limit."""
        with self._lock:
            warning, self._warning = self._warning, None
            return warning

    @property
    def shrink(self) -> bool:
        """Whether less must be held."""
        return self._over_shrink >= _CONFIRMING

    @property
    def stop(self) -> bool:
        """Whether the run must end where no less can be held."""
        # The same two samples as for shrinking: whoever acts asks `shrink` first.
        return self._over_stop >= _CONFIRMING

    @property
    def grow(self) -> bool:
        """Whether more may be held again."""
        return self._calm >= _CALM * self._patience

    def worked(self) -> None:
        """Note that rows were trained on under the sizes in force: from now on samples tell of these."""
        if self._untried:
            with self._lock:
                self._untried = False

    def changed(self, growth_bytes: int) -> None:
        """Note that sizes have changed; the next growth would take `growth_bytes` more."""
        with self._lock:
            self._growth_bytes = growth_bytes
            self._untried, self._resting = True, _RESTING
            self._over_shrink = self._over_stop = self._calm = 0

    def regret(self) -> None:
        """Note that a growth had to be taken back: wait twice as long before the next."""
        # Doubled each time: another program that comes and goes must not have the run toggle for ever.
        self._patience = min(2 * self._patience, _MOST_PATIENCE)
