"""Configurations as TOML: read with every problem named, written with every field's help."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import tomli_w
import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError, UnexpectedEofError

from trm_engine.config.build import check
from trm_engine.config.describe import FieldInfo, describe, section_types, value_of
from trm_engine.config.sections import Config
from trm_engine.errors import ConfigError
from trm_engine.files import open_plain
from trm_engine.text import format_bytes, one_line, safe_text

MAX_BYTES = 100_000
_WIDTH = 108
_TOO_LARGE = f"is larger than {format_bytes(MAX_BYTES)}: not a configuration"


def load(path: Path | str) -> Config:
    """Read a configuration file; raise `ConfigError` with every problem in it."""
    source = source_text(path)
    try:
        with open_plain(Path(path)) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        # ValueError: a NUL byte in the path.
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([f"cannot be read: {safe_text(reason)}"], source) from None
    if len(content) > MAX_BYTES:
        raise ConfigError([_TOO_LARGE], source)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"line {line}: is not UTF-8 text"], source) from None
    return loads(text, source)


def loads(text: str, source: str) -> Config:
    """Read a configuration from TOML text; `source` names it in messages. Raises `ConfigError`."""
    if len(text) > MAX_BYTES:
        raise ConfigError([_TOO_LARGE], source)
    try:
        tables = tomlkit.parse(text).unwrap()
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ConfigError([_syntax_problem(error, text)], source) from None
    config, problems = check(tables)
    if problems:
        raise ConfigError([str(problem) for problem in problems], source)
    return config


def dumps(config: Config, *, only_changed: bool = False) -> str:
    """Write `config` as TOML, each field under its help.

    Everything is written out, or with `only_changed` the task's kind and what differs from the defaults.
    `loads` gives back an equal configuration either way.
    """
    task = type(config.task)
    fields = [info for info in describe(task) if not only_changed or _is_changed(config, info)]
    blocks = [_entry(config, info) for info in fields if not info.section]
    for section, cls in section_types(task).items():
        entries = [_entry(config, info) for info in fields if info.section == section]
        if entries:
            about = _comment(" ".join((cls.__doc__ or "").split()))
            blocks.append(f"{about}[{section}]\n" + "\n".join(entries))
    return "\n".join(blocks)


def source_text(path: Path | str) -> str:
    """Return a path as it may be shown in a message."""
    return safe_text(str(path).replace("\n", " ").encode("utf-8", "replace").decode("utf-8"))


def _is_changed(config: Config, info: FieldInfo) -> bool:
    return info.key == "task.kind" or value_of(config, info) != info.default


def _entry(config: Config, info: FieldInfo) -> str:
    default = "" if info.default is None else f"; default {write_value(info.default)}"
    allowed = info.allowed if info.section else ""
    note = f" ({allowed}{default})" if allowed else ""
    return f"{_comment(info.help + note)}{info.name} = {write_value(value_of(config, info))}\n"


def write_value(value: object) -> str:
    """Return a value as TOML writes it, on one line: text, numbers, booleans, and lists of them."""
    if isinstance(value, (list, tuple)):  # tomli-w would give each element a line of its own
        return "[" + ", ".join(write_value(item) for item in value) + "]"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")


def _comment(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def _syntax_problem(error: Exception, text: str) -> str:
    """Say where the parser stopped and why, in words for people who do not know its own."""
    message = one_line(str(error).rpartition(" at line ")[0] or str(error))
    line, column = (error.line, error.col + 1) if isinstance(error, ParseError) else (0, 0)
    duplicate = re.fullmatch(r'Key "(.+)" already exists\.?', message)
    unexpected = re.fullmatch(r"Unexpected character: '(.+)'", message)
    if isinstance(error, RecursionError):
        message = "values are nested too deeply"
    elif isinstance(error, UnexpectedEofError) or (r"'\x00'" in message and "\0" not in text):
        lines = text.split("\n")
        line, column, message = len(lines), len(lines[-1]) + 1, "unexpected end of file"
    elif duplicate:
        line, column = _repeated(text, duplicate[1]) or line, 1
        message = f"{message.rstrip('.')}: each may be given once"
    elif unexpected and unexpected[1] == r"\n":
        message = "the line ends where a value should be"
    elif unexpected and unexpected[1].isalpha():
        message += " (strings need quotes; booleans are lowercase)"
    elif r"use \u000a" in message:
        message = "the text in quotes is not closed on its line"
    place = f"line {line}, column {column}: " if line else "is not valid TOML: "
    return place + (message if message[:2].isupper() else message[:1].lower() + message[1:])


def _repeated(text: str, name: str) -> int | None:
    """Find the line that gives a table or key again: the parser notices late, or does not say where."""
    seen: set[tuple[str, str]] = set()
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        opened = re.match(r"\s*\[([^\[\]]+)\]", line)
        given = re.match(r"\s*([\w-]+)\s*=", line)
        if opened:
            table = opened[1].strip()
        if opened or given:
            place = (table, given[1] if given else "")
            if place in seen and name in place:
                return number
            seen.add(place)
    return None
