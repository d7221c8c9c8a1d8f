"""The filter language, explained by examples."""

from __future__ import annotations

from textual.content import Content

from trm_tui.workbench.browser.filter import FIELDS

FILTER_HELP = (
    ("sudoku wide", "both words, in name, id, preset, task, status, tags, note"),
    ("task:sudoku tag:best", "a part of a field; every term must hold"),
    ("status:completed,stopped", "one or the other"),
    ('name="long run"', "the whole field; quotes keep blanks together"),
    ("-tag:sweep", "not"),
    ("exact>0.9", "or exact>90%"),
    ("steps>=1k params<2M", "k, M and G"),
    ("time<5m rate>800", "training time as 90s, 5m, 2h or 1:30:00; samples a second"),
    ("age<7d", "begun within a week; also h, d and w"),
    ("started:2026-03", "in that month; also 2026-03-20, 2026, today, yesterday; >, <"),
)
"""Examples, and what they find."""


def filter_help_content() -> Content:
    """Return the examples one below the other, then the names of all fields."""
    width = max(len(example) for example, _ in FILTER_HELP) + 2
    lines = [
        Content.assemble((example.ljust(width), "bold $accent"), words) for example, words in FILTER_HELP
    ]
    fields = Content.assemble(("Fields  ", "$text-muted"), ", ".join(FIELDS))
    return Content("\n").join([*lines, Content(""), fields])
