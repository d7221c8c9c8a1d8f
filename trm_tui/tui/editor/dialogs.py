"""What the configuration editor asks: which source, which machine, and how two configurations differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.config import Change
from trm_engine.errors import TrmError
from trm_engine.hardware import Hardware, load_profile, profile_names
from trm_engine.text import format_bytes, one_line, safe_text
from trm_tui.tui.common.dialogs import Dialog, boxed
from trm_tui.tui.host import host_of
from trm_tui.workbench.editor.sources import Source, of_path, of_presets, of_sessions
from trm_tui.workbench.editor.values import show

T = TypeVar("T")
_MOST_LISTED = 200
_LONGEST_NAME = 28
_CURSOR_KEYS = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up", "pagedown": "page_down"}


@dataclass(frozen=True)
class Item(Generic[T]):
    """One thing to pick: what it is called, what is said about it, what it stands for."""

    name: str
    about: str
    value: T


class Pick(Dialog[T]):
    """A list that typing narrows; enter takes the one that is highlighted."""

    DEFAULT_CSS = """
    Pick > .box { width: 90; padding: 0 2 1 2; }
    Pick OptionList { max-height: 14; text-wrap: nowrap; text-overflow: ellipsis; }
    Pick Input { margin-top: 0; }
    Pick .none { color: $text-muted; display: none; }
    Pick.-low Input { margin-top: 0; border: none; }
    """

    def __init__(
        self,
        title: str,
        items: Sequence[Item[T]] = (),
        *,
        hint: str = "type to narrow the list",
        typed: Callable[[str], Item[T] | None] = lambda _: None,
    ) -> None:
        """`typed` may make an item of what was typed, such as a file's path."""
        super().__init__()
        self._title = title
        self._items = list(items)
        self._listed: list[Item[T]] = []
        self._hint = hint
        self._typed = typed

    def compose(self) -> ComposeResult:
        """Show the field and the list."""
        with boxed(self._title, "↑ ↓ choose · enter take · esc back"):
            yield Input(placeholder=self._hint)
            yield OptionList()
            yield Static("nothing has that in its name", classes="none", markup=False)

    def on_mount(self) -> None:
        """List what is known, and begin to read the rest."""
        self.query_one(OptionList).can_focus = False
        self._fill("")
        self.run_worker(self.read(), exit_on_error=False)

    async def read(self) -> None:
        """Read what takes longer, and `add` it."""

    def add(self, items: Sequence[Item[T]]) -> None:
        """List more."""
        self._items += items
        self._fill(self.query_one(Input).value)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _take(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._listed:
            self.dismiss(self._listed[highlighted].value)

    def on_key(self, event: Key) -> None:
        """Move in the list while the field has the focus."""
        if event.key in _CURSOR_KEYS:
            event.prevent_default().stop()
            getattr(self.query_one(OptionList), f"action_{_CURSOR_KEYS[event.key]}")()

    def _fill(self, text: str) -> None:
        words = text.lower().split()
        found = [item for item in self._items if all(w in f"{item.name} {item.about}".lower() for w in words)]
        if made := self._typed(text):
            found.insert(0, made)
        self._listed = found[:_MOST_LISTED]
        options = self.query_one(OptionList)
        options.clear_options()
        width = min(max((len(item.name) for item in self._items), default=0), _LONGEST_NAME)
        options.add_options(Option(_entry(item, width)) for item in self._listed)
        options.highlighted = 0 if self._listed else None
        self.query_one(".none").display = not self._listed


def _entry(item: Item[T], width: int) -> Content:
    return Content.assemble((safe_text(item.name).ljust(width), "bold"), f"  {one_line(item.about, None)}")


class PickSource(Pick[Source]):
    """A preset, a session, or the path of a file."""

    def __init__(self, title: str, first: Sequence[Source] = ()) -> None:
        super().__init__(
            title, _items(first), hint="type to narrow the list, or the path of a .toml file", typed=_file
        )

    async def read(self) -> None:
        """List the presets, then the sessions, which are read beside the app's own thread."""
        app = host_of(self.app)
        self.add(_items(of_presets(app.presets)))
        try:
            sessions = await asyncio.to_thread(lambda: _items(of_sessions(app.store.list())))
        except TrmError as error:
            app.say(str(error), "error")
            return
        self.add(sessions)


def _items(sources: Sequence[Source]) -> list[Item[Source]]:
    return [Item(source.name, f"{source.kind} · {source.about}", source) for source in sources]


def _file(text: str) -> Item[Source] | None:
    source = of_path(text)
    return Item(source.ref.strip(), "read this file", source) if source else None


class PickMachine(Pick[tuple[Hardware | None]]):
    """The machine to plan for: a profile, or (None,) for this one."""

    def __init__(self) -> None:
        super().__init__("Plan for", [Item("this machine", "the detected machine, as it is now", (None,))])

    async def read(self) -> None:
        """List the profiles, read beside the app's own thread."""
        try:
            profiles = await asyncio.to_thread(lambda: [load_profile(name) for name in profile_names()])
        except TrmError as error:
            host_of(self.app).say(str(error), "error")
            return
        self.add([Item(profile.profile, _machine(profile), (profile,)) for profile in profiles])


def _machine(profile: Hardware) -> str:
    memory = profile.memory.effective_available_bytes
    leaves = f" · {format_bytes(memory)} available" if memory else ""
    return f"{profile.title}{leaves}"


class Differences(Dialog[str]):
    """Where the draft differs from another configuration. Answers with the field that was taken."""

    DEFAULT_CSS = """
    Differences > .box { width: 100; }
    Differences OptionList { margin-top: 0; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, other: str, changes: Sequence[Change]) -> None:
        super().__init__()
        self._other = other
        self._changes = changes

    def compose(self) -> ComposeResult:
        """Show one line a difference."""
        count = len(self._changes)
        title = f"{count} difference{'' if count == 1 else 's'} from {self._other}"
        with boxed(title, "enter goes to the field · esc back" if count else "esc back"):
            if not count:
                yield Static("Every setting is the same.")
                return
            width = max(len(change.key) for change in self._changes)
            yield OptionList(*(Option(_change(change, width)) for change in self._changes))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._changes[event.option_index].key)


def _change(change: Change, width: int) -> Content:
    # No colours: they would not show on the highlighted line.
    return Content.assemble(f"{change.key.ljust(width)}  {_value(change.a)} → ", (_value(change.b), "bold"))


def _value(value: str | int | float | bool | None) -> str:
    if value is None:
        return "(no such setting)"
    return one_line(show(value), 48) or "(empty)"
