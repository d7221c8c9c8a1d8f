"""The hardware screen's panels: facts in groups, and the memory a run may plan with."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive

from trm_engine.config.sections import MemoryConfig
from trm_engine.hardware import Hardware
from trm_engine.monitoring.monitor import Sample
from trm_engine.text import format_bytes
from trm_tui.tui.common.panel import Panel
from trm_tui.tui.hardware.facts import Fact
from trm_tui.workbench.memory_outlook import outlook

_LABEL = 11


class FactsPanel(Panel):
    """One group of facts."""

    can_focus = False

    facts: reactive[Sequence[Fact]] = reactive((), layout=True)

    def __init__(self, title: str, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.border_title = Content(title)

    def lines(self, width: int) -> list[Content]:
        """Return the facts, wrapped beside their labels."""
        lines: list[Content] = []
        for label, text in self.facts:
            lines += labelled(label, Content(text), width)
        return lines


class BudgetPanel(Panel):
    """How much memory there is for a run, now."""

    can_focus = False
    BORDER_TITLE = "Memory for a run"

    sample: reactive[Sample] = reactive(Sample(0.0), layout=True)
    hardware: reactive[Hardware | None] = reactive(None, layout=True)
    settings: reactive[MemoryConfig] = reactive(MemoryConfig(), layout=True)
    """How the active run guards memory, or as one would by default."""

    def lines(self, width: int) -> list[Content]:
        """Return the budget, who has the rest, and where the limit is."""
        total = self.hardware.memory.effective_total_bytes if self.hardware else None
        available, own = self.sample.available_bytes, self.sample.rss_bytes or 0
        if total is None or available is None:
            return [Content.styled("not known", "$text-muted")]
        used = max(total - available, 0)
        if self.settings.budget_gb:
            budget = f"{format_bytes(self.settings.budget_gb * 1e9)}, as memory.budget_gb says"
        else:
            budget = f"{format_bytes(available)}, all that is available"
        lines = labelled("budget", Content.styled(budget, "bold"), width)
        lines += labelled("this app", Content(f"{format_bytes(own)} of {format_bytes(total)}"), width)
        lines += labelled("others", Content(format_bytes(max(used - own, 0))), width)
        return [*lines, *labelled("limit", Content(self._limit()), width)]

    def _limit(self) -> str:
        if not self.settings.guard:
            return "none: memory.guard is off"
        limit = outlook(self.sample, self.settings).shrink_at_bytes
        return "not known" if limit is None else f"a run above {format_bytes(limit)} halves its micro-batch"


def labelled(label: str, text: Content, width: int) -> list[Content]:
    """Return text beside a label, wrapped into its column."""
    label_width = min(_LABEL, max(width // 3, 4))
    wrapped = text.wrap(max(width - label_width, 8)) or [Content("")]
    heads = [label[: label_width - 1].ljust(label_width), *[" " * label_width] * (len(wrapped) - 1)]
    return [Content.assemble((head, "$text-muted"), line) for head, line in zip(heads, wrapped, strict=True)]
