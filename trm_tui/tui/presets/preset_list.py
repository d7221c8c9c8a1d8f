"""The shipped presets as a list to choose from, with what to expect of the one that is highlighted."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.config import Preset
from trm_engine.text import one_line, safe_text


class PresetChooser(Vertical):
    """One preset a line; below, the words of the highlighted one."""

    DEFAULT_CSS = """
    PresetChooser {
        height: auto;
        OptionList {
            height: auto; max-height: 1fr; border: none; padding: 0; background: transparent;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        OptionList:focus { border: none; background: transparent; background-tint: transparent 0%; }
        .expect { height: auto; min-height: 4; margin-top: 1; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._presets: list[Preset] = []

    def compose(self) -> ComposeResult:
        """Yield list and words."""
        yield OptionList(disabled=True)  # without presets it would swallow the keys that it cannot answer
        yield Static(Content("reading the presets…"), classes="expect")

    def show(self, presets: Sequence[Preset]) -> None:
        """List these presets; the choice stays where it was."""
        if [preset.name for preset in presets] == [preset.name for preset in self._presets]:
            return
        self._presets = list(presets)
        listed = self.query_one(OptionList)
        chosen = listed.highlighted or 0
        width = max((len(preset.name) for preset in presets), default=0)
        listed.clear_options()
        listed.add_options(
            Option(
                Content.assemble(
                    (f" {preset.name.ljust(width)}  ", "bold $primary"), safe_text(preset.config.title)
                )
            )
            for preset in presets
        )
        listed.highlighted = min(chosen, len(self._presets) - 1) if self._presets else None
        listed.disabled = not self._presets
        if self._presets and self.screen.focused is None:
            listed.focus()

    @property
    def chosen(self) -> Preset | None:
        """The highlighted preset."""
        highlighted = self.query_one(OptionList).highlighted
        return self._presets[highlighted] if highlighted is not None and self._presets else None

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        if self.chosen is not None:
            words = one_line(self.chosen.config.expect, None)
            self.query_one(".expect", Static).update(Content(words))
