"""The base of every mode's screen: header with slots, body, footer, keys from the one table."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, ParamSpec, TypeVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from trm_tui.tui.bindings import bindings_of
from trm_tui.tui.common.footer import KeyFooter
from trm_tui.tui.common.header import SlotHeader
from trm_tui.tui.host import Host, host_of
from trm_tui.tui.keys import Where
from trm_tui.workbench.snapshot import Snapshot
from trm_tui.workbench.workbench import SlotView

P = ParamSpec("P")
R = TypeVar("R")


class ModeScreen(Screen[None]):
    """A screen of the app. Subclasses set `where`, yield their widgets from `body` and override `show`.

    Their keys are the rows of `where` in `trm_tui.tui.keys`; actions are `action_*` methods.
    Styles go into a file of their own beside the module: `CSS_PATH = "name.tcss"`.
    """

    where: ClassVar[Where]

    # Classes that a screen has by its size: style with `.-narrow`, `.-wide`, `.-tiny`, `.-short`, `.-tall`.
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it on instances
        (0, "-tiny"),
        (46, "-narrow"),
        (78, "-normal"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it on instances
        (0, "-flat"),
        (12, "-short"),
        (20, "-middle"),
        (36, "-tall"),
    ]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if where := cls.__dict__.get("where"):
            cls.BINDINGS = bindings_of(where)
        super().__init_subclass__(**kwargs)

    @property
    def trm(self) -> Host:
        """The app: `.workbench`, `.store`, `.settings`, and what starts runs."""
        return host_of(self.app)

    def compose(self) -> ComposeResult:
        """Put the body between header and footer."""
        yield SlotHeader()
        with Container(id="body"):
            yield from self.body()
        yield KeyFooter(self.where)

    def take(self, slots: Sequence[SlotView], snapshot: Snapshot) -> None:
        """Take over what is new, header included. Called by the app on its timer, in one batch."""
        if not self.has_widgets:
            return
        self.query_one(KeyFooter).has_run = bool(slots)
        header = self.query_one(SlotHeader)
        header.slots, header.snapshot, header.frozen = slots, snapshot, self.trm.frozen
        self.show(snapshot)

    @property
    def has_widgets(self) -> bool:
        """Whether its widgets are there: at the very end a timer or a worker may outlive them."""
        return bool(self.query(KeyFooter))

    async def beside(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """Return what a function returns that runs in a thread beside the app's own.

        Where the screen has gone meanwhile, the worker that waits is cancelled instead: there is nothing left
        to show the result in.
        """
        result = await asyncio.to_thread(function, *arguments, **options)
        if not self.has_widgets:
            raise asyncio.CancelledError
        return result

    @abstractmethod
    def body(self) -> ComposeResult:
        """Yield the widgets between header and footer."""

    def show(self, snapshot: Snapshot) -> None:
        """Take over what is new in the active run. Called only while this screen is the one seen."""

    def search(self) -> None:
        """Put the cursor into this screen's filter, if it has one (`/`)."""

    def unsaved(self) -> str:
        """Return what would be lost if the app ended now, for people: `edits of sudoku-4x4`; or nothing."""
        return ""
