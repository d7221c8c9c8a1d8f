"""The filter of the session browser: `task:sudoku exact>0.9 tag:best -status:failed steps>=1k free text`.

Terms are separated by spaces, and all must hold. A term is `field operator value`, or text to be found
anywhere in a session's name, id, preset, task, status, tags or note; `-` in front turns it round; quotes keep
blanks together. In fields of text `:` finds the value within and `=` the whole, in small or capital letters
alike, and commas separate alternatives. Fields of figures compare with `>`, `>=`, `<`, `<=` and `=`, which a
session without the figure never fits; `!=` is the opposite of `=`. A setting is a field by its dotted name:
`train.lr>1e-3`, `model.mixer=mlp`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from trm_engine.config import describe
from trm_engine.errors import UsageError
from trm_engine.text import did_you_mean, safe_text
from trm_tui.workbench.browser.filter_values import (
    Reader,
    read_date,
    read_duration,
    read_exactly,
    read_number,
    read_share,
)
from trm_tui.workbench.browser.session_row import SessionRow

Predicate = Callable[[SessionRow], bool]

_TERM = re.compile(
    r"""(?P<turned>-)?
    (?:(?P<field>[A-Za-z][\w/]*(?:\.\w+)?)(?P<operator>>=|<=|!=|[:=<>]))?
    (?P<value>(?:"[^"]*"?|[^\s"])*)""",
    re.VERBOSE,
)
_PIECES = re.compile(r'"([^"]*)"?|([^",]+)|(,)')
_SHOWN = 40


class FilterError(UsageError):
    """A filter that cannot be understood; `start` and `end` bound the part of the text that is meant.

    `rest` is what its other terms ask for.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.rest = Filter()


@dataclass(frozen=True)
class Filter:
    """Says whether a row is wanted."""

    terms: tuple[Predicate, ...] = ()
    needs_settings: bool = False
    """Whether a term is about a setting: rows without their settings do not fit it."""

    def __call__(self, row: SessionRow) -> bool:
        """Return whether every term holds."""
        return all(term(row) for term in self.terms)

    def of(self, rows: Iterable[SessionRow]) -> list[SessionRow]:
        """Return the rows that fit, in their order."""
        return [row for row in rows if self(row)] if self.terms else list(rows)


@dataclass(frozen=True)
class _Texts:
    values: Callable[[SessionRow], Iterable[str]]


@dataclass(frozen=True)
class _Figures:
    value: Callable[[SessionRow, datetime], float | None]
    read: Reader
    needs: str


_FIELDS: Mapping[str, _Texts | _Figures] = {
    "name": _Texts(lambda r: (r.title,)),
    "id": _Texts(lambda r: (r.id,)),
    "preset": _Texts(lambda r: (r.preset,)),
    "task": _Texts(lambda r: (r.task,)),
    "status": _Texts(lambda r: (r.status,)),
    "tag": _Texts(lambda r: r.tags),
    "note": _Texts(lambda r: (r.note,)),
    "steps": _Figures(lambda r, _: r.steps, read_number, "a number such as 1000 or 3k"),
    "exact": _Figures(lambda r, _: r.exact, read_share, "a fraction such as 0.9 or 90%"),
    "loss": _Figures(lambda r, _: r.loss, read_number, "a loss on held-out text such as 1.9"),
    "params": _Figures(lambda r, _: r.parameters, read_number, "a number such as 500k or 7M"),
    "rate": _Figures(lambda r, _: r.rate, read_number, "samples a second, such as 800"),
    "time": _Figures(lambda r, _: r.seconds, read_duration, "a duration such as 90s, 5m or 1:30:00"),
    "age": _Figures(
        lambda r, now: now.timestamp() - r.started, read_duration, "a duration such as 12h, 7d or 2w"
    ),
    "started": _Figures(
        lambda r, _: r.started, read_date, "a date such as 2026-01-31, 2026-01 or today (or use age<7d)"
    ),
}
_ALIASES = {
    "tags": "tag",
    "step": "steps",
    "accuracy": "exact",
    "parameters": "params",
    "samples/s": "rate",
    "duration": "time",
    "date": "started",
}
FIELDS: tuple[str, ...] = tuple(_FIELDS)


def parse_filter(text: str, now: datetime) -> Filter:
    """Return what `text` asks for; `now` is the local time that ages and `today` count from.

    Raises `FilterError` for a field that does not exist and a value that it cannot have.
    """
    terms: list[Predicate] = []
    needs_settings = False
    wrong: FilterError | None = None
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TERM.match(text, at)
        assert match is not None
        at = max(match.end(), at + 1)
        try:
            terms.append(_term(match, now))
            needs_settings |= "." in (match["field"] or "")
        except FilterError as error:
            wrong = wrong or error
    if wrong is not None:
        wrong.rest = Filter(tuple(terms), needs_settings)
        raise wrong
    return Filter(tuple(terms), needs_settings)


def _term(match: re.Match[str], now: datetime) -> Predicate:
    name, operator, value = match["field"], match["operator"], match["value"]
    if name is None:
        found = _anywhere(match["value"] if match["value"] else match[0])
    elif "." in name:
        found = _setting_term(name.lower(), operator, value, match)
    else:
        key = name.lower()
        declared = _FIELDS.get(_ALIASES.get(key, key))
        if declared is None:
            raise FilterError(
                f'"{safe_text(name[:_SHOWN])}" is not a field.{did_you_mean(key, _FIELDS)}',
                match.start("field"),
                match.end("field"),
            )
        found = (
            _text_term(declared, operator, value, match)
            if isinstance(declared, _Texts)
            else _figure_term(declared, key, operator, value, match, now)
        )
    turned = (match["turned"] is not None and bool(name or match["value"])) != (operator == "!=")
    return (lambda row: not found(row)) if turned else found


def _anywhere(value: str) -> Predicate:
    wanted = _alternatives(value, commas=False)[0]
    return lambda row: wanted in row.text


def _text_term(declared: _Texts, operator: str, value: str, match: re.Match[str]) -> Predicate:
    if operator in ("<", ">", "<=", ">="):
        raise FilterError(
            f'"{match["field"]}" is text: use : to find a part of it, or = for the whole',
            match.start("operator"),
            match.end("operator"),
        )
    wanted = _alternatives(value, commas=True)
    values = declared.values
    if operator == ":":
        return lambda row: (
            any(part in found.casefold() for found in values(row) for part in wanted) or (wanted == [""])
        )
    return lambda row: any(found.casefold() in wanted for found in values(row))


def _figure_term(
    declared: _Figures, name: str, operator: str, value: str, match: re.Match[str], now: datetime
) -> Predicate:
    span = declared.read(_alternatives(value, commas=False)[0].strip(), now)
    if span is None:
        wrong = f'"{safe_text(value[:_SHOWN])}" is not valid: ' if value else ""
        raise FilterError(f"{wrong}{name}{operator} needs {declared.needs}", match.start(), match.end())
    compare, figure = span.compare, declared.value
    comparison = "=" if operator == "!=" else operator

    def fits(row: SessionRow) -> bool:
        found = figure(row, now)
        return found is not None and compare(comparison, found)

    return fits


def _setting_term(key: str, operator: str, value: str, match: re.Match[str]) -> Predicate:
    known = [info.key for info in describe()]
    # Every task has settings of its own.
    if key not in known and not key.startswith("task."):
        raise FilterError(
            f'"{safe_text(key[:_SHOWN])}" is not a setting.{did_you_mean(key, known)}',
            match.start("field"),
            match.end("field"),
        )
    wanted = _alternatives(value, commas=True)
    span = read_exactly(wanted[0])
    if span is None and operator in ("<", ">", "<=", ">="):
        needs = f"{key}{operator} needs a number such as 0.001, 1e-3 or 2k"
        raise FilterError(needs, match.start(), match.end())
    comparison = "=" if operator == "!=" else operator

    def fits(row: SessionRow) -> bool:
        found = (row.settings or {}).get(key)
        if found is None:
            return False
        if span is not None and not isinstance(found, (bool, str)):
            return span.compare(comparison, found)
        text = str(found).casefold()
        return any(part in text for part in wanted) if operator == ":" else text in wanted

    return fits


def _alternatives(value: str, *, commas: bool) -> list[str]:
    """Return the texts that a value names, in small letters, without quotes."""
    parts = [""]
    for quoted, plain, comma in _PIECES.findall(value):
        if comma and commas:
            parts.append("")
        else:
            parts[-1] += quoted or plain or comma
    named = [part.casefold() for part in parts]
    return [part for part in named if part] or [""]
