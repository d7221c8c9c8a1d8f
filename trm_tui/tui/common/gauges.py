"""Bars and sparklines of one line each, as content for a panel."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int, colour: str = "$primary") -> Content:
    """Return a bar filled to `share` (0 … 1), to an eighth of a cell."""
    filled = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, rest = divmod(filled, 8)
    text = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Content.styled(text.ljust(width), f"{colour} on $panel")


def parts_bar(parts: Sequence[tuple[float, str]], width: int, mark: float | None = None) -> Content:
    """Return a bar of several parts, each (share, colour), with a line at `mark`."""
    cells: list[tuple[str, str]] = []
    end = 0.0
    for share, colour in parts:
        end = min(end + max(share, 0.0), 1.0)
        cells += [("█", f"{colour} on $panel")] * (round(end * width) - len(cells))
    cells += [(" ", "on $panel")] * (width - len(cells))
    if mark is not None and width:
        at = min(round(mark * width), width - 1)
        sign, style = cells[at]
        colour = style.split(" on ")[0] if sign == "█" else "$panel"
        cells[at] = ("┃", f"$warning on {colour}")
    return Content.assemble(*cells)


def progress_bar(share: float, width: int, colour: str = "$primary") -> Content:
    """Return a thin bar for progress."""
    done = round(min(max(share, 0.0), 1.0) * width)
    return Content.assemble(("━" * done, colour), ("━" * (width - done), "$border-blurred"))


def sparkline(values: Sequence[float], width: int, colour: str = "$primary") -> Content:
    """Return the last `width` values as columns, from 0 to a little above the highest."""
    shown = values[-width:] if width > 0 else ()
    top = 1.2 * max(shown, default=0.0)
    text = "".join(_LEVELS[min(int(value / top * 7.999), 7)] if top > 0 else _LEVELS[0] for value in shown)
    return Content.styled(text, colour)


def levels(shares: Sequence[float]) -> str:
    """Return one column a share (0 … 1)."""
    return "".join(_LEVELS[min(int(min(max(share, 0.0), 1.0) * 7.999), 7)] for share in shares)
