"""What can be trained by name: own presets, recent configurations, shipped ones; and what each costs here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from trm_engine.config import Config, Preset, list_own, list_presets, loads
from trm_engine.config.diff import trial_digest
from trm_engine.errors import TrmError
from trm_engine.planning.devices import device_of
from trm_engine.planning.estimate import estimate, memory_budget
from trm_engine.planning.time import from_light_to_heavy
from trm_engine.sessions import SessionRecord, Store
from trm_engine.tasks.availability import Availability, availability
from trm_engine.text import safe_text
from trm_tui.workbench.editor.machine import Machine, Rate

MOST_RECENT = 5
_MOST_READ = 30

Place: TypeAlias = tuple[str, str]
"""The group and the name of a preset."""


@dataclass(frozen=True)
class Prospect:
    """What a configuration would take on a machine, before it runs."""

    parameters: int
    at_most: bool
    """Whether `parameters` is a bound: the task's data decide."""
    memory_bytes: int
    """The most memory that the process will hold."""
    seconds: float | None
    """Of the whole run; None without a known rate."""
    fits: bool
    data: Availability
    rate: Rate | None = None
    """What `seconds` is predicted with."""

    @property
    def basis(self) -> str:
        """The same for people; empty where nothing is predicted."""
        return f"with {self.rate.gflops:,.0f} GFLOP/s, {self.rate.source}" if self.rate else ""


def place(preset: Preset) -> Place:
    """Return what tells a preset from all others of a list."""
    return preset.group, preset.name


def list_all(store: Store) -> tuple[list[Preset], list[str]]:
    """Return own presets, recent configurations and shipped presets, and what is wrong with own ones.

    Own ones: the last saved first; shipped ones: from light to heavy. Reads the disk.
    """
    own, problems = list_own()
    shipped = from_light_to_heavy(list_presets())
    return [*own, *recent(store, [*own, *shipped]), *shipped], problems


def recent(store: Store, known: Iterable[Preset], most: int = MOST_RECENT) -> list[Preset]:
    """Return what the newest sessions ran with, each configuration once, without those of `known` presets."""
    try:
        records = store.list()
    except TrmError:
        return []
    seen = {trial_digest(preset.config) for preset in known}
    found: list[Preset] = []
    for record in sorted(records, key=lambda record: record.created, reverse=True)[:_MOST_READ]:
        if len(found) == most:
            break
        config = None if record.trial in seen else _config_of(store, record)
        if config is not None and (digest := trial_digest(config)) not in seen:
            seen.add(digest)
            found.append(_recent(store, record, config, {preset.name for preset in found}))
    return found


def prospects(presets: Sequence[Preset], machine: Machine) -> Mapping[Place, Prospect]:
    """Return what each preset would take on a machine. Looks for its data on the disk."""
    return {place(preset): prospect(preset.config, machine) for preset in presets}


def prospect(config: Config, machine: Machine) -> Prospect:
    """Return what a configuration would take on a machine."""
    fit = estimate(
        config,
        budget_bytes=memory_budget(config, machine.hardware),
        gemm_gflops=machine.rate.gflops if machine.rate else None,
        gpu=device_of(config, machine.hardware.gpus),
    )
    return Prospect(
        parameters=fit.parameters,
        at_most=not fit.parameters_exact,
        memory_bytes=fit.peak_rss_bytes,
        seconds=fit.seconds,
        fits=fit.fits,
        data=availability(config.task),
        rate=machine.rate,
    )


def about(preset: Preset) -> str:
    """Return a preset's title; for one without, what it is, read from its settings."""
    config = preset.config
    if config.title and preset.group != "recent":
        return safe_text(config.title)
    return ", ".join(_facts(config))


def _facts(config: Config) -> Iterator[str]:
    called = config.task.called
    yield called[:1].upper() + called[1:]
    model = config.model
    layers = "layer" if model.layers == 1 else "layers"
    yield f"{model.layers} {layers} of {model.hidden_size}"
    yield f"{config.train.steps:,} steps"


def _config_of(store: Store, record: SessionRecord) -> Config | None:
    if record.status == "damaged":
        return None
    try:
        return loads(store.config_text(record.id), f"session {record.id}")
    except TrmError:
        return None


def _recent(store: Store, record: SessionRecord, config: Config, taken: set[str]) -> Preset:
    name = safe_text(record.name or record.preset or record.id)
    name = name if name not in taken else f"{name} ·{record.id[-4:]}"
    return Preset(name, store.root / record.id, config, "recent", record.preset)
