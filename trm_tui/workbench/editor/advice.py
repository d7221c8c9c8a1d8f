"""What a draft would cost on a machine, and the ways out where it cannot be run."""

from __future__ import annotations

from dataclasses import dataclass

from trm_engine.config import Config
from trm_engine.planning.estimate import Fit, estimate, memory_budget
from trm_engine.text import format_bytes
from trm_tui.workbench.editor.draft import Draft
from trm_tui.workbench.editor.machine import Machine
from trm_tui.workbench.editor.remedies import MOST, Remedy, fixes


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
