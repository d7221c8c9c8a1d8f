"""The machine that the editor plans for: this one as it is now, or a profile; and how fast it is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from trm_engine.config import Config, loads
from trm_engine.errors import TrmError
from trm_engine.hardware import Hardware
from trm_engine.monitoring.monitor import Sample
from trm_engine.planning.time import implied_gflops
from trm_engine.sessions import SessionRecord, Store
from trm_engine.sessions.layout import is_id
from trm_engine.text import safe_text
from trm_tui.shared.rates import disturbance
from trm_tui.workbench.snapshot import Snapshot

_MOST_READ = 30
_FEWEST_RATES = 3
_NOTICEABLE = 0.05


@dataclass(frozen=True)
class Rate:
    """A rate of matrix products in GFLOP/s, and how it came to be known."""

    gflops: float
    source: str


@dataclass(frozen=True)
class Machine:
    """What a plan needs of a machine: its memory, and its rate where that is known."""

    hardware: Hardware
    rate: Rate | None = None

    @property
    def name(self) -> str:
        """The profile's name, or `this machine`."""
        return safe_text(self.hardware.profile) or "this machine"


def this_machine(hardware: Hardware, sample: Sample, observed: Rate | None) -> Machine:
    """Return this machine with the memory that is available now.

    `observed` counts where nothing was measured. A profile that stands in for this machine keeps its memory.
    """
    if hardware.profile:
        return profile_machine(hardware)
    if sample.available_bytes is not None:
        memory = hardware.memory.model_copy(
            update={"available_bytes": sample.available_bytes, "headroom_bytes": None}
        )
        hardware = hardware.model_copy(update={"memory": memory})
    how = disturbance(hardware) or "as measured"
    measured = Rate(hardware.gemm_gflops, how) if hardware.gemm_gflops else None
    return Machine(hardware, measured or observed)


def profile_machine(hardware: Hardware) -> Machine:
    """Return a machine known by a profile."""
    rate = Rate(hardware.gemm_gflops, "from the hardware profile") if hardware.gemm_gflops else None
    return Machine(hardware, rate)


def rate_of(config: Config, samples_per_second: float, source: str) -> Rate | None:
    """Return the rate with which the estimate would have predicted the speed that a run really had."""
    gflops = implied_gflops(config, samples_per_second)
    return None if gflops is None else Rate(gflops, source)


class Observed:
    """How fast this machine is seen to be: as the run on screen goes, else as the newest session went."""

    def __init__(self) -> None:
        self.rate: Rate | None = None
        self._session = ""

    def remember(self, rate: Rate | None) -> None:
        """Take over what sessions tell, where no run on screen has told anything."""
        self.rate = self.rate if self._session else rate or self.rate

    def see(self, snapshot: Snapshot) -> bool:
        """Take over how fast a run is; return whether that says something noticeably new."""
        if snapshot.state != "running" or len(snapshot.rates) < _FEWEST_RATES or snapshot.config is None:
            return False
        rate = rate_of(snapshot.config, median(snapshot.rates), f"as {snapshot.title} runs")
        known = self.rate
        same_run = snapshot.session == self._session
        if rate is None or (same_run and known and abs(rate.gflops / known.gflops - 1) < _NOTICEABLE):
            return False
        self.rate, self._session = rate, snapshot.session
        return True


def rate_of_sessions(store: Store, hardware: Hardware | None) -> Rate | None:
    """Return the rate of the newest session that ran on this processor and tells its speed, else None.

    Reads the disk: not for the app's own thread.
    """
    return next(_rates(store, _newest(store), hardware), None)


def _newest(store: Store) -> list[str]:
    """Return the ids of the newest sessions; ids begin with the time."""
    try:
        with os.scandir(store.root) as entries:
            return sorted((entry.name for entry in entries if is_id(entry.name)), reverse=True)[:_MOST_READ]
    except OSError:
        return []


def _rates(store: Store, ids: Sequence[str], hardware: Hardware | None) -> Iterator[Rate]:
    for session_id in ids:
        try:
            session = store.get(session_id)
            speed = session.record.summary.get("samples_per_second")
            if not isinstance(speed, (int, float)) or not _ran_here(session.record, hardware):
                continue
            config = loads(session.config_text, f"session {session_id}")
        except TrmError:
            continue
        name = safe_text(session.record.name or session.record.preset or session_id)
        if rate := rate_of(config, float(speed), f"as {name} ran"):
            yield rate


def _ran_here(record: SessionRecord, hardware: Hardware | None) -> bool:
    cpu = record.hardware.get("cpu")
    return hardware is None or (isinstance(cpu, dict) and cpu.get("model") == hardware.cpu.model)
