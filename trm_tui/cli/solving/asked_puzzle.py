"""The puzzle that a person asks for: as an argument, or through stdin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.text import safe_text

STDIN = "-"
_MOST_PIPED = 1_000_000
_LONGEST_NAME = 4096


def puzzle_text(argument: str) -> str:
    """Return the puzzle's text; what stdin brings may be written as Windows and old Macs write text too."""
    from trm_engine.tasks.puzzle_lists.files import decoded

    if argument != STDIN:
        return argument
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return decoded(sys.stdin.read(_MOST_PIPED).encode("utf-8", "surrogateescape"))
    return decoded(stream.read(_MOST_PIPED))


@contextmanager
def naming_files(session: str, argument: str) -> Iterator[None]:
    """Say how a file is handed over, where what is refused as a puzzle is the name of one."""
    try:
        yield
    except UsageError as error:
        if not _is_file(argument):
            raise
        name = safe_text(argument)
        raise UsageError(
            f"{error}\nThere is a file {name}: trm-tui solve {session} - < {name} solves the puzzle in it; "
            f"trm-tui eval {session} --data {name} measures on a list."
        ) from error


def _is_file(argument: str) -> bool:
    try:
        return len(argument) < _LONGEST_NAME and Path(argument).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False
