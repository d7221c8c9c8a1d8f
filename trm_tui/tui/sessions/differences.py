"""The table of settings in which compared sessions differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from trm_tui.tui.sessions.signs import fitted
from trm_tui.workbench.browser.comparing import Comparison

COLOURS = ("primary", "accent", "success", "secondary", "error", "warning", "foreground", "text-muted")
"""Of the theme, one a session, in the chart and above its column."""
_WIDEST = 22
_GAP = "  "


def differences_content(comparison: Comparison) -> Content:
    """Return the table, under the sessions' names in their colours."""
    lines = [Content.styled(problem, "$text-warning") for problem in comparison.problems]
    if len(comparison.sessions) < 2:
        return Content("\n").join(lines or [Content.styled("one session: nothing to compare", "$text-muted")])
    if not comparison.differences:
        return Content("\n").join([*lines, Content("the configurations are equal")])
    titles = [session.title for session in comparison.sessions]
    keys = [difference.key for difference in comparison.differences]
    first = max(cell_len(key) for key in keys)
    widths = [
        _width([title, *(difference.values[place] for difference in comparison.differences)])
        for place, title in enumerate(titles)
    ]
    lines.append(_head(titles, first, widths))
    for difference in comparison.differences:
        cells = [fitted(value, width) for value, width in zip(difference.values, widths, strict=True)]
        lines.append(
            Content.assemble((fitted(difference.key, first), "$text-muted"), _GAP, _GAP.join(cells).rstrip())
        )
    return Content("\n").join(lines)


def _head(titles: Sequence[str], first: int, widths: Sequence[int]) -> Content:
    parts: list[tuple[str, str] | str] = [" " * first]
    for place, (title, width) in enumerate(zip(titles, widths, strict=True)):
        parts += [_GAP, (fitted(title, width), f"bold ${COLOURS[place % len(COLOURS)]}")]
    return Content.assemble(*parts)


def _width(texts: Sequence[str]) -> int:
    return min(max(map(cell_len, texts)), _WIDEST)
