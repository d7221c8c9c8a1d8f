"""What every setting is: name, type, default, range and help, read from its one declaration.

TOML comments, error messages and the editor's form are all made from these descriptions.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo as Declaration

from trm_engine.config.kinds import KINDS
from trm_engine.config.sections import Config, Section, TaskConfig
from trm_engine.text import quoted

Value = str | int | float | bool
_LONGEST_KEY = 60
_TYPE_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


@dataclass(frozen=True)
class FieldInfo:
    """One setting. `section` is empty for `title` and `expect`; `default` is None when there is none."""

    section: str
    name: str
    type_name: Literal["int", "float", "bool", "str"]
    default: Value | None
    help: str
    choices: tuple[Value, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    above_minimum: bool = False
    """The minimum itself is not allowed."""
    below_maximum: bool = False
    """The maximum itself is not allowed."""
    max_length: int | None = None

    @property
    def key(self) -> str:
        """The dotted name, `section.key`."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def allowed(self) -> str:
        """What may be written, as words: `a whole number from 4 to 8192`."""
        if self.choices:
            quoted = [f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in self.choices]
            return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
        words = _TYPE_WORDS[self.type_name]
        if self.max_length is not None:
            return f"{words} of at most {self.max_length} characters"
        return " ".join(filter(None, [words, self._range]))

    @property
    def _range(self) -> str:
        low = "" if self.minimum is None else number(self.minimum)
        high = "" if self.maximum is None else number(self.maximum)
        if low and high and not (self.above_minimum or self.below_maximum):
            return f"from {low} to {high}"
        bounds = [
            low and f"{'above' if self.above_minimum else 'of at least'} {low}",
            high and f"{'below' if self.below_maximum else 'at most'} {high}",
        ]
        return ", ".join(filter(None, bounds))


def number(value: int | float) -> str:
    """Return a number as a person would write it: no `.0` behind whole numbers."""
    return str(int(value)) if float(value).is_integer() else repr(value)


def show(value: object) -> str:
    """Return a value as it would be written in TOML, shortened and harmless to print."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python refuses to print integers of more than 4300 digits, and nobody would read them.
        return str(value) if value.bit_length() <= 64 else "a number of more than 64 bits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value)
    names = {dict: "a table", list: "a list", type(None): "nothing"}
    return names.get(type(value), "a date or time")


def key_text(key: str) -> str:
    """Return a key as it would be written: bare when it can be, else in quotes."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum() and len(key) <= _LONGEST_KEY
    return key if bare else quoted(key)


def section_types(task: type[TaskConfig]) -> dict[str, type[Section]]:
    """Return every section by name, in the order of the file; `task` stands for the task's own class."""
    found: dict[str, type[Section]] = {}
    for name, declaration in Config.model_fields.items():
        annotation = declaration.annotation
        if annotation is TaskConfig:
            found[name] = task
        elif isinstance(annotation, type) and issubclass(annotation, Section):
            found[name] = annotation
    return found


def describe(task: type[TaskConfig] = TaskConfig) -> tuple[FieldInfo, ...]:
    """Return every setting in the order of the file: the title and what to expect, then section by section.

    With the base class `TaskConfig` the task section has only its `kind`.
    """
    sections = section_types(task)
    top = {name: declared for name, declared in Config.model_fields.items() if name not in sections}
    found = [_describe("", name, declared, _texts(Config).get(name, "")) for name, declared in top.items()]
    for section, cls in sections.items():
        texts = _texts(cls)
        found += [
            _describe(section, name, declared, texts.get(name, ""))
            for name, declared in cls.model_fields.items()
        ]
    return tuple(found)


def flatten(config: Config) -> dict[str, Value]:
    """Return every setting's value by its dotted name, in the order of the file."""
    return {info.key: value_of(config, info) for info in describe(type(config.task))}


def value_of(config: Config, info: FieldInfo) -> Value:
    """Return what `config` says for one setting."""
    holder = getattr(config, info.section) if info.section else config
    value: Value = getattr(holder, info.name)
    return value


@cache
def _texts(cls: type[Section]) -> Mapping[str, str]:
    """Return the docstrings below a section's fields, those that it inherits among them."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, Section):
            continue
        (declared,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(declared, ast.ClassDef)
        for field, text in pairwise(declared.body):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[field.target.id] = inspect.cleandoc(str(text.value.value))
    return found


def _describe(section: str, name: str, declared: Declaration, text: str) -> FieldInfo:
    annotation = declared.annotation
    choices: tuple[Value, ...] = get_args(annotation) if get_origin(annotation) is Literal else ()
    if (section, name) == ("task", "kind"):
        choices = tuple(sorted(TaskConfig.kinds))
    if (section, name) == ("model", "architecture"):
        choices = tuple(sorted(KINDS))
    type_name = type(choices[0]).__name__ if choices else getattr(annotation, "__name__", "")
    if type_name not in _TYPE_WORDS:
        raise TypeError(f"{section}.{name} has a type that cannot be written in TOML: {annotation}")
    limits = _limits(declared)
    above, below = "gt" in limits, "lt" in limits
    return FieldInfo(
        section=section,
        name=name,
        type_name=type_name,  # type: ignore[arg-type]  # narrowed by the test above
        default=None if declared.is_required() else declared.default,
        help=" ".join((declared.description or text).split()),
        choices=choices,
        minimum=limits.get("gt" if above else "ge"),
        maximum=limits.get("lt" if below else "le"),
        above_minimum=above,
        below_maximum=below,
        max_length=limits.get("max_length"),
    )


def _limits(declared: Declaration) -> Mapping[str, Any]:
    names = ("gt", "ge", "lt", "le", "max_length")
    return {
        name: getattr(limit, name) for limit in declared.metadata for name in names if hasattr(limit, name)
    }
