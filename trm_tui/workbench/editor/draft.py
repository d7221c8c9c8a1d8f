"""A configuration while it is being edited: what stands in each field, and all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from trm_engine.config import Change, Config, FieldInfo, TaskConfig, Value, describe, flatten
from trm_engine.config.build import check
from trm_tui.workbench.editor.values import read, show

Fields = Mapping[str, FieldInfo]
KIND = "task.kind"


@dataclass(frozen=True)
class Origin:
    """Where a configuration came from: a preset, a session or a file, by name."""

    name: str
    config: Config

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """Every setting's value by its dotted name."""
        return flatten(self.config)


@dataclass(frozen=True)
class Checked:
    """What a draft amounts to: a sound configuration, or problems by field and those of no field."""

    config: Config | None
    problems: Mapping[str, tuple[str, ...]]
    general: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many problems there are."""
        return len(self.general) + sum(map(len, self.problems.values()))

    @property
    def messages(self) -> list[str]:
        """Every problem on a line of its own, with its field's name."""
        of_fields = [f"{key}: {text}" for key, texts in self.problems.items() for text in texts]
        return [*self.general, *of_fields]


@dataclass(frozen=True)
class Draft:
    """The text of every field. Frozen: a change makes a new draft, so that an old one can come back."""

    origin: Origin
    texts: Mapping[str, str]

    @classmethod
    def of(cls, origin: Origin) -> Draft:
        """Begin with a configuration as it is."""
        return cls(origin, {key: show(value) for key, value in origin.values.items()})

    @cached_property
    def fields(self) -> Fields:
        """Every field of this kind of task, by its dotted name, in the order of the file."""
        return fields_of(TaskConfig.kinds.get(self.texts[KIND], TaskConfig))

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """What stands in each field; text where it cannot be read as the field's type."""
        return {key: read(info, self.texts[key]) for key, info in self.fields.items()}

    @cached_property
    def checked(self) -> Checked:
        """Everything that is wrong, or the sound configuration."""
        tables: dict[str, object] = {}
        for key, info in self.fields.items():
            section = tables.setdefault(info.section, {}) if info.section else tables
            assert isinstance(section, dict)
            section[info.name] = self.values[key]
        config, found = check(tables)
        problems: dict[str, tuple[str, ...]] = {}
        general: list[str] = []
        for problem in found:
            key = ".".join(filter(None, (problem.section, problem.field)))
            if key in self.fields:
                problems[key] = (*problems.get(key, ()), problem.message)
            else:
                general.append(problem.dotted)
        return Checked(None if found else config, problems, tuple(general))

    def with_texts(self, changes: Mapping[str, str]) -> Draft:
        """Return a draft with these texts; another kind of task begins with that kind's defaults.

        Texts of fields that this kind of task does not have are passed over.
        """
        texts = {**self.texts}
        if (kind := changes.get(KIND)) is not None and kind != texts[KIND]:
            texts = _of_kind(texts, kind)
        texts.update({key: text for key, text in changes.items() if key in texts})
        return Draft(self.origin, texts)

    def with_values(self, values: Mapping[str, Value]) -> Draft:
        """Return a draft with these values."""
        return self.with_texts({key: show(value) for key, value in values.items()})

    def has_changed(self, key: str) -> bool:
        """Whether a field differs from where the configuration came from."""
        return self.values[key] != self.origin.values.get(key)

    @property
    def changes(self) -> list[Change]:
        """What differs from where the configuration came from (a) to what stands here (b)."""
        return self.compare(self.origin.config)

    def compare(self, other: Config) -> list[Change]:
        """Return what differs from `other` (a) to what stands here (b), also while something is wrong."""
        theirs, ours = flatten(other), self.values
        keys = [*ours, *(key for key in theirs if key not in ours)]
        return [
            Change(key, theirs.get(key), ours.get(key)) for key in keys if theirs.get(key) != ours.get(key)
        ]

    def initial(self, key: str) -> Value | None:
        """Return what a field goes back to: the value it came with, else its default, else None."""
        value = self.origin.values.get(key)
        return self.fields[key].default if value is None else value


def fields_of(task: type[TaskConfig]) -> Fields:
    """Return every field of a kind of task by its dotted name, in the order of the file."""
    return _fields(task, tuple(TaskConfig.kinds))


@lru_cache(maxsize=32)
def _fields(task: type[TaskConfig], _kinds: tuple[str, ...]) -> Fields:
    """Describe a task's fields once for each set of kinds, which are a choice among them."""
    return {info.key: info for info in describe(task)}


def _of_kind(texts: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return the texts with the task's section begun afresh for another kind."""
    fresh: dict[str, str] = {}
    for key, info in fields_of(TaskConfig.kinds.get(kind, TaskConfig)).items():
        if key == KIND:
            fresh[key] = kind
        elif info.section == "task":
            fresh[key] = show(info.default) if info.default is not None else ""
        else:
            fresh[key] = texts[key]
    return fresh
