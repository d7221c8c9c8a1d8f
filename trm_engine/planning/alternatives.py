"""Smaller configurations for one that does not fit: each valid, each fitting, each a change of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trm_engine.config import Config, apply
from trm_engine.errors import ConfigError
from trm_engine.planning.costs import costs_of
from trm_engine.remedies import ChangeSettings

Settings = tuple[str, ...]


def alternatives(config: Config, fits: Callable[[Config], bool]) -> tuple[ChangeSettings, ...]:
    """Return the least change of each kind that makes `config` fit.

    Fewer rows in flight and gradient checkpointing come first, for they leave the mathematics alone; then
    fewer updates of z in a cycle (of a text model, fewer recursion steps), a smaller width, fewer layers.
    Only where none of these is enough are they taken together.
    """
    ways = (
        _fewer_rows(config),
        _checkpointing(config),
        _fewer_cycles(config),
        _smaller_width(config),
        _fewer_layers(config),
    )
    found = [settings for way in ways if (settings := _first_fitting(config, way, fits))]
    if not found:
        together = _first_fitting(config, _one_row_and_smaller(config), fits)
        found = [together] if together else []
    return tuple(map(ChangeSettings.parse, found))


def _first_fitting(
    config: Config, way: Iterator[Settings], fits: Callable[[Config], bool]
) -> Settings | None:
    for settings in way:
        try:
            changed = apply(config, settings)
        except ConfigError:
            continue  # another setting forbids it
        if fits(changed):
            return settings
    return None


def _fewer_rows(config: Config) -> Iterator[Settings]:
    micro = [f"train.micro_batch={rows}" for rows in _halved(config.micro_batch)]
    evaluated = [f"eval.batch_size={rows}" for rows in _halved(config.eval.batch_size)]
    yield from ((setting,) for setting in micro)
    yield from ((setting,) for setting in evaluated)
    if micro and evaluated:
        for index in range(max(len(micro), len(evaluated))):
            yield micro[min(index, len(micro) - 1)], evaluated[min(index, len(evaluated) - 1)]


def _checkpointing(config: Config) -> Iterator[Settings]:
    if not config.runtime.checkpointing:
        yield ("runtime.checkpointing=true",)


def _fewer_cycles(config: Config) -> Iterator[Settings]:
    name = costs_of(config).shrinks
    most: int = getattr(config.model, name)
    yield from ((f"model.{name}={cycles}",) for cycles in range(most - 1, 0, -1))


def _smaller_width(config: Config) -> Iterator[Settings]:
    """Halve the width, and the heads with it as long as they can be halved, so that each keeps its size."""
    model = config.model
    heads = model.heads
    for size in _halved(model.hidden_size):
        settings: Settings = (f"model.hidden_size={size}",)
        if model.mixer == "attention":
            heads = max(1, heads // 2)
            settings += (f"model.heads={heads}",)
        yield settings


def _fewer_layers(config: Config) -> Iterator[Settings]:
    yield from ((f"model.layers={layers}",) for layers in range(config.model.layers - 1, 0, -1))


def _one_row_and_smaller(config: Config) -> Iterator[Settings]:
    one_row = ("train.micro_batch=1", "eval.batch_size=1")
    for settings in _smaller_width(config):
        yield one_row + settings


def _halved(number: int) -> list[int]:
    halves = []
    while number > 1:
        number //= 2
        halves.append(number)
    return halves
