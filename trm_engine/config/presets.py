"""Shipped presets, presets and configuration files of one's own, found by what a person types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.config.diff import trial_digest
from trm_engine.config.sections import DATA_FIELDS, Config
from trm_engine.config.toml import load
from trm_engine.errors import TrmError, UsageError
from trm_engine.paths import in_home, presets_folder, shipped
from trm_engine.text import did_you_mean, quoted


@dataclass(frozen=True)
class Preset:
    """A configuration and where it was read from."""

    name: str
    path: Path
    config: Config
    group: Literal["yours", "recent", "shipped"] = "shipped"
    """`yours` lie in the user's folder, `recent` ones are what sessions ran with."""
    origin: str = ""
    """Of a recent one: the preset that its run began with."""


def find(name_or_path: str) -> Preset:
    """Return the preset or file that `name_or_path` means.

    An existing `.toml` file wins; then `sudoku-4x4`, `sudoku-4x4.toml` and `presets/sudoku-4x4.toml` all
    mean the shipped preset, and a name alone may mean one's own. Raises `UsageError` when there is neither,
    and `ConfigError` when the file has problems.
    """
    given = in_home(Path(name_or_path))
    if given.suffix == ".toml" and _is_file(given):
        return Preset(given.stem, given, _with_data_beside(load(given), given.parent))
    ours = _shipped()
    name = given.name.removesuffix(".toml")
    if name in ours and str(given.parent) in {".", "presets"}:
        return Preset(name, ours[name], load(ours[name]))
    own = _own()
    if name in own and str(given.parent) == ".":
        found = _read_own(name, own[name])
        if isinstance(found, TrmError):
            raise found
        return found
    if _is_file(given):
        raise UsageError(f"{quoted(name_or_path)}: a configuration file ends in .toml; rename it")
    what = "no such file, and no preset of that name" if given.suffix == ".toml" else "no such preset"
    raise UsageError(f"{quoted(name_or_path)}: {what}.{did_you_mean(name, {**ours, **own})}")


def list_presets() -> list[Preset]:
    """Return the shipped presets by name."""
    return [Preset(name, path, load(path)) for name, path in _shipped().items()]


def list_own() -> tuple[list[Preset], list[str]]:
    """Return one's own presets, the last saved first, and what is wrong with those that cannot be read.

    The folder is `trm_engine.paths.presets_folder()`.
    """
    presets: list[Preset] = []
    problems: list[str] = []
    for name, path in sorted(_own().items(), key=lambda item: _age(item[1])):
        found = _read_own(name, path)
        if isinstance(found, Preset):
            presets.append(found)
        else:
            problems.append(str(found))
    return presets, problems


def is_shipped(name: str) -> bool:
    """Whether a preset of that name comes with the program."""
    return name in _shipped()


def as_variant(config: Config, parent: Config) -> Config:
    """Return a configuration without what its parent says of itself, where that no longer holds.

    Title and expectation are the parent's claims: they stay where a person wrote others, and where nothing
    was changed that decides the result.
    """
    if trial_digest(config) == trial_digest(parent):
        return config
    claims = {"title": parent.title, "expect": parent.expect}
    return config.model_copy(update={k: "" for k, claim in claims.items() if getattr(config, k) == claim})


def _shipped() -> dict[str, Path]:
    return _in(shipped("presets"))


def _own() -> dict[str, Path]:
    """Return one's own presets; one that has the name of a shipped preset is known by its path only."""
    ours = _shipped()
    return {name: path for name, path in _in(presets_folder()).items() if name not in ours}


def _in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=_stem)}


def _read_own(name: str, path: Path) -> Preset | TrmError:
    try:
        return Preset(name, path, _with_data_beside(load(path), path.parent), "yours")
    except TrmError as error:
        return error


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _with_data_beside(config: Config, folder: Path) -> Config:
    """Return a file's configuration with data that lie beside it, where the working folder has none."""
    found = {}
    for field in DATA_FIELDS:
        text = getattr(config.task, field, "")
        if isinstance(text, str) and text and not Path(text).is_absolute() and not _exists(Path(text)):
            beside = folder / text
            if _exists(beside):
                found[field] = str(beside)
    return config.model_copy(update={"task": config.task.model_copy(update=found)}) if found else config


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long or holds a NUL byte
        return False


def _stem(path: Path) -> str:
    return path.stem


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A name that is too long or holds a NUL byte: it names no file.
        return False
