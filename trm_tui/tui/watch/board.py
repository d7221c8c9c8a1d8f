"""Grids as text with styles: the largest drawing that there is room for.

A cell tells without colour what it is: `•` in front of what has just changed, `×` after what is wrong, clues
are bold and empty cells a dot. Where a task gives a symbol a colour, the cell is painted with it, and those
signs alone tell right from wrong; in the smallest drawing they then stand in place of the symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from trm_tui.shared.contrast import ink_on
from trm_tui.workbench.watch.trace import Cell, Frame

STYLES = {
    "hidden": "",
    "blank": "$text-disabled",
    "given": "bold $foreground",
    "right": "$text-success",
    "wrong": "bold $text-error",
    "answer": "$text-primary",
}
CHANGED = "•"
WRONG = "×"
_BLANK = "·"
_LINE = "$border"
_GROUND_CHANGED = "$accent 22%"
_GROUND_WRONG = "$error 22%"


@dataclass(frozen=True)
class Drawing:
    """How large cells are, and where lines are drawn."""

    wide: int
    high: int
    lines: str
    """`all`, those around `boxes`, or `none`."""

    def size(self, rows: int, columns: int, box: tuple[int, int]) -> tuple[int, int]:
        """Return width and height of a grid."""
        across, down = len(_breaks(columns, box[1], self.lines)), len(_breaks(rows, box[0], self.lines))
        return columns * self.wide + across, rows * self.high + down


DRAWINGS = (
    Drawing(7, 3, "all"),
    Drawing(3, 1, "all"),
    Drawing(3, 1, "boxes"),
    Drawing(3, 1, "gaps"),
    Drawing(3, 1, "none"),
    Drawing(2, 1, "none"),
    Drawing(1, 1, "none"),
)
"""From large to small."""


def fitting(rows: int, columns: int, box: tuple[int, int], room: tuple[int, int]) -> Drawing:
    """Return the largest drawing that fits into `room` (width, height).

    Where none does, the largest of one line a row that is not too wide: it can be scrolled.
    """
    sizes = [(drawing, *drawing.size(rows, columns, box)) for drawing in DRAWINGS]
    for drawing, width, height in sizes:
        if width <= room[0] and height <= room[1]:
            return drawing
    low = (drawing for drawing, width, _ in sizes if width <= room[0] and drawing.lines == "none")
    return next(low, DRAWINGS[-1])


def draw(frame: Frame, box: tuple[int, int], drawing: Drawing, *, confidence: bool = False) -> list[Content]:
    """Return the lines of a grid; with `confidence`, how sure each cell is instead of its symbol."""
    rows = frame.rows
    columns = max(map(len, rows), default=0)
    across, down = _breaks(columns, box[1], drawing.lines), _breaks(len(rows), box[0], drawing.lines)
    lines: list[Content] = []
    for number, row in enumerate(rows):
        if number in down:
            lines.append(_rule(number, len(rows), columns, across, box, drawing))
        lines += _cells(row, columns, across, drawing, confidence)
    if len(rows) in down:
        lines.append(_rule(len(rows), len(rows), columns, across, box, drawing))
    return lines


def _breaks(count: int, box: int, lines: str) -> dict[int, bool]:
    """Return before which rows or columns there is a line, and whether it bounds a box."""
    edges = {0: True, count: True}
    if lines == "all":
        return {place: place in edges or (box > 0 and place % box == 0) for place in range(count + 1)}
    inner = dict.fromkeys(range(box, count, box), True) if box else {}
    if lines == "boxes":
        return {**edges, **inner}
    return inner if lines == "gaps" else {}


def _cells(
    row: Sequence[Cell],
    columns: int,
    across: dict[int, bool],
    drawing: Drawing,
    confidence: bool,
) -> list[Content]:
    """Return the lines of text of one row of cells."""
    lines = []
    for part in range(drawing.high):
        pieces: list[tuple[str, str] | Content] = []
        for column in range(columns):
            if column in across:
                pieces.append((_bar(across[column], drawing), _LINE))
            cell = row[column] if column < len(row) else Cell("", "hidden")
            pieces.append(_cell(cell, drawing, part, confidence))
        if columns in across:
            pieces.append((_bar(across[columns], drawing), _LINE))
        lines.append(Content.assemble(*pieces))
    return lines


def _cell(cell: Cell, drawing: Drawing, part: int, confidence: bool) -> Content:
    middle = drawing.high // 2
    text = ""
    if cell.kind != "hidden" and part == middle:
        text = _text(cell, drawing.wide, confidence)
    elif cell.kind in ("right", "wrong", "answer") and part == drawing.high - 1:
        text = f"{cell.confidence:>4.0%}".center(drawing.wide)
    style = STYLES[cell.kind] if part == middle else "$text-muted"
    if cell.kind != "hidden" and cell.colour:
        weight = "bold " if cell.kind in ("given", "wrong") and part == middle else ""
        style = f"{weight}{ink_on(cell.colour)} on {cell.colour}"
    elif cell.kind != "hidden" and cell.changed:
        style += f" on {_GROUND_CHANGED}"
    elif cell.kind == "wrong":
        style += f" on {_GROUND_WRONG}"
    return Content.styled(text.ljust(drawing.wide), style)


def _text(cell: Cell, width: int, confidence: bool) -> str:
    symbol = _BLANK if cell.kind == "blank" else cell.symbol
    before = CHANGED if cell.changed else " "
    after = WRONG if cell.kind == "wrong" else " "
    if confidence and cell.kind in ("right", "wrong", "answer") and width >= 2:
        percent = f"{min(round(100 * cell.confidence), 99):2d}"
        return (percent + after if width == 3 else percent).center(width)
    if width == 1:
        # There is room for one thing only: the symbol, unless its colour or its absence tells it already.
        told = cell.colour or not symbol.strip()
        return WRONG if told and cell.kind == "wrong" else CHANGED if told and cell.changed else symbol
    if width == 2:
        return symbol + (after if after != " " else before)
    return f"{before}{symbol}{after}".center(width)


def _bar(bold: bool, drawing: Drawing) -> str:
    return " " if drawing.lines == "gaps" else "┃" if bold else "│"


def _rule(
    place: int, rows: int, columns: int, across: dict[int, bool], box: tuple[int, int], drawing: Drawing
) -> Content:
    if drawing.lines == "gaps":
        return Content("")
    bold = place in (0, rows) or (box[0] > 0 and place % box[0] == 0)
    dash = "━" if bold else "─"
    text = ""
    for column in range(columns + 1):
        if column in across:
            text += _crossing(place, rows, column, columns, bold, across[column])
        if column < columns:
            text += dash * drawing.wide
    return Content.styled(text, _LINE)


def _crossing(place: int, rows: int, column: int, columns: int, bold: bool, bold_across: bool) -> str:
    """Return the sign where a horizontal and a vertical line meet."""
    if column in (0, columns):
        left = column == 0
        if place == 0:
            return "┏" if left else "┓"
        if place == rows:
            return "┗" if left else "┛"
        return ("┣" if bold else "┠") if left else ("┫" if bold else "┨")
    if place == 0:
        return "┳" if bold_across else "┯"
    if place == rows:
        return "┻" if bold_across else "┷"
    return {(True, True): "╋", (True, False): "┿", (False, True): "╂", (False, False): "┼"}[bold, bold_across]
