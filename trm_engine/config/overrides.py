"""Settings changed one by one, as `section.key=value`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import tomlkit
from tomlkit.exceptions import TOMLKitError

from trm_engine.config.build import check, meant_by, task_type
from trm_engine.config.describe import FieldInfo, Value, describe, section_types
from trm_engine.config.problems import similar
from trm_engine.config.sections import Config, TaskConfig
from trm_engine.errors import OVERRIDES, ConfigError
from trm_engine.text import quoted


def apply(config: Config, assignments: Iterable[str], source: str = OVERRIDES) -> Config:
    """Return `config` with each `section.key=value` set; raise `ConfigError` with every problem.

    A value is read as TOML, else as bare text; the last of two values for one key counts. Changing
    `task.kind` starts the task's section afresh, wherever it stands in the list.
    """
    assignments = tuple(assignments)
    if not assignments:
        return config
    problems: list[str] = []
    pairs: list[tuple[str, str]] = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if equals:
            pairs.append((key.strip(), text))
        else:
            problems.append(f"{quoted(assignment)}: write it as section.key=value")

    data = config.model_dump()
    task = _set_kind(data, pairs)
    fields = {info.key: info for info in describe(task)}
    doubtful: set[str] = set()
    for key, text in pairs:
        if key in fields:
            info = fields[key]
            (data[info.section] if info.section else data)[info.name] = _value(text, info)
        elif not (task is TaskConfig and key.startswith("task.")):
            # The keys of an unknown kind of task cannot be judged; the kind itself is a problem already.
            section, _, name = key.rpartition(".")
            problems.append(_unknown(key, list(fields.values())))
            doubtful |= meant_by(section, name, list(fields.values()))
    changed, found = check(data, doubtful)
    problems += [problem.dotted for problem in found]
    if problems:
        raise ConfigError(problems, source)
    return changed


def change(config: Config, settings: Mapping[str, Value]) -> Config:
    """Return `config` with the settings that dotted names give; raise `ConfigError` where it cannot be so."""
    data = config.model_dump()
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        (data[section] if section else data)[name] = value
    changed, problems = check(data)
    if problems:
        raise ConfigError([problem.dotted for problem in problems], "the change")
    return changed


def _set_kind(data: dict[str, dict[str, object]], pairs: list[tuple[str, str]]) -> type[TaskConfig]:
    """Start the task's section afresh when its kind changes; return the class of the task."""
    info = next(info for info in describe() if info.key == "task.kind")
    kinds = [_value(text, info) for key, text in pairs if key == info.key]
    if kinds and kinds[-1] != data["task"]["kind"]:
        data["task"] = {"kind": kinds[-1]}
    return task_type(data)


def _value(text: str, info: FieldInfo) -> object:
    try:
        value: object = tomlkit.value(text.strip()).unwrap()
    except (TOMLKitError, ValueError, RecursionError):
        return text
    # What is to be text is text, even where it looks like a number or a date.
    return text if info.type_name == "str" and not isinstance(value, str) else value


def _unknown(key: str, fields: Sequence[FieldInfo]) -> str:
    section, _, name = key.rpartition(".")
    sections = section_types(TaskConfig)
    if key in sections:
        return f"{key} is a section: write {key}.key=value"
    found = similar(section, name, fields)
    known = [info.key for info in fields if info.section == section] if section in sections else sections
    hint = (
        f"Did you mean {' or '.join(info.key for info in found)}?" if found else f"Known: {', '.join(known)}."
    )
    return f"{quoted(key)} is not a setting. {hint}"
