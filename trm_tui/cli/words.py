"""The words of a command line, put where the parser looks for them."""

from __future__ import annotations

from collections.abc import Sequence

FLAGS = ("--no-ui", "--debug", "--version")
"""Global options without a value."""
OPTIONS = ("--sessions-dir", "--hardware")
"""Global options with one."""
_JSON = "--json"


def arranged(words: Sequence[str]) -> list[str]:
    """Return a command line with its global options before the command, and `--json` behind it.

    So both may stand anywhere. What follows `--` is no option, and stays.
    """
    end = words.index("--") if "--" in words else len(words)
    before: list[str] = []
    others: list[str] = []
    rest = iter(words[:end])
    for word in rest:
        if word in OPTIONS:
            before += [word, *([value] if (value := next(rest, None)) is not None else [])]
        elif word in FLAGS or word.startswith(tuple(f"{option}=" for option in OPTIONS)):
            before.append(word)
        else:
            others.append(word)
    if others and others[0] == _JSON:
        others = [*others[1:], _JSON]
    return [*before, *others, *words[end:]]
