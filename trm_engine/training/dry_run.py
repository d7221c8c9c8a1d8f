"""A dry run before the first step: what cannot fit is found in seconds, not after an hour."""

from __future__ import annotations

from dataclasses import dataclass

from trm_engine.config import Config
from trm_engine.decisions import Decision
from trm_engine.errors import FitError
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.allocator import is_out_of_memory, release_memory
from trm_engine.monitoring.device_gauges import read_device
from trm_engine.monitoring.memory_guard import Pressure, device_pressure, pressure
from trm_engine.monitoring.process import ProcessReadings, Readings
from trm_engine.planning.estimate import estimate
from trm_engine.remedies import ChangeSettings
from trm_engine.text import format_bytes
from trm_engine.training.memory_policy import Sizes


@dataclass(frozen=True)
class Rehearsal:
    """The configuration that fits, which may have fewer rows in flight than asked for, and what was found."""

    config: Config
    decision: Decision


def rehearse(learner: Learner, readings: Readings | None = None, *, ranks: int = 1) -> Rehearsal:
    """Train on one micro-batch without changing anything, and on half of it until it fits in memory.

    Of several `ranks` on this machine this one tries its share, and the others are taken to hold as much.
    Raises `FitError`, naming alternatives, when even one row does not fit.
    """
    config, readings = learner.config, readings or ProcessReadings()
    while True:
        rows = config.micro_batch
        predicted = (
            f"{format_bytes(estimate(config, ranks=ranks).peak_rss_bytes)} predicted for the whole run"
        )
        trial = _try(learner, rows, readings, ranks)
        peak = trial.peak
        if not trial.ran:
            found = f"out of memory in a dry run with {rows} rows"
        elif peak is None:
            found = f"dry run succeeded; {predicted}; memory limit unknown"
        else:
            found = f"dry run used {peak}; {predicted}"
        most = config.memory.shrink_at if rows > 1 else config.memory.stop_at
        if trial.ran and (peak is None or peak.share <= most):
            asked = learner.config.micro_batch
            choice = f"micro-batch of {rows} rows" + (f" instead of {asked}" if rows < asked else "")
            return Rehearsal(config, Decision("memory", choice, found))
        if rows == 1:
            message = f"too little memory for a single row: {found}"
            raise FitError(message, remedies=_remedies(config, peak, ranks))
        config = Sizes(rows // 2, config.train.batch_size).applied(config)


@dataclass(frozen=True)
class _Trial:
    """Whether memory sufficed, and the pressure at the peak; None: not told."""

    ran: bool
    peak: Pressure | None = None


def _try(learner: Learner, rows: int, readings: Readings, ranks: int) -> _Trial:
    release_memory()
    highest = readings.peak_rss_bytes()
    try:
        learner.rehearse(-(-rows // ranks))
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        return _Trial(ran=False)
    highest_now, held_now = readings.peak_rss_bytes(), readings.rss_bytes()
    peak = held_now or 0
    if highest is not None and highest_now is not None and highest_now > highest:
        peak = highest_now  # else something before held more; but freed blocks are kept, and count as held
    peak, held_now = ranks * peak, None if held_now is None else ranks * held_now
    there = device_pressure(read_device())
    now = pressure(held_now, readings.memory().effective_available_bytes, learner.config.memory.budget_gb)
    own = Pressure(peak, now.limit_bytes) if now else None
    if there is not None and (own is None or there.share > own.share):
        return _Trial(ran=True, peak=there)
    return _Trial(ran=True, peak=own)


def _remedies(config: Config, peak: Pressure | None, ranks: int) -> tuple[ChangeSettings, ...]:
    """Return alternatives by the estimate, corrected by what one row has really held beyond the program."""
    memory = estimate(config, ranks=ranks).memory
    room = 0.9  # where it is not known how much is missing
    if peak is not None:
        room = (config.memory.stop_at * peak.limit_bytes - memory.base) / max(peak.rss_bytes - memory.base, 1)
    budget = memory.base + (memory.peak - memory.base) * max(min(room, 0.99), 0)
    return estimate(config, budget_bytes=round(budget), ranks=ranks).alternatives
