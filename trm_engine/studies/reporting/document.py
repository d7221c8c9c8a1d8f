"""A report as blocks, written out as Markdown or as one HTML file that needs no other."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from trm_engine.text import safe_text


@dataclass(frozen=True)
class Heading:
    """A title; level 1 is the report's own."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain words."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """Sentences in a list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows under columns; a column whose name begins with `>` is of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure: the file it is in, beside the report, and its bytes."""

    file: str
    text: str
    svg: bytes


Block: TypeAlias = "Heading | Paragraph | Bullets | Table | Picture"


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return a report as Markdown; pictures are links to their files."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def to_html(blocks: Sequence[Block]) -> str:
    """Return a report as one HTML file, its pictures in it: no scripts, nothing from elsewhere."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Report")
    body = "\n".join(_html(block) for block in blocks)
    return _PAGE.format(title=_escaped(title), style=_STYLE, body=body)


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            return _plain(text)
        case Bullets(items):
            return "\n".join(f"- {_plain(item)}" for item in items)
        case Picture(file, text):
            return f"![{_plain(text)}]({file})"
        case Table(columns, rows):
            head = [column.lstrip(">") for column in columns]
            rule = ["---:" if column.startswith(">") else "---" for column in columns]
            return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (head, rule, *rows))
    raise AssertionError(block)


def _plain(text: str) -> str:
    """Return text on one line that Markdown takes as it stands."""
    words = " ".join(safe_text(text).split())
    for mark in "\\`*_<>[]":
        words = words.replace(mark, f"\\{mark}")
    return words


def _cell(text: str) -> str:
    return text if set(text) <= {"-", ":"} and text else _plain(text).replace("|", "\\|")


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_escaped(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_escaped(text)}</p>"
        case Bullets(items):
            return "<ul>\n" + "\n".join(f"<li>{_escaped(item)}</li>" for item in items) + "\n</ul>"
        case Picture(_, text, svg):
            data = base64.b64encode(svg).decode()
            return f'<figure><img alt="{_escaped(text)}" src="data:image/svg+xml;base64,{data}"></figure>'
        case Table(columns, rows):
            right = [column.startswith(">") for column in columns]
            head = "".join(_html_cell("th", c.lstrip(">"), n) for c, n in zip(columns, right, strict=True))
            lines = [
                "<tr>" + "".join(_html_cell("td", c, n) for c, n in zip(row, right, strict=True)) + "</tr>"
                for row in rows
            ]
            inside = f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody>"
            return f'<div class="wide"><table>{inside}</table></div>'
    raise AssertionError(block)


def _html_cell(tag: str, text: str, number: bool) -> str:
    return f"<{tag}{' class=n' if number else ''}>{_escaped(text)}</{tag}>"


def _escaped(text: str) -> str:
    return html.escape(" ".join(safe_text(text).split()))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c22; background: #fff; margin: 0 }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.7rem }
h2 { font-size: 1.35rem; margin-top: 2.5rem; border-top: 1px solid #ddd; padding-top: 1rem }
h3 { font-size: 1.1rem; margin-top: 1.6rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .88rem }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
figure { margin: 1rem 0 } img { max-width: 100%; height: auto }
"""
