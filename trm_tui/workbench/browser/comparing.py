"""Sessions side by side: their curves, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from trm_engine.config import Config, diff, flatten, loads
from trm_engine.errors import TrmError
from trm_engine.sessions import Store
from trm_engine.text import safe_text
from trm_tui.workbench.browser.timeline import say_value
from trm_tui.workbench.charts.overlays import Overlay, read_overlay

MOST = 8
"""Sessions that can be told apart in one chart."""
_WORDS = ("title", "expect")


@dataclass(frozen=True)
class Difference:
    """A setting and the value it has in each session."""

    key: str
    values: Sequence[str]


@dataclass(frozen=True)
class Comparison:
    """Curves and differences of sessions, in one order."""

    sessions: Sequence[Overlay]
    differences: Sequence[Difference]
    problems: Sequence[str] = ()


def compare(store: Store, ids: Sequence[str]) -> Comparison:
    """Read sessions and hold them against each other; what cannot be read is named and left out."""
    sessions: list[Overlay] = []
    configs: list[Config] = []
    problems: list[str] = []
    for found in ids[:MOST]:
        with _noting(problems):
            config = loads(store.config_text(found), f"session {found}")
            sessions.append(read_overlay(store, found))
            configs.append(config)
    if len(ids) > MOST:
        problems.append(f"only the first {MOST} of {len(ids)} marked sessions are compared")
    return Comparison(_told_apart(sessions), differences(configs), tuple(problems))


def differences(configs: Sequence[Config]) -> list[Difference]:
    """Return every setting that is not the same in all configurations, in the order of the file."""
    if len(configs) < 2:
        return []
    keys = {change.key: None for other in configs[1:] for change in diff(configs[0], other)}
    flat = [flatten(config) for config in configs]
    order = {key: place for place, key in enumerate(key for values in flat for key in values)}
    return [
        Difference(key, tuple(say_value(values.get(key)) for values in flat))
        for key in sorted(keys, key=order.__getitem__)
        if key not in _WORDS
    ]


@contextmanager
def _noting(problems: list[str]) -> Iterator[None]:
    """Note an error for people instead of raising it."""
    try:
        yield
    except TrmError as error:
        problems.append(safe_text(str(error)))


def _told_apart(sessions: Sequence[Overlay]) -> list[Overlay]:
    """Add the end of its id to every title that several sessions have."""
    titles = [session.title for session in sessions]
    return [
        Overlay(s.session, f"{s.title} ·{s.session[-4:]}", s.curves) if titles.count(s.title) > 1 else s
        for s in sessions
    ]
