"""A list as a file of UTF-8 lines that can be read again, whatever a person hands over.

Pipes (`<(zcat …)`, /dev/stdin, `-`), text in UTF-16 or UTF-32 and the line ends of old Macs are written into
a temporary file first; what is no text is refused by name.
"""

from __future__ import annotations

import csv
import os
import select
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trm_engine.errors import ResourceError, UsageError
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import Source
from trm_engine.tasks.puzzle_lists.form import HEAD_BYTES, Encoding, encoding_of, named_form, plain_digits
from trm_engine.text import format_bytes, safe_text

STDIN = "-"
PATIENCE_SECONDS = 30.0
"""How long a pipe may be silent."""
MOST_BYTES = 2**30
"""The most that is taken from a pipe, or turned into another encoding."""
_PIECE_BYTES = 2**20
_LOOKED_AT_FOR_LINES = 2**16


@dataclass(frozen=True)
class ListFile:
    """A regular file of UTF-8 text, and what the person called it."""

    path: Path
    name: str


def is_pipe(path: Path) -> bool:
    """Tell whether a path can be read but once: `-`, a pipe or a device. Raises `OSError` for no path."""
    if str(path) == STDIN:
        return True
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def readable(path: Path, *, patience: float = PATIENCE_SECONDS, most: int = MOST_BYTES) -> Iterator[ListFile]:
    """Open a list for the time of a block.

    Raises `UsageError` where there is none, where it is no text, or where a pipe brings nothing or too much.
    """
    name = safe_text(str(path))
    try:
        with tempfile.TemporaryDirectory(prefix="trm-list-") as folder:
            held = path
            if is_pipe(path):
                held = Path(folder) / "piped"
                with held.open("wb") as out:
                    _drain(path, name, out, patience, most)
            yield ListFile(_as_utf8(held, name, Path(folder) / "utf-8", most), name)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a name with a NUL in it
        raise UsageError(f"{name}: cannot be read: {error}") from error


def _drain(path: Path, name: str, out: IO[bytes], patience: float, most: int) -> None:
    """Copy what a pipe brings."""
    if str(path) == STDIN:
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None:
            _write(out, sys.stdin.read(most + 1).encode("utf-8", "surrogateescape"), name, most)
        else:
            _copy(stream.read, out, name, most)
        return
    # Opening a pipe would wait for its writer, for ever if there is none.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _copy(lambda size: _read_when_ready(descriptor, size, name, patience), out, name, most)
    finally:
        os.close(descriptor)


def _read_when_ready(descriptor: int, size: int, name: str, patience: float) -> bytes:
    if not select.select([descriptor], [], [], patience)[0]:
        raise UsageError(
            f"{name}: is a pipe through which nothing came for {patience:g} s; save it as a file"
        )
    return os.read(descriptor, size)


def _copy(read: Callable[[int], bytes], out: IO[bytes], name: str, most: int) -> None:
    while piece := read(_PIECE_BYTES):
        _write(out, piece, name, most)


def _write(out: IO[bytes], piece: bytes, name: str, most: int) -> None:
    if out.tell() + len(piece) > most:
        raise UsageError(f"{name}: brings more than {format_bytes(most)}; save it as a file of UTF-8 text")
    try:
        out.write(piece)
    except OSError as error:
        raise ResourceError(
            f"{name}: cannot be held in {safe_text(tempfile.gettempdir())} ({error.strerror}); free some "
            "room, or let TMPDIR name another folder"
        ) from error


def _as_utf8(path: Path, name: str, other: Path, most: int) -> Path:
    """Return the file, or where its text now is in UTF-8 with line ends; refuse what is no text."""
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT_FOR_LINES)
    form = named_form(head[:HEAD_BYTES])
    if form is not None:
        raise UsageError(f"{name}: {form}")
    encoding = encoding_of(head[:HEAD_BYTES])
    only_returns = b"\r" in head and b"\n" not in head
    if encoding.name == "utf-8" and not only_returns:
        return path
    with other.open("wb") as out:
        for piece in _texts(path, encoding):
            _write(out, piece.encode("utf-8", "replace"), name, most)
    return other


def _texts(path: Path, encoding: Encoding) -> Iterator[str]:
    """Yield the text of a file in pieces, with one kind of line end for all three."""
    with path.open(encoding=encoding.name, errors="replace", newline=None) as file:
        first = True
        while text := file.read(_PIECE_BYTES):
            yield text.removeprefix("\ufeff") if first else text
            first = False


def decoded(raw: bytes) -> str:
    """Return a puzzle that came through a pipe or from the clipboard as text, whatever its encoding.

    Raises `UsageError` where it is no text.
    """
    form = named_form(raw)
    if form is not None:
        raise UsageError(f"what came {form}")
    encoding = encoding_of(raw)
    text = raw[encoding.mark :].decode(encoding.name, "replace")
    return plain_digits(text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\0"))


HEADER = ("puzzle", "solution")
_AT_ONCE = 2**12


def write_list(path: Path, task: PuzzleTask, puzzles: Source, *, as_csv: bool) -> None:
    """Write puzzles and their solutions, one pair a line, as CSV with a header or as plain text."""
    with path.open("x", encoding="utf-8", newline="") as file:
        if as_csv:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(_lines(task, puzzles))
        else:
            file.writelines(f"{puzzle} {solution}\n" for puzzle, solution in _lines(task, puzzles))


def _lines(task: PuzzleTask, puzzles: Source) -> Iterator[tuple[str, str]]:
    for start in range(0, len(puzzles), _AT_ONCE):
        part = puzzles.take(slice(start, start + _AT_ONCE))
        for puzzle, label in zip(part.inputs, part.labels, strict=True):
            yield task.line(puzzle), task.line(label)
