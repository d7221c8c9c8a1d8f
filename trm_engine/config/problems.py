"""What is wrong with a configuration, said so that a person can put it right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trm_engine.config.describe import FieldInfo, describe, key_text, number, section_types, show
from trm_engine.config.sections import TaskConfig
from trm_engine.text import nearest, safe_text

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MOST_EXPLAINED = 100


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `section` is empty at the top of a file, `field` where a section is meant."""

    section: str
    field: str
    message: str

    def __str__(self) -> str:
        """As for a file: `[train] lr: 30 is too large; at most 10`."""
        place = " ".join(filter(None, [f"[{self.section}]" if self.section else "", self.field]))
        return f"{place}: {self.message}" if place else self.message

    @property
    def dotted(self) -> str:
        """As for the command line: `train.lr: 30 is too large; at most 10`."""
        place = ".".join(filter(None, [self.section, self.field]))
        return f"{place}: {self.message}" if place else self.message


def explain(error: ValidationError, task: type[TaskConfig]) -> list[Problem]:
    """Return what validation found, in plain words: every problem, or the first hundred and how many more."""
    fields = describe(task)
    errors = error.errors(include_url=False)
    problems = [_explain(found, fields) for found in errors[:MOST_EXPLAINED]]
    if len(errors) > MOST_EXPLAINED:
        problems.append(Problem("", "", f"and {len(errors) - MOST_EXPLAINED} more problems"))
    return problems


def similar(section: str, key: str, fields: Iterable[FieldInfo]) -> list[FieldInfo]:
    """Return the settings that an unknown `section`/`key` may stand for; empty when nothing is close.

    The same key in other sections comes first, then the key most like it, rather the section's own.
    """
    fields = list(fields)
    sections = {info.section for info in fields}
    if section not in sections:
        section = nearest(section, sections) or section
    name = nearest(key, {info.name for info in fields})
    exact = [info for info in fields if info.name == key]
    found = exact or [info for info in fields if info.name == name]
    return [info for info in found if info.section == section] or found


def _explain(error: ErrorDetails, fields: tuple[FieldInfo, ...]) -> Problem:
    parts = [str(part) for part in error["loc"][:2]]
    section, key = parts if len(parts) == 2 else ("", parts[0])
    value = error["input"]
    if error["type"] == "extra_forbidden":
        return _unknown(section, key, value, fields)
    by_place = {(info.section, info.name): info for info in fields}
    info = by_place.get((section, key))
    if info is None:
        return _bad_section(key, error, fields)
    if error["type"] == "missing":
        return Problem(section, key, f"is missing; give {info.allowed}")
    return Problem(section, key, _bad_value(error["type"], value, info))


def _unknown(section: str, key: str, value: object, fields: tuple[FieldInfo, ...]) -> Problem:
    if not section and _is_section(value):
        names = section_types(TaskConfig)
        match = nearest(key, names)
        hint = (
            f'Did you mean "[{match}]"?' if match else f"Known: {', '.join(f'[{name}]' for name in names)}."
        )
        return Problem(key_text(key), "", f"unknown section. {hint}")
    found = similar(section, key, fields)
    places = " and ".join(f"[{info.section}]" if info.section else "the top of the file" for info in found)
    if found and found[0].name == key:
        message = f"unknown key here; it belongs in {places}"
    elif found:
        inside = "" if found[0].section == section else f" in {places}"
        message = f'unknown key. Did you mean "{found[0].name}"{inside}?'
    else:
        known = [info.name for info in fields if info.section == section]
        if not section:
            known += [f"[{name}]" for name in section_types(TaskConfig)]
        message = f"unknown key. Known: {', '.join(known)}."
    return Problem(section, key_text(key), message)


def _is_section(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and value != [] and isinstance(value[0], dict))


def _bad_section(name: str, error: ErrorDetails, fields: tuple[FieldInfo, ...]) -> Problem:
    if error["type"] == "missing":
        kind = next(info for info in fields if info.key == "task.kind")
        return Problem(name, "", f"is missing; add a [{name}] table whose kind is {kind.allowed}")
    if error["type"] in {"model_type", "dict_type"}:
        return Problem(
            name, "", f"must be a table ([{name}] and its keys below it), not {show(error['input'])}"
        )
    return Problem(name, "", safe_text(error["msg"]))


def _bad_value(error_type: str, value: object, info: FieldInfo) -> str:
    if isinstance(value, str) and error_type == "string_too_long":
        return f"has {len(value)} characters; at most {info.max_length}"
    if isinstance(value, (int, float)) and error_type in {"greater_than", "greater_than_equal"}:
        limit = f"{'must be above' if info.above_minimum else 'at least'} {number(info.minimum or 0)}"
        return f"{show(value)} is too small; {limit}"
    if isinstance(value, (int, float)) and error_type in {"less_than", "less_than_equal"}:
        limit = f"{'must be below' if info.below_maximum else 'at most'} {number(info.maximum or 0)}"
        return f"{show(value)} is too large; {limit}"
    choices = [choice for choice in info.choices if isinstance(choice, str)]
    match = nearest(value, choices) if isinstance(value, str) else None
    hint = f'. Did you mean "{match}"?' if match else ""
    return f"must be {info.allowed}, not {show(value)}{hint}"
