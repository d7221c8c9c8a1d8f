"""From plain tables to a checked `Config`: every problem is found in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from pydantic import ValidationError

from trm_engine.config.describe import FieldInfo, describe
from trm_engine.config.problems import MOST_EXPLAINED, Problem, explain, similar
from trm_engine.config.rules import rules
from trm_engine.config.sections import Config, TaskConfig
from trm_engine.text import nearest


def check(
    tables: Mapping[str, object], doubtful: AbstractSet[str] = frozenset()
) -> tuple[Config, list[Problem]]:
    """Return the configuration that `tables` describe, and every problem with them.

    The configuration is sound only when there are no problems. Values that are wrong by themselves give way
    to defaults, so that the rules over the others can still be checked; rules that depend on such a value, or
    on one of the `doubtful` settings, stay silent.
    """
    data = {name: dict(table) if isinstance(table, Mapping) else table for name, table in tables.items()}
    problems: list[Problem] = []
    unsure = set(doubtful)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        task = task_type(data)
        problems = explain(error, task)
        unsure |= _drop(data, error, task)
        config = Config.model_validate(data)
    return config, problems + rules(config, unsure)


def task_type(tables: Mapping[str, object]) -> type[TaskConfig]:
    """Return the class of the task that `tables` name, or the base class when they name none."""
    task = tables.get("task")
    kind = task.get("kind") if isinstance(task, Mapping) else None
    return TaskConfig.kinds.get(kind, TaskConfig) if isinstance(kind, str) else TaskConfig


def meant_by(section: str, key: str, fields: Sequence[FieldInfo]) -> set[str]:
    """Return the settings and the section that someone who wrote an unknown name may have meant."""
    meant = {info.key for info in similar(section, key, fields)}
    match = None if section else nearest(key, {info.section for info in fields})
    return meant | {match} if match else meant


def _drop(data: dict[str, object], error: ValidationError, task: type[TaskConfig]) -> set[str]:
    """Take what is wrong out of `data`; return the names of all settings whose value is now in doubt."""
    doubtful: set[str] = set()
    fields = describe(task)
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    for index, found in enumerate(errors):
        section, key = _place([str(part) for part in found["loc"]])
        if section == "task" and (found["type"] == "missing" or key == "kind"):
            section, key = "", "task"
        doubtful.add(f"{section}.{key}" if section else key)
        if found["type"] == "extra_forbidden" and index < MOST_EXPLAINED:
            doubtful |= meant_by(section, key, fields)
        table = data.get(section) if section else data
        if isinstance(table, dict):
            table.pop(key, None)
    if "task" not in data:
        doubtful.add("task")
        data["task"] = TaskConfig.model_construct(kind="")
    return doubtful


def _place(loc: Sequence[str]) -> tuple[str, str]:
    first, *rest = loc
    return (first, rest[0]) if rest else ("", first)
