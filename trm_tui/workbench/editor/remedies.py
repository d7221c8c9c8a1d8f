"""Ways out: changes that one key applies, each of which is known to solve the problem it is offered for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trm_engine.config import Config, FieldInfo, Value
from trm_engine.planning.devices import device_of
from trm_engine.planning.estimate import Fit, estimate, memory_budget
from trm_engine.text import format_bytes, nearest, one_line
from trm_tui.workbench.editor.draft import Draft
from trm_tui.workbench.editor.machine import Machine
from trm_tui.workbench.editor.values import show

MOST = 4
_EACH = 2
_DISTANCES = (*range(1, 40), 64, 128, 256)  # each costs a check; beyond the nearest, round ones must do
_LONGEST = 24
_AS_IT_WAS = "as it was"


@dataclass(frozen=True)
class Remedy:
    """Fields and the texts to put into them; `effect` says what comes of it."""

    texts: Mapping[str, str]
    effect: str = ""

    @property
    def label(self) -> str:
        """The change as a person reads it: `hidden_size 64, heads 2`."""
        return ", ".join(
            f"{key.rpartition('.')[2]} {one_line(text, _LONGEST) or '(empty)'}"
            for key, text in self.texts.items()
        )


def fixes(draft: Draft) -> list[Remedy]:
    """Return changes of one field each that take a problem away and bring no other.

    For every field with a problem: the nearest values that do, then another field going back to what it was.
    """
    found: list[Remedy] = []
    for key in draft.checked.problems:
        if len(found) < MOST:
            found += [remedy for remedy in _fixes_of(draft, key) if remedy not in found]
    return found[:MOST]


def _fixes_of(draft: Draft, key: str) -> list[Remedy]:
    before = draft.checked
    found: list[Remedy] = []
    tried = {draft.texts[key]}
    for value in _candidates(draft, key):
        text = show(value)
        if text in tried:
            continue
        tried.add(text)
        after = draft.with_texts({key: text}).checked
        if key not in after.problems and after.count < before.count:
            found.append(Remedy({key: text}, _AS_IT_WAS if value == draft.origin.values.get(key) else ""))
            if len(found) == _EACH:
                break
    return [*found, *_going_back(draft, key)]


def _going_back(draft: Draft, key: str) -> list[Remedy]:
    """Return the change of another field that brought the problem of `key` about, taken back."""
    for change in draft.changes:
        if change.key != key and change.a is not None:
            texts = {change.key: show(change.a)}
            after = draft.with_texts(texts).checked
            if key not in after.problems and after.count < draft.checked.count:
                return [Remedy(texts, _AS_IT_WAS)]
    return []


def _candidates(draft: Draft, key: str) -> Iterator[Value]:
    """Yield values that may do, the likeliest first."""
    info, value = draft.fields[key], draft.values[key]
    fallbacks = [known for known in (draft.initial(key), info.default) if known is not None]
    if info.choices:
        match = nearest(str(value), map(str, info.choices))
        yield from sorted(info.choices, key=lambda choice: str(choice) != match)
    elif info.type_name == "bool":
        yield not value
    elif isinstance(value, (int, float)):
        yield from _within(info, value)
    yield from fallbacks


def _within(info: FieldInfo, value: int | float) -> Iterator[int | float]:
    """Yield the bound that a number lies beyond, or the whole numbers around it, the nearest first."""
    bound = _passed_bound(info, value)
    if bound is not None:
        if math.isfinite(value):
            yield bound
    elif isinstance(value, int) and info.type_name == "int":
        for distance in _DISTANCES:
            yield from (
                near for near in (value - distance, value + distance) if _passed_bound(info, near) is None
            )


def _passed_bound(info: FieldInfo, value: int | float) -> int | float | None:
    """Return the bound that a number lies beyond, where that bound itself is allowed."""
    if info.minimum is not None and value < info.minimum and not info.above_minimum:
        return info.minimum
    if info.maximum is not None and value > info.maximum and not info.below_maximum:
        return info.maximum
    return None


@dataclass(frozen=True)
class Advice:
    """What the fit panel shows of a draft."""

    draft: Draft
    machine: Machine
    fit: Fit | None
    """None while the configuration has problems."""
    original: Fit | None
    """The fit of the configuration that the draft came from, where the draft differs from it."""
    remedies: tuple[Remedy, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether it can be run here."""
        return self.fit is not None and self.fit.fits


def advise(draft: Draft, machine: Machine) -> Advice:
    """Work out the fit and the ways out. Pure; may take a tenth of a second."""
    config = draft.checked.config
    if config is None:
        return Advice(draft, machine, None, None, tuple(fixes(draft)))
    fit = _fit(config, machine)
    original = _fit(draft.origin.config, machine) if draft.changes else None
    return Advice(draft, machine, fit, original, _smaller(draft, machine, fit))


def _fit(config: Config, machine: Machine) -> Fit:
    return estimate(
        config,
        budget_bytes=memory_budget(config, machine.hardware),
        gemm_gflops=machine.rate.gflops if machine.rate else None,
        gpu=device_of(config, machine.hardware.gpus),
    )


def _smaller(draft: Draft, machine: Machine, fit: Fit) -> tuple[Remedy, ...]:
    remedies = []
    for alternative in fit.alternatives[:MOST]:
        texts = dict(alternative.settings)
        changed = draft.with_texts(texts).checked.config
        if changed is not None:
            effect = f"needs {format_bytes(_fit(changed, machine).peak_rss_bytes)}"
            remedies.append(Remedy(texts, effect))
    return tuple(remedies)
