"""Texts cut into passages that can be searched: the product's own help, session records, a folder of docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import TrmError
from trm_engine.files import is_real_folder, read_text
from trm_engine.paths import shipped
from trm_engine.sessions import SessionRecord, Store
from trm_engine.text import safe_text

SUFFIXES = (".md", ".txt", ".rst", ".toml", ".csv", ".json", ".jsonl", ".py", ".log", ".tex", ".org")
MOST_FILES, MOST_BYTES = 2000, 2_000_000
_WORDS = 130
_HEADING = re.compile(r"#{1,6}\s+(.+)")
_HELP = ("README.md", "server.md", "chat.md", "data.md", "tasks.md")


@dataclass(frozen=True)
class Passage:
    """A piece of text: its title, and where it stands, as a source is cited."""

    title: str
    where: str
    text: str


def of_text(text: str, where: str, title: str = "") -> Iterator[Passage]:
    """Cut a text at its headings and paragraphs into pieces of about that length in words."""
    heading, words, fenced = title, 0, False
    kept: list[str] = []
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        found = None if fenced else _HEADING.fullmatch(line.strip())
        ends = found is not None or (words >= _WORDS and not line.strip()) or words >= 3 * _WORDS
        if ends and kept:
            yield Passage(safe_text(heading)[:120], where, safe_text("\n".join(kept)).strip())
            kept, words = [], 0
        if found is not None:
            heading = f"{title}: {found[1]}" if title and found[1] != title else found[1]
            continue
        if line.strip() or kept:
            kept.append(line[:2000])
            words += len(line.split())
    if kept:
        yield Passage(safe_text(heading)[:120], where, safe_text("\n".join(kept)).strip())


def of_help() -> Iterator[Passage]:
    """Yield the product's own documents and presets."""
    for name in _HELP:
        path = shipped("docs", name) if name != "README.md" else _readme()
        try:
            yield from of_text(read_text(path, MOST_BYTES), f"docs/{name}", path.stem)
        except (OSError, ValueError):
            continue  # not there in every kind of installation
    for path in sorted(shipped("presets").glob("*.toml")):
        text = "\n".join(line.lstrip("# ") for line in path.read_text("utf-8").splitlines()[:12])
        yield Passage(f"preset {path.stem}", f"presets/{path.name}", safe_text(text))


def _readme() -> Path:
    inside = shipped("docs", "README.md")
    return inside if inside.is_file() else shipped("docs").parent / "README.md"


def of_sessions(store: Store) -> Iterator[Passage]:
    """Yield a passage for each session: what it learned, how far it came, and what was noted of it."""
    try:
        records = store.list()
    except TrmError:
        return
    for record in records[-500:]:
        yield Passage(f"session {record.name or record.preset or record.id}", record.id, _record_text(record))


def _record_text(record: SessionRecord) -> str:
    summary = record.summary
    facts = [
        f"Session {record.id}: status {record.status}, task {record.task}, preset {record.preset or 'none'}.",
        f"Created {record.created:%Y-%m-%d %H:%M}.",
        *(
            f"{name.replace('_', ' ')}: {value}."
            for name, value in list(summary.items())[:24]
            if value is not None
        ),
        f"Tags: {', '.join(record.tags)}." if record.tags else "",
        f"Note: {record.note}" if record.note else "",
    ]
    return safe_text(" ".join(fact for fact in facts if fact))[:2000]


def of_folder(folder: Path) -> tuple[list[Passage], list[str]]:
    """Return the passages of the text files of a folder, and what was left out, with reasons.

    Links are not followed, so that nothing outside the folder is read.
    """
    found: list[Passage] = []
    left_out: list[str] = []
    for path in files_of(folder):
        name = path.relative_to(folder).as_posix()
        try:
            found += of_text(read_text(path, MOST_BYTES), safe_text(name), path.stem)
        except ValueError as error:
            left_out.append(f"{safe_text(name)}: {safe_text(str(error))[:80]}")
        except OSError as error:
            left_out.append(f"{safe_text(name)}: {error.strerror}")
    return found, left_out


def files_of(folder: Path) -> list[Path]:
    """Return the text files of a folder and of those within it, up to a limit."""
    found: list[Path] = []
    waiting = [folder]
    while waiting and len(found) < MOST_FILES:
        try:
            entries = sorted(waiting.pop(0).iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if is_real_folder(entry):
                waiting.append(entry)
            elif entry.suffix.lower() in SUFFIXES and entry.is_file():
                found.append(entry)
    return found[:MOST_FILES]
