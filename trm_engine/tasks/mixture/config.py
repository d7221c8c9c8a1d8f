"""The settings of a mixture of tasks."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import tomlkit
from pydantic import Field
from tomlkit.exceptions import TOMLKitError

from trm_engine.config.build import check
from trm_engine.config.sections import DATA_FIELDS, TaskConfig
from trm_engine.text import quoted

_MOST_PARTS = 16


@dataclass(frozen=True)
class PartConfig:
    """One task of a mixture: what it is called there, its share of the rows, and its settings."""

    name: str
    weight: float
    task: TaskConfig


class MixtureConfig(TaskConfig, kind="mixture", task="trm_engine.tasks.mixture.task:MixtureTask"):
    """Several kinds of puzzles, learned by one model whose blocks they share."""

    size_fields: ClassVar[tuple[str, ...]] = ("parts",)
    one_size: ClassVar[bool] = False

    kind: Literal["mixture"] = "mixture"
    """Which task the model learns."""
    parts: str = Field("sudoku clues=6; maze rows=5 cols=5 min_path=5", max_length=4000)
    """Tasks: KIND setting=value …, a semicolon between; weight=2 for twice the rows. All are generated."""

    @property
    def tasks(self) -> tuple[PartConfig, ...]:
        """The parts; none where `parts` cannot be read."""
        return _read(self.parts)[0]

    @property
    def seq_len(self) -> int:
        """Positions of the longest part; shorter ones are padded."""
        return max((part.task.seq_len for part in self.tasks), default=1)

    @property
    def vocab_size(self) -> int:
        """Padding, and the tokens of each part, which no other part uses."""
        return 1 + sum(part.task.vocab_size - 1 for part in self.tasks)

    @property
    def num_puzzle_ids(self) -> int:
        """One for each part, whose puzzle embedding is its prefix, and the blank one."""
        return len(self.tasks) + 1

    @property
    def train_size(self) -> int:
        """Training puzzles of all parts."""
        return sum(getattr(part.task, "train_size", 0) for part in self.tasks)

    @property
    def test_size(self) -> int:
        """Held-out puzzles of all parts."""
        return sum(getattr(part.task, "test_size", 0) for part in self.tasks)

    @property
    def called(self) -> str:
        """All of its parts."""
        return f"mixture of {' and '.join(part.task.called for part in self.tasks)}"

    def problems(self) -> list[tuple[str, str]]:
        """Return what is wrong with the parts."""
        return [("parts", problem) for problem in _read(self.parts)[1]]


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[tuple[PartConfig, ...], tuple[str, ...]]:
    """Return the parts that a text names, and what is wrong with it; no parts where something is."""
    parts: list[PartConfig] = []
    problems: list[str] = []
    written = [part for part in text.split(";") if part.strip()]
    for part in written:
        try:
            parts.append(_part(part, {known.name for known in parts}))
        except ValueError as error:  # noqa: PERF203  # a few parts
            problems.append(str(error))
    if not 2 <= len(written) <= _MOST_PARTS:
        problems.append(f"{len(written)} parts; a mixture has 2 to {_MOST_PARTS}, with a semicolon between")
    return (() if problems else tuple(parts)), tuple(problems)


def _part(text: str, names: set[str]) -> PartConfig:
    """Read one part; raise `ValueError` saying what is wrong with it."""
    try:
        kind, *settings = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text.strip())}: a quotation mark is missing") from error
    allowed = sorted(name for name in TaskConfig.kinds if _can_be_a_part(name))
    if kind not in allowed:
        raise ValueError(f"{quoted(kind)} cannot be a part; these can: {', '.join(allowed)}")
    values = dict(_setting(kind, setting) for setting in settings)
    weight = values.pop("weight", 1)
    if isinstance(weight, (str, bool)) or not 0 < weight <= 1000:
        raise ValueError(f"{kind}: weight is a number above 0, at most 1000")
    if any(values.get(field) for field in DATA_FIELDS):
        raise ValueError(f"{kind}: puzzles of a mixture are generated; leave out {' and '.join(DATA_FIELDS)}")
    config, problems = check({"task": {"kind": kind, **values}})
    for problem in problems:
        if problem.section == "task":
            raise ValueError(f"{kind}: {problem.field}: {problem.message}")
    number = 1 + sum(name.partition("-")[0] == kind for name in names)
    return PartConfig(kind if number == 1 else f"{kind}-{number}", weight, config.task)


def _can_be_a_part(kind: str) -> bool:
    """Whether puzzles of a kind are generated, and known by what they look like alone."""
    task = TaskConfig.kinds[kind]
    generated = "train_size" in task.model_fields and kind != "mixture"
    return generated and task.architecture == "puzzle" and task.num_puzzle_ids is TaskConfig.num_puzzle_ids


def _setting(kind: str, text: str) -> tuple[str, str | int | float | bool]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{kind}: {quoted(text)}: write it as setting=value")
    field = TaskConfig.kinds[kind].model_fields.get(name)
    if field is not None and field.annotation is str:
        return name, value
    try:
        read = tomlkit.value(value).unwrap()
    except (TOMLKitError, ValueError, RecursionError):
        return name, value
    return name, read if isinstance(read, (int, float, bool)) else value
