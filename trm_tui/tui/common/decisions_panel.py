"""What the engine decided by itself."""

from __future__ import annotations

from textual.content import Content

from trm_tui.tui.common.panel import Panel


class DecisionsPanel(Panel):
    """What the engine chose by itself, and why."""

    BORDER_TITLE = "Decisions"

    def lines(self, width: int) -> list[Content]:
        """Return what to show, line by line."""
        lines = []
        for decision in self.snapshot.decisions:
            lines.append(Content.assemble((f"{decision.subject} ", "$text-muted"), (decision.choice, "bold")))
            wrapped = Content.styled(decision.reason, "$text-muted").wrap(max(width - 2, 1))
            lines += [Content.assemble("  ", line) for line in wrapped]
        return lines or [Content.styled("none yet", "$text-muted")]
