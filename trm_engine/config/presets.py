"""The shipped presets, and configuration files of one's own, found by what a person types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trm_engine.config.sections import DATA_FIELDS, Config
from trm_engine.config.toml import load
from trm_engine.errors import UsageError
from trm_engine.paths import in_home, shipped
from trm_engine.text import did_you_mean, quoted


@dataclass(frozen=True)
class Preset:
    """A configuration and where it was read from."""

    name: str
    path: Path
    config: Config


def find(name_or_path: str) -> Preset:
    """Return the preset or file that `name_or_path` means.

    An existing `.toml` file wins; then `sudoku-4x4`, `sudoku-4x4.toml` and `presets/sudoku-4x4.toml` all
    mean the shipped preset. Raises `UsageError` when there is neither, and `ConfigError` when the file has
    problems.
    """
    given = in_home(Path(name_or_path))
    if given.suffix == ".toml" and _is_file(given):
        return Preset(given.stem, given, _with_data_beside(load(given), given.parent))
    ours = _shipped()
    name = given.name.removesuffix(".toml")
    if name in ours and str(given.parent) in {".", "presets"}:
        return Preset(name, ours[name], load(ours[name]))
    if _is_file(given):
        raise UsageError(f"{quoted(name_or_path)}: a configuration file ends in .toml; rename it")
    what = "no such file, and no preset of that name" if given.suffix == ".toml" else "no such preset"
    raise UsageError(f"{quoted(name_or_path)}: {what}.{did_you_mean(name, ours)}")


def list_presets() -> list[Preset]:
    """Return the shipped presets by name."""
    return [Preset(name, path, load(path)) for name, path in _shipped().items()]


def _shipped() -> dict[str, Path]:
    folder = shipped("presets")
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=_stem)}


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
