"""Machines known by name, which stand in for the real one when planning."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from tomlkit.exceptions import ParseError, TOMLKitError

from trm_engine.errors import ConfigError, UsageError
from trm_engine.files import open_plain
from trm_engine.hardware.facts import Hardware
from trm_engine.paths import in_home, shipped
from trm_engine.text import did_you_mean, one_line, safe_text

_MAX_BYTES = 1_000_000


def profile_names() -> list[str]:
    """Return the names of the profiles that ship."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def load_profile(name_or_file: str) -> Hardware:
    """Return the machine that a shipped profile's name, or the path of a TOML file, describes.

    Raises `UsageError` for a name that does not exist, naming the nearest, and `ConfigError` with every
    problem of a file.
    """
    if not name_or_file.endswith(".toml") and not set(name_or_file) & {"/", "\\"}:
        known = profile_names()
        if name_or_file not in known:
            hint = did_you_mean(name_or_file, known)
            raise UsageError(f'no hardware profile "{one_line(name_or_file)}".{hint} Or give a .toml file.')
        return _load(_folder() / f"{name_or_file}.toml")
    return _load(in_home(Path(name_or_file)))


def _folder() -> Path:
    return shipped("presets", "hardware")


def _load(path: Path) -> Hardware:
    source = one_line(str(path))
    tables = _parse(_read(path, source), source)
    try:
        hardware = Hardware.model_validate(tables)
    except ValidationError as error:
        problems = [_explain(found) for found in error.errors(include_url=False)]
        raise ConfigError(problems, source) from None
    problems = _gaps(hardware)
    if problems:
        raise ConfigError(problems, source)
    return _completed(hardware, path.stem)


def _read(path: Path, source: str) -> str:
    try:
        with open_plain(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = safe_text(getattr(error, "strerror", None) or str(error))
        raise UsageError(f"{source}: cannot be read: {reason}") from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(["is larger than 1 MB: not a hardware profile"], source)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"line {line}: is not UTF-8 text"], source) from None


def _parse(text: str, source: str) -> dict[str, object]:
    try:
        return dict(tomlkit.parse(text).unwrap())
    except ParseError as error:
        reason = one_line(str(error).rpartition(" at line ")[0] or str(error))
        raise ConfigError([f"line {error.line}: is not valid TOML: {reason}"], source) from None
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ConfigError([f"is not valid TOML: {one_line(str(error))}"], source) from None


def _explain(error: ErrorDetails) -> str:
    """Return one problem as `cpu.physical_cores: …`."""
    place = [str(part) for part in error["loc"]]
    key = one_line(".".join(place))
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key.{did_you_mean(place[-1], _keys(place[:-1]))}"
    shown = error["input"]
    given = f", not {one_line(repr(shown))}" if isinstance(shown, (str, int, float, bool)) else ""
    return f"{key}: {error['msg'][0].lower()}{error['msg'][1:]}{given}"


def _keys(place: list[str]) -> list[str]:
    """Return the keys that the table at `place` may have."""
    table: type[BaseModel] = Hardware
    for part in place:
        inner = table.model_fields[part].annotation if part in table.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        table = inner
    return [name for name in table.model_fields if name != "profile"]


def _gaps(hardware: Hardware) -> list[str]:
    """Return what a profile must tell to plan with it, and does not."""
    cpu, memory = hardware.cpu, hardware.memory
    needed = {
        "gemm_gflops": (hardware.gemm_gflops, "fp32 matrix products in GFLOP/s, such as 200.0"),
        "cpu.physical_cores": (cpu.physical_cores, "a number of cores"),
        "cpu.logical_cores": (cpu.logical_cores, "a number of hardware threads"),
        "memory.total_bytes": (memory.total_bytes, "a size in bytes"),
        "memory.available_bytes": (memory.available_bytes, "a size in bytes: what the system leaves"),
    }
    problems = [f"{key}: is missing; give {what}" for key, (value, what) in needed.items() if value is None]
    if hardware.profile:
        problems.append("profile: is taken from the file's name; leave it out")
    if (cpu.logical_cores or 0) < (cpu.physical_cores or 0):
        problems.append(f"cpu.logical_cores: {cpu.logical_cores} is less than physical_cores")
    if (memory.available_bytes or 0) > (memory.total_bytes or 0):
        problems.append(f"memory.available_bytes: {memory.available_bytes} is more than total_bytes")
    return problems


def _completed(hardware: Hardware, name: str) -> Hardware:
    """Name the profile; cores that are not said to be out of bounds are usable."""
    cpu = hardware.cpu
    usable = {
        "usable_cores": cpu.usable_cores or cpu.logical_cores,
        "usable_physical_cores": cpu.usable_physical_cores or cpu.physical_cores,
    }
    return hardware.model_copy(update={"profile": one_line(name), "cpu": cpu.model_copy(update=usable)})
