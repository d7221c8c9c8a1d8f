"""The base of every mode's screen: header with slots, body, footer, keys from the one table."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen

from trm_tui.tui.keys import Where
from trm_tui.tui.recorder import Snapshot

if TYPE_CHECKING:
    from trm_tui.tui.app import TrmApp


class ModeScreen(Screen[None]):
    """A screen of the app. Subclasses set `where`, yield their widgets from `body` and override `show`.

    Their keys are the rows of `where` in `trm_tui.tui.keys`; actions are `action_*` methods here or on the app.
    Styles go into a file of their own beside the module: `CSS_PATH = "name.tcss"`.
    """

    where: ClassVar[Where]

    @property
    def trm(self) -> TrmApp:
        """The app, by its own type: `.workbench`, `.store`, `.settings`, and what starts runs."""
        return cast("TrmApp", self.app)

    @abstractmethod
    def body(self) -> ComposeResult:
        """Yield the widgets between header and footer."""

    def show(self, snapshot: Snapshot) -> None:
        """Take over what is new. Called on the app's timer, while this screen is the one seen, in one batch."""

    def search(self) -> None:
        """Put the cursor into this screen's filter, if it has one (`/`)."""
