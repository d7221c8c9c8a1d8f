"""The first screen where there is nothing yet: pick a preset, press enter, it trains."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from trm_engine.text import format_bytes
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.keys import Key, Where
from trm_tui.tui.presets.download import download_for
from trm_tui.tui.presets.preset_list import PresetChooser
from trm_tui.workbench.possible import Possible
from trm_tui.workbench.snapshot import Snapshot


class WelcomeScreen(ModeScreen):
    """A few words, the presets, and what machine this is."""

    where: ClassVar[Where] = "welcome"
    CSS_PATH = "presets.tcss"
    AUTO_FOCUS = "OptionList"

    def __init__(self) -> None:
        super().__init__()
        self._asked_early = False

    def body(self) -> ComposeResult:
        """Yield the words and the list."""
        with Vertical(id="welcome"):
            yield Static(_words(), id="words")
            with Container(id="presets") as presets:
                presets.border_title = "Presets"
                presets.border_subtitle = "enter train · e edit · a queue · d download · ? help"
                yield PresetChooser()
            yield Static(id="this-machine", markup=False)

    def show(self, snapshot: Snapshot) -> None:  # noqa: ARG002  # there is no run here
        """List the presets when they are known, and the machine."""
        self.query_one(PresetChooser).show(self.trm.presets, self.trm.prospects)
        if self.trm.presets and self._asked_early:
            self._asked_early = False
            self.action_run_preset()
            return
        hardware = self.trm.workbench.hardware()
        if hardware is not None:
            memory = hardware.memory.effective_total_bytes
            cores = hardware.cpu.usable_physical_cores or hardware.cpu.usable_cores
            words = [
                hardware.cpu.model,
                f"{cores} cores" if cores else "",
                format_bytes(memory) if memory else "",
            ]
            self.query_one("#this-machine", Static).update(Content(" · ".join(filter(None, words))))

    def offer(self, key: Key, snapshot: Snapshot) -> Possible:
        """Leave out the dashboard, in whose place this screen stands, and the keys that mean other things."""
        if key.id in ("go.dashboard", "go.config"):
            return Possible(key.label, "This is Welcome; the dashboard comes with a run.")
        return super().offer(key, snapshot)

    @on(OptionList.OptionSelected)
    def action_run_preset(self) -> None:
        """Train the chosen preset; as soon as the presets are known, for a person who is faster than that."""
        preset = self.query_one(PresetChooser).chosen
        if preset is not None:
            self.trm.take_preset("run", preset)
        else:
            self._asked_early = True

    def action_edit_preset(self) -> None:
        """Open the chosen preset in the editor."""
        self._take("edit")

    def action_queue_preset(self) -> None:
        """Have the chosen preset run after what is queued already."""
        self._take("queue")

    def action_download(self) -> None:
        """Download what the chosen preset learns from."""
        preset = self.query_one(PresetChooser).chosen
        if preset is not None:
            download_for(self.app, preset.config)

    def _take(self, what: str) -> None:
        preset = self.query_one(PresetChooser).chosen
        if preset is None:
            self.trm.say("The presets are still being read.")
        else:
            self.trm.take_preset(what, preset)


def _words() -> Content:
    return Content.assemble(
        ("Train a tiny recursive model on this machine.\n", "bold"),
        ("Pick a preset and press ", "$text-muted"),
        ("enter", "bold $accent"),
        (": it trains, and you watch. ", "$text-muted"),
        ("?", "bold $accent"),
        (" shows all keys.", "$text-muted"),
    )
