"""What would help against an error, in the words of the command line."""

from __future__ import annotations

from trm_engine.errors import OVERRIDES, ConfigError, TrmError
from trm_engine.remedies import ChangeSettings, FetchData, NameData, Remedy


def command_words(remedy: Remedy) -> str:
    """Return a remedy as options and commands of `trm-tui`."""
    if isinstance(remedy, ChangeSettings):
        return " ".join(f"--set {key}={value}" for key, value in remedy.settings)
    if isinstance(remedy, NameData):
        return f"name {remedy.what} with --set {remedy.key}=PATH"
    assert isinstance(remedy, FetchData)
    return f"`trm-tui data fetch {remedy.name}` downloads it{f' ({remedy.size})' if remedy.size else ''}"


def command_text(error: TrmError) -> str:
    """Return an error as the command line tells it."""
    if isinstance(error, ConfigError) and error.source == OVERRIDES:
        return error.named("--set")
    return error.worded(command_words)
