"""What trial steps have found on this machine, so that they are taken once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trm_engine.config import Config
from trm_engine.files import Disk, write_atomically
from trm_engine.hardware import Hardware
from trm_engine.paths import cache_folder
from trm_engine.planning.costs import costs_of, shape_of

GEMM_RATE = "matrix products"
"""The setting under which the rate of matrix products is remembered."""
_MOST = 200  # entries; the oldest go


@dataclass(frozen=True)
class Trial:
    """How fast each of the choices for one setting was, at the shapes of one configuration."""

    shape: str
    """The configuration, in words."""
    setting: str
    """Of `[runtime]`."""
    rates: dict[str, float]
    """By choice; the first is the one that needs no reason."""
    measured: str
    """When: ISO 8601, UTC."""
    unit: str = "rows/s"
    share: float = 1.0
    """Of its threads' time, how much it really computed: less where other programs took the cores."""

    @classmethod
    def now(
        cls, shape: str, setting: str, rates: Mapping[str, float], *, unit: str = "rows/s", share: float = 1.0
    ) -> Trial:
        """Return what has just been measured."""
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return cls(shape, setting, dict(rates), when, unit, share)

    def winner(self, worth: float) -> str:
        """Return the fastest choice, or the first unless another is `worth` times as fast."""
        first = next(iter(self.rates))
        best = max(self.rates, key=lambda choice: self.rates[choice])
        return best if self.rates[best] >= worth * self.rates[first] else first

    def __str__(self) -> str:
        return ", ".join(f"{choice} {rate:,.4g} {self.unit}" for choice, rate in self.rates.items())


def describe(config: Config) -> str:
    """Name the shapes of a configuration's step in a few words."""
    model = config.model
    return (
        f"{model.mixer}, D {model.hidden_size}, {model.layers} blocks, {costs_of(config).recursion(config)}, "
        f"{shape_of(config).positions} positions, {config.micro_batch} rows"
    )


class TuningCache:
    """Trials by machine, torch, shapes and what else was in force. A damaged file counts as empty.

    `fresh`: find nothing that was measured earlier.
    """

    def __init__(self, file: Path | None = None, *, fresh: bool = False) -> None:
        self.file = file or cache_folder() / "tuning.json"
        self._fresh = fresh

    def trials(self) -> list[Trial]:
        """Return everything there is, oldest first."""
        return list(self._read().values())

    def find(self, key: str) -> Trial | None:
        """Return an earlier trial."""
        return None if self._fresh else self._read().get(key)

    def put(self, key: str, trial: Trial) -> None:
        """Remember a trial; where the folder cannot be written, it is measured again next time."""
        # Read anew: another run may have added trials since. Taken out first, the key becomes the newest.
        trials = self._read()
        trials.pop(key, None)
        trials[key] = trial
        kept = dict(list(trials.items())[-_MOST:])
        text = json.dumps({key: asdict(trial) for key, trial in kept.items()}, indent=1)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Disk(), self.file, text.encode())
        except OSError:
            return

    def _read(self) -> dict[str, Trial]:
        try:
            return _FILE.validate_json(self.file.read_bytes())
        except (OSError, ValidationError):
            return {}


_FILE = TypeAdapter(dict[str, Trial])


def key_of(config: Config, hardware: Hardware, setting: str, threads: int) -> str:
    """Return what the outcome of trial steps depends on, as a hash."""
    depends: dict[str, Any] = {
        "model": config.model.model_dump(),
        "positions": shape_of(config).positions,
        "rows": config.micro_batch,
        "runtime": config.runtime.model_dump(),
        "threads": threads,
    }
    return machine_key(hardware, setting, depends)


def machine_key(hardware: Hardware, setting: str, depends: Mapping[str, Any] | None = None) -> str:
    """Return what a measurement depends on, as a hash: the machine, torch, and what else there is."""
    # Another processor, another share of its cores or another torch: measured anew.
    machine = [hardware.cpu.model, hardware.cpu.usable_cores, hardware.torch.version]
    text = json.dumps([machine, setting, depends], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_known_gemm_rate(hardware: Hardware, cache: TuningCache | None = None) -> Hardware:
    """Return the machine with the rate of its products, where it was measured earlier; measures nothing."""
    if hardware.gemm_gflops or hardware.profile:
        return hardware
    trial = (cache or TuningCache()).find(machine_key(hardware, GEMM_RATE))
    return hardware if trial is None else at_rate(hardware, trial)


def at_rate(hardware: Hardware, trial: Trial) -> Hardware:
    """Return the machine with the rate of its products as a trial has found it."""
    return hardware.model_copy(
        update={"gemm_gflops": max(trial.rates.values()), "gemm_share": min(trial.share, 1.0)}
    )
