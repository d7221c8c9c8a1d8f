"""What a person may have meant by words that the command line does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence

_GLOBAL_FLAGS = ("--no-ui", "--debug", "--version")
_GLOBAL_OPTIONS = ("--sessions-dir", "--hardware")
_ASSIGNMENT = re.compile(r"[a-z_]+(?:\.[a-z_]+)+=.*", re.DOTALL)


def usage_message(error: Exception, words: Sequence[str]) -> str | None:
    """Return what is wrong with the words of a command line, None where the error is another.

    Typer's usage errors are known by what they carry: their module has moved between its versions. Empty
    where the help has been shown already, in place of a message.
    """
    describe = getattr(error, "format_message", None)
    if getattr(error, "exit_code", None) != 2 or not callable(describe):
        return None
    hint = _global_option(getattr(error, "option_name", None), words) or _assignments(words, str(describe()))
    return "\n".join(part for part in (str(describe()), hint) if part)


def _global_option(option: object, words: Sequence[str]) -> str:
    """Return where an option stands that is known before a command only."""
    if option not in (*_GLOBAL_FLAGS, *_GLOBAL_OPTIONS):
        return ""
    moved, others = _split(str(option), words)
    return f"{option} stands before the command: {' '.join(['trm-tui', *moved, *others])}"


def _split(option: str, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return an option with its value, and the other words."""
    moved: list[str] = []
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == option:
            value = [next(rest, "VALUE")] if option in _GLOBAL_OPTIONS else []
            moved = [word, *value]
        elif word.startswith(f"{option}="):
            moved = [word]
        else:
            others.append(word)
    return moved, others


def _assignments(words: Sequence[str], message: str) -> str:
    """Return how settings are written that stand alone, as Hydra takes them."""
    alone = [word for word in words if _ASSIGNMENT.fullmatch(word) and word in message]
    return f"write {' '.join(f'--set {word}' for word in alone)}" if alone else ""
