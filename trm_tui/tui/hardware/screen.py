"""The hardware screen: what this machine is, what it is doing, and what the engine chose because of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from trm_engine.config.sections import MemoryConfig
from trm_engine.hardware import Hardware, detect
from trm_engine.text import safe_text
from trm_tui.tui.common.machine_panel import MachinePanel
from trm_tui.tui.common.panel import DecisionsPanel
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.hardware.facts import groups
from trm_tui.tui.hardware.panels import BudgetPanel, FactsPanel
from trm_tui.tui.keys import Where
from trm_tui.workbench.snapshot import Snapshot


class Page(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Everything on this screen; the screen's keys scroll it."""


class HardwareScreen(ModeScreen):
    """Facts at the left; what changes by the second, and the choices, at the right."""

    where: ClassVar[Where] = "hardware"
    CSS_PATH = "hardware.tcss"
    AUTO_FOCUS = "Page"
    detected_by: ClassVar[Callable[..., Hardware]] = staticmethod(detect)
    """What looks at the machine."""
    _detected: Hardware | None = None
    _shown: Hardware | None = None

    def body(self) -> ComposeResult:
        """Yield a line about the machine, and the panels."""
        yield Static(id="machine-line")
        with Page(id="page"), Horizontal(id="columns"):
            with Vertical(id="facts"):
                for title, _ in groups(Hardware()):
                    yield FactsPanel(title)
            with Vertical(id="live"):
                yield MachinePanel()
                yield BudgetPanel()
                yield DecisionsPanel()

    def on_mount(self) -> None:
        """Ask torch too, which the app's own detection leaves out."""
        decisions = self.query_one(DecisionsPanel)
        decisions.border_title = "Decisions of the last run"
        self.query_one(MachinePanel).can_focus = decisions.can_focus = False
        self._look("looking at the machine…")

    def show(self, snapshot: Snapshot) -> None:
        """Take over cores, memory and the run's choices; those of the last run stay when it is gone."""
        workbench = self.trm.workbench
        hardware, sample = self._detected or workbench.hardware(), workbench.machine()
        machine, budget = self.query_one(MachinePanel), self.query_one(BudgetPanel)
        machine.sample, machine.hardware = sample, hardware
        settings = snapshot.memory_settings
        machine.settings = settings if snapshot.active else None
        budget.sample, budget.hardware, budget.settings = sample, hardware, settings or MemoryConfig()
        if snapshot.decisions:
            self.query_one(DecisionsPanel).snapshot = snapshot
        if hardware is not None and hardware is not self._shown:
            self._show_facts(hardware)

    def _show_facts(self, hardware: Hardware) -> None:
        self._shown = hardware
        for panel, (_, facts) in zip(self.query(FactsPanel), groups(hardware), strict=True):
            panel.facts = facts

    # --- detection ----------------------------------------------------------------------------------------

    def action_detect(self) -> None:
        """Look again."""
        self._look("looking again…")

    @work(exclusive=True)
    async def _look(self, words: str) -> None:
        self._say(Content.styled(words, "$text-warning"))
        self._detected = await asyncio.to_thread(self._with_rates)
        self._say(self._summary(self._detected))
        self.trm.refresh_now()

    def _summary(self, found: Hardware) -> Content:
        name = found.machine if found.machine != "unknown" else found.cpu.model
        words: list[Content | tuple[str, str]] = [(safe_text(name), "bold")]
        planned = self.trm.workbench.hardware()
        if planned is not None and planned.profile:
            words.append((f" · runs are planned for {safe_text(planned.profile)}", "$text-accent"))
        return Content.assemble(*words)

    def _say(self, words: Content) -> None:
        for line in self.query("#machine-line").results(Static):  # gone where the app has just been left
            line.update(words)

    # --- scrolling ----------------------------------------------------------------------------------------

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(Page).scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by pages."""
        page = self.query_one(Page)
        page.scroll_relative(y=pages * max(page.size.height - 1, 1), animate=False)

    def action_back(self) -> None:
        """Go to the dashboard."""
        self.trm.action_mode("dashboard")

    def _with_rates(self) -> Hardware:
        """Detect this machine, and measure graphics processors where it has some that torch can use."""
        from trm_engine.tuning.device_rate import with_device_rates

        return with_device_rates(self.detected_by(with_torch=True))
