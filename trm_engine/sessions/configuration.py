"""The configuration of a session: `config.toml`, or the history where that file is not what was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import Disk, Storage, read_text, write_atomically
from trm_engine.sessions.history import History, HistoryEntry
from trm_engine.sessions.layout import CONFIG, HISTORY, MAX_TEXT_BYTES
from trm_engine.sessions.seals import sealed_text, unsealed_text


@dataclass(frozen=True)
class Configuration:
    """A session's configuration as TOML, and what a person should know of it."""

    text: str
    warnings: tuple[str, ...] = ()


def write_configuration(storage: Storage, folder: Path, config_toml: str) -> None:
    """Replace the configuration in a session's folder, atomically. Raises `OSError`."""
    write_atomically(storage, folder / CONFIG, sealed_text(config_toml))


def read_configuration(folder: Path) -> Configuration:
    """Return the configuration in a session's folder.

    The newest entry of the history is the same text, and stands in for a file that is missing or has changed:
    with a word. Raises `SessionError` when neither can be used.
    """
    try:
        text, sealed = unsealed_text(read_text(folder / CONFIG, MAX_TEXT_BYTES))
    except (OSError, ValueError) as error:
        return _from_history(folder, f"{CONFIG} cannot be used ({_reason(error)})")
    if sealed:
        return Configuration(text)
    # Without a digest: written before there were any, or no longer what was written.
    try:
        newest = _newest(folder)
    except SessionError:
        return Configuration(text)
    if newest is None or newest.config_toml == text:
        return Configuration(text)
    return _from_history(folder, f"{CONFIG} is not what the history says")


def _from_history(folder: Path, problem: str) -> Configuration:
    try:
        newest = _newest(folder)
    except SessionError as error:
        raise SessionError(f"session {folder.name} is damaged: {problem}, and {error}") from error
    if newest is None:
        raise SessionError(f"session {folder.name} is damaged: {problem}, and it has no history.")
    file = f"{HISTORY}/{newest.number:04d}.toml"
    return Configuration(newest.config_toml, (f"{problem}: the configuration in {file} is used.",))


def _newest(folder: Path) -> HistoryEntry | None:
    return History(folder / HISTORY, Disk()).newest()


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
