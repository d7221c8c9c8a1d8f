"""The line at the top: the open slots with their state, and the active run's time."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from trm_engine.text import format_seconds, one_line
from trm_tui.workbench.browser.clock import ends_at
from trm_tui.workbench.snapshot import EMPTY, RunState, Snapshot
from trm_tui.workbench.workbench import SlotView

# A sign that one column holds in every font, and the colour that goes with it.
SIGNS: dict[RunState, tuple[str, str]] = {
    "empty": (" ", "$foreground"),
    "waiting": ("…", "$text-muted"),
    "preparing": ("○", "$warning"),
    "running": ("●", "$success"),
    "pausing": ("●", "$warning"),
    "paused": ("‖", "$warning"),
    "stopping": ("■", "$warning"),
    "stopped": ("■", "$text-muted"),
    "completed": ("✓", "$success"),
    "diverged": ("✗", "$error"),
    "failed": ("✗", "$error"),
    "elsewhere": ("◌", "$success"),
}
STATE_WORDS: dict[RunState, str] = {"waiting": "queued", "elsewhere": "training elsewhere"}
"""States whose name is not what a person calls them."""
_NAME = "trm-tui"
_ROOMY = 100
"""Columns from which on the header has room for the time of day at which a run ends."""


class SlotHeader(Widget):
    """Slots at the left (click to switch), times at the right; what does not fit is left out."""

    DEFAULT_CSS = """
    SlotHeader { dock: top; height: 1; width: 1fr; background: $panel; }
    """

    slots: reactive[Sequence[SlotView]] = reactive(())
    snapshot: reactive[Snapshot] = reactive(EMPTY)
    frozen: reactive[bool] = reactive(False)
    queued: reactive[int] = reactive(0)
    """Runs that wait in the queue."""
    leaving: reactive[bool] = reactive(False)
    """Whether the app quits as soon as nothing trains any more."""

    def render(self) -> Content:
        """Fit slots and times into the line."""
        width = self.size.width
        times = self._times()
        left = self._left(width - times.cell_length - 1)
        if left.cell_length + times.cell_length + 1 > width:
            times = Content("")
        gap = max(0, width - left.cell_length - times.cell_length)
        return Content.assemble(left, " " * gap, times).truncate(width, ellipsis=True)

    async def on_click(self, event: Click) -> None:
        """Switch to the slot under the mouse, or open a new one."""
        if (action := event.style.meta.get("action")) is not None:
            await self.run_action(action)

    def _left(self, room: int) -> Content:
        """Return as much of the slots as fits: ever shorter titles, then those of the others left out."""
        name = Content.styled(f" {_NAME} ", "bold $primary")
        for longest, others in ((18, 18), (12, 12), (12, 0), (8, 0)):
            tabs = [self._tab(slot, longest if slot.active else others) for slot in self.slots]
            for parts in ([name, *tabs, _new()], [*tabs, _new()]):
                whole = Content("").join(parts)
                if whole.cell_length <= room:
                    return whole
        active = [self._tab(slot, 8) for slot in self.slots if slot.active]
        return Content("").join(active or [name])

    def _tab(self, slot: SlotView, longest: int) -> Content:
        title = one_line(slot.title, longest)
        label = f" {slot.number} {title} " if longest else f" {slot.number} "
        sign, colour = SIGNS[slot.state]
        if slot.active:
            parts = Content.assemble(
                (label, "bold $foreground on $background"), (f"{sign} ", f"{colour} on $background")
            )
        else:
            parts = Content.assemble((label, "$text-muted"), (f"{sign} ", colour))
        return parts.stylize(Style.from_meta({"action": f"app.switch({slot.number})"}))

    def _times(self) -> Content:
        snapshot = self.snapshot
        waiting = [f"{self.queued} queued"] if self.queued else []
        if self.frozen:
            return Content.styled(" display frozen · f shows live ", "bold $warning")
        if not snapshot.slot:
            return Content.styled(f" {' · '.join(waiting)} ", "$foreground") if waiting else Content("")
        parts = [*waiting, format_seconds(snapshot.seconds)]
        if snapshot.eta_seconds is not None and snapshot.state == "running":
            parts.append(f"ETA {format_seconds(snapshot.eta_seconds)}")
            end = ends_at(snapshot.eta_seconds) if self.size.width >= _ROOMY else ""
            parts += [f"ends {end}"] if end else []
        elif snapshot.state != "running":
            parts.append(STATE_WORDS.get(snapshot.state, snapshot.state))
        times = Content.styled(f" {' · '.join(parts)} ", "$foreground")
        quits = (" quits when training finishes ·", "bold $warning")
        return Content.assemble(quits, times) if self.leaving else times


def _new() -> Content:
    return Content.styled(" + ", "$text-muted").stylize(Style.from_meta({"action": "app.new_run"}))
