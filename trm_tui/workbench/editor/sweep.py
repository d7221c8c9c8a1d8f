"""One configuration with several values of one field; and how runs of a draft are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trm_engine.config import Config, as_variant
from trm_engine.text import one_line, safe_text
from trm_tui.workbench.editor.draft import Draft
from trm_tui.workbench.editor.values import show

_LONGEST_NAME = 80
_MOST = 100


@dataclass(frozen=True)
class Variant:
    """A configuration with one of the values."""

    name: str
    """What tells its run from the others."""
    config: Config


def variants(draft: Draft, key: str, text: str) -> Iterator[Variant]:
    """Yield the draft with each value of `text`; those with problems are left out (`sweep_problem`)."""
    for value in _values(text):
        changed = draft.with_texts({key: value})
        if changed.checked.config is not None:
            name = run_name(changed) or f"{draft.origin.name} {key.rpartition('.')[2]}={value}"
            yield Variant(name, as_variant(changed.checked.config, draft.origin.config))


def sweep_problem(draft: Draft, key: str, text: str) -> str:
    """Return why these values make no sweep, or nothing."""
    values = _values(text)
    if len(values) < 2:
        return "give two values or more"
    if len(values) > _MOST:
        return f"{len(values)} runs; at most {_MOST}"
    if len(set(values)) < len(values):
        return "a value stands there twice"
    for value in values:
        checked = draft.with_texts({key: value}).checked
        if checked.config is None:
            return f"{value}: {checked.messages[0]}"
    return ""


def sweep_words(draft: Draft, key: str, text: str) -> str:
    """Return what comes of these values."""
    names = [variant.name for variant in variants(draft, key, text)]
    return f"{len(names)} runs: {', '.join(names)}"


def sweep_suggestion(draft: Draft, key: str) -> str:
    """Return values to begin with: the choices of the field, or half, once and twice its number."""
    info, value = draft.fields[key], draft.values[key]
    if info.choices:
        return " ".join(show(choice) for choice in info.choices)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value:
        return show(value)
    around = (value // 2, value, value * 2) if isinstance(value, int) else (value / 2, value, value * 2)
    fitting = [v for v in around if draft.with_texts({key: show(v)}).checked.config is not None]
    return " ".join(show(v) for v in dict.fromkeys(fitting))


def _values(text: str) -> list[str]:
    """Return the values of typed text; commas separate too."""
    return text.replace(",", " ").split()


def run_name(draft: Draft) -> str:
    """Return a name that tells a run from others of its preset: its new title, else what was changed."""
    if draft.has_changed("title") and draft.texts["title"].strip():
        return one_line(draft.texts["title"], _LONGEST_NAME)
    changes = [c for c in draft.changes if c.key not in ("title", "expect") and c.b is not None]
    if not changes:
        return ""
    words = " ".join(f"{c.key.rpartition('.')[2]}={show(c.b)}" for c in changes if c.b is not None)
    name = safe_text(f"{draft.origin.name} {words}")
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
