"""The machine in figures: cores and memory."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive

from trm_engine.config.sections import MemoryConfig
from trm_engine.hardware import Hardware
from trm_engine.monitoring.monitor import Sample
from trm_engine.text import format_bytes
from trm_tui.tui.common.gauges import bar, levels, parts_bar
from trm_tui.tui.common.panel import Panel, labelled
from trm_tui.workbench.memory_outlook import outlook


class MachinePanel(Panel):
    """Cores and memory."""

    BORDER_TITLE = "Machine"

    sample: reactive[Sample] = reactive(Sample(0.0), repaint=False)
    hardware: reactive[Hardware | None] = reactive(None, repaint=False)
    settings: reactive[MemoryConfig | None] = reactive(None, repaint=False)
    """How the active run guards memory; None while no run is active: then nothing would shrink."""

    watch_sample = watch_hardware = watch_settings = Panel.watch_snapshot

    def lines(self, width: int) -> list[Content]:
        """Return what to show, line by line."""
        return [*self._cores(width), *self._memory(width), *self._power(), *self._device(width)]

    def _power(self) -> list[Content]:
        """Return what may slow the machine down: a battery, a low-power mode, heat."""
        sample = self.sample
        parts: list[tuple[str, str]] = []
        if sample.plugged_in is False:
            charge = "" if sample.battery_percent is None else f" {sample.battery_percent:.0f} %"
            parts.append((f"on battery{charge}", "$text-warning"))
        if sample.saver:
            parts.append(("low-power mode", "$text-warning"))
        if sample.celsius is not None:
            parts.append((f"{sample.celsius:.0f} °C", "$text-muted"))
        if sample.speed_limit_percent is not None and sample.speed_limit_percent < 100:
            parts.append((f"throttled to {sample.speed_limit_percent:.0f} %", "$text-warning"))
        elif sample.throttle_events:
            parts.append((f"throttled {sample.throttle_events:,}×", "$text-warning"))
        if not parts:
            return []
        told = [Content.styled(words, colour) for words, colour in parts]
        return [Content(" · ").join(told)]

    def _device(self, width: int) -> list[Content]:
        device = self.sample.device
        if device is None:
            return []
        used = device.total_bytes - device.free_bytes
        parts = [
            (device.held_bytes / device.total_bytes, "$primary"),
            ((used - device.held_bytes) / device.total_bytes, "$foreground 40%"),
        ]
        told = [f"{format_bytes(used)} of {format_bytes(device.total_bytes)}"]
        told += [f"{device.load_percent:.0f} % busy"] if device.load_percent is not None else []
        told += [f"{device.watts:.0f} W"] if device.watts is not None else []
        told += [f"{device.celsius:.0f} °C"] if device.celsius is not None else []
        return [
            Content.assemble("GPU ", parts_bar(parts, max(width - 4, 1))),
            Content.styled(" · ".join(told), "$text-muted"),
        ]

    def _cores(self, width: int) -> list[Content]:
        percents = self.sample.core_percents
        if not percents:
            return [labelled("CPU", Content("measuring…"))]
        mean = sum(percents) / len(percents)
        if len(percents) > 8 or not self.screen.has_class("-tall"):
            text = levels([percent / 100 for percent in percents])[: max(width - 10, 1)]
            return [Content.assemble("CPU ", (text, "$primary"), f" {mean:3.0f} %")]
        across = 2 if len(percents) > 1 else 1
        cell = (width - 4 - len(_APART) * (across - 1)) // across
        if cell < _LEAST_CELL:
            across, cell = 1, width - 4
        lines = []
        for start in range(0, len(percents), across):
            parts = [Content("CPU " if start == 0 else "    ")]
            for core, percent in enumerate(percents[start : start + across], start):
                gap = _APART if core > start else ""
                meter = bar(percent / 100, max(cell - 6, 1), _load_colour(percent))
                parts.append(Content.assemble(gap, (f"{core} ", "$text-muted"), meter, f" {percent:3.0f}"))
            lines.append(Content("").join(parts))
        return lines

    def _memory(self, width: int) -> list[Content]:
        total = self.hardware.memory.effective_total_bytes if self.hardware else None
        available, own = self.sample.available_bytes, self.sample.rss_bytes
        if total is None or available is None:
            return []
        used = max(total - available, 0) / total
        share = min((own or 0) / total, used)
        seen = outlook(self.sample, self.settings) if self.settings else None
        colour = "$error" if seen and seen.shrinks else "$primary"
        parts = [(share, colour), (used - share, "$foreground 40%")]
        limit = None if seen is None else seen.shrink_at_bytes
        # The bar shows the whole machine: the mark is where it would stand if the run grew to its limit.
        mark = None if limit is None else used + (limit - (own or 0)) / total
        figures = f"{format_bytes(total - available)} of {format_bytes(total)} · run {format_bytes(own or 0)}"
        lines = [
            Content.assemble("RAM ", parts_bar(parts, max(width - 4, 1), mark)),
            Content.styled(figures, "$text-muted"),
        ]
        if limit is not None and seen is not None and seen.shrinks:
            lines.append(
                Content.styled(f"run above {format_bytes(limit)}: micro-batch halves", "$text-warning")
            )
        return lines


_APART = "   "
"""Between two cores: the number of one must not be read together with that of the next."""
_LEAST_CELL = 12


def _load_colour(percent: float) -> str:
    return "$primary" if percent < 95 else "$success"
