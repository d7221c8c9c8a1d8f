"""What would make a model for a puzzle that no session has learned: a preset, and how long it takes here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trm_engine.config import Config, list_presets
from trm_engine.config.sections import TaskConfig
from trm_engine.hardware import Hardware
from trm_engine.planning.estimate import estimate
from trm_engine.text import duration


@dataclass(frozen=True)
class Advice:
    """A command that trains a fitting model, and how long it takes here at most, where that is known."""

    preset: str
    command: str
    seconds: float | None

    def __str__(self) -> str:
        time = f" (at most {duration(self.seconds)} on this machine)" if self.seconds else ""
        return f"`{self.command}`{time}"


def advise(task: TaskConfig, machine: Callable[[], Hardware]) -> Advice | None:
    """Return the lightest preset that learns such puzzles; where none does, one with its size changed."""
    fields = task.size_fields
    shape = [getattr(task, name) for name in fields]
    presets = [preset for preset in list_presets() if preset.config.task.kind == task.kind]
    if not presets:
        return None
    same = [one for one in presets if [getattr(one.config.task, name) for name in fields] == shape]
    gflops = machine().gemm_gflops
    costs = [(_seconds(one.config, gflops), one) for one in same or presets]
    seconds, preset = min(costs, key=lambda pair: pair[0] if pair[0] is not None else 1e18)
    if same:
        return Advice(preset.name, f"trm-tui run {preset.name}", seconds)
    changes = " ".join(f"--set task.{name}={value}" for name, value in zip(fields, shape, strict=True))
    changed = preset.config.task.model_copy(update=dict(zip(fields, shape, strict=True)))
    seconds = _seconds(preset.config.model_copy(update={"task": changed}), gflops)
    return Advice(preset.name, f"trm-tui run {preset.name} {changes}", seconds)


def _seconds(config: Config, gflops: float | None) -> float | None:
    return estimate(config, gemm_gflops=gflops).seconds if gflops else None
