"""How results are written: tables for people, JSON for programs, both on stdout; the rest on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trm_engine.json_text import to_json
from trm_engine.text import safe_text
from trm_tui.shared.contrast import ink_on

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def print_json(value: object) -> None:
    """Write one JSON value on one line; numbers that are none become null."""
    unicode = (getattr(sys.stdout, "encoding", None) or "ascii").lower().startswith("utf")
    sys.stdout.write(to_json(value, ascii_only=not unicode) + "\n")
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Write text as it is, without what could drive the terminal."""
    sys.stdout.write(safe_text(text).rstrip("\n") + "\n")


def notice(text: str) -> None:
    """Write a line for people on stderr."""
    sys.stderr.write(safe_text(text) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Write a table; columns whose name starts with `>` are right-aligned."""
    table = Table(title=_title(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        side: Literal["left", "right"] = "right" if column.startswith(">") else "left"
        table.add_column(_plain(column.removeprefix(">")), justify=side)
    for row in rows:
        table.add_row(*map(_plain, row))
    _console().print(table)


def print_facts(facts: Iterable[tuple[str, object]], *, title: str = "") -> None:
    """Write pairs of a name and a value, one a line."""
    table = Table(title=_title(title), title_justify="left", box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in facts:
        table.add_row(_plain(name), _plain(value))
    _console().print(table)


def _plain(value: object) -> Text:
    """Return what stands in a table: all of it comes from files, names and titles too, and drives nothing."""
    return Text(safe_text(str(value)))


def _title(title: str) -> Text | None:
    return _plain(title) if title else None


def print_grid(rows: Iterable[Sequence[str]], palette: Mapping[str, str], drawing: str) -> None:
    """Write a grid of symbols in the colours that a palette gives them; without colours, write `drawing`."""
    console = _console()
    if not palette or not console.is_terminal or console.color_system is None:
        print_text(drawing)
        return
    for row in rows:
        line = Text()
        for symbol in map(safe_text, row):
            colour = palette.get(symbol, "")
            # Two characters a cell: about as high as wide.
            line.append(f"{symbol:<2}", style=f"{ink_on(colour)} on {colour}" if colour else "")
        console.print(line)


def print_marked(rows: Iterable[Sequence[str]], marked: AbstractSet[int]) -> None:
    """Write a grid of symbols with a `!` behind each of the given cells, counted along the rows from 0."""
    cell = 0
    for row in rows:
        line = Text()
        for symbol in map(safe_text, row):
            is_marked = cell in marked
            line.append(f"{symbol or ' '}{'!' if is_marked else ' '}", style="bold red" if is_marked else "")
            cell += 1
        _console().print(line)


def _console() -> Console:
    # Where stdout is no terminal, lines must not be cut to 80 columns.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)
