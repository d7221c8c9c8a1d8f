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
from trm_tui.tui.keys import DEEDS, Key, Where, keys_of
from trm_tui.workbench.possible import Possible, possible
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
        self.query_one(KeyFooter).offered = self.offers(snapshot)
        header = self.query_one(SlotHeader)
        header.slots, header.snapshot = slots, snapshot
        header.frozen, header.leaving = self.trm.frozen, self.trm.leaving.when_done
        header.queued = self.trm.queue.waiting
        self.show(snapshot)

    def offers(self, snapshot: Snapshot) -> tuple[tuple[Key, str], ...]:
        """Return the rows of the key table that can be used now, each with what it does now."""
        rows = (*keys_of(self.where), *keys_of("app"))
        found = ((key, self.offer(key, snapshot)) for key in rows)
        return tuple((key, offer.label) for key, offer in found if not offer.refusal)

    def offer(self, key: Key, snapshot: Snapshot) -> Possible:
        """Say what a key does now, or why it does nothing. Screens override it for keys of their own."""
        deed = DEEDS.get(key.id)
        if deed is None:
            return Possible(key.label)
        now = possible(deed, snapshot)
        return now if deed in ("pause", "extend") else Possible(key.label, now.refusal)

    def declines(self, verb: str) -> bool:
        """Say why a key of this screen does nothing now; return whether it does nothing."""
        key = next(key for key in keys_of(self.where) if key.id == f"{self.where}.{verb}")
        refusal = self.offer(key, self.trm.workbench.snapshot()).refusal
        if refusal:
            self.trm.say(refusal, "warning")
        return bool(refusal)

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
