"""A study as a person writes it: one TOML file with a base, what is varied, what follows from it, and seeds.

Settings are written as in a configuration, by section: `[set.train]`, `[part.vary.model]`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from trm_engine.config import Value
from trm_engine.errors import ConfigError
from trm_engine.text import format_bytes, one_line, safe_text

MAX_BYTES = 100_000
MAX_EXPERIMENTS = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Settings = dict[str, Value]
"""Settings by dotted name, as `--set` takes them."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Single(_Table):
    """One experiment written out."""

    name: str
    """Its name, unique in the suite."""
    title: str = ""
    """What it is, where its settings do not say it."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Its settings, over those of the study."""


class Part(_Table):
    """Experiments that belong together: all combinations of some axes, or a list."""

    name: str
    """The beginning of the experiments' names."""
    title: str = ""
    """What is varied."""
    x: str = ""
    """What laws and figures go over: parameters, flops, training_flops, rows, or a formula of settings."""
    baseline: str = ""
    """The experiment that the others are compared with."""
    vary: dict[str, Any] = Field(default_factory=dict)
    """Lists of values by setting; the last axis changes fastest."""
    names: list[str] = Field(default_factory=list)
    """Ends of the names of the combinations, in order; none: a, b, c …"""
    set: dict[str, Any] = Field(default_factory=dict)
    """Settings of all these experiments."""
    experiment: list[Single] = Field(default_factory=list)
    """Experiments written out."""


class Correction(_Table):
    """What makes good a mistake of the design; taken with `--corrected`."""

    about: str
    """What the mistake is, and what is done instead."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Settings."""
    link: dict[str, Any] = Field(default_factory=dict)
    """Linked settings."""


class StudyFile(_Table):
    """The whole file."""

    title: str
    """What is varied, in a few words."""
    question: str = ""
    """What the study answers."""
    method: str = ""
    """What is held fixed, and what that means for the answer."""
    base: str
    """A preset, or a configuration file beside this one, that every experiment starts from."""
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1, max_length=1000)
    """Random seeds: each experiment runs once with each."""
    fits: list[Literal["exact_accuracy", "cell_accuracy", "loss"]] = Field(
        default_factory=lambda: ["exact_accuracy"]  # type: ignore[arg-type]  # the list of a literal
    )
    """Figures of the last evaluation through which laws are fitted."""
    targets: list[float] = Field(default_factory=list)
    """Accuracies whose first step is looked up."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Settings of every experiment, over those of the base."""
    link: dict[str, Any] = Field(default_factory=dict)
    """Settings that follow from others, as formulas."""
    part: list[Part] = Field(min_length=1, max_length=100)
    """The experiments."""
    correction: Correction | None = None
    """What is wrong with the design as it stands, and the remedy."""


@dataclass(frozen=True)
class Experiment:
    """One arm of a study: its name and what it sets over the study's base."""

    name: str
    title: str
    part: str
    settings: Settings


@dataclass(frozen=True)
class Study:
    """A study and where it was read from; `suite` is empty for one's own file."""

    suite: str
    name: str
    path: Path
    file: StudyFile
    experiments: tuple[Experiment, ...]

    @property
    def id(self) -> str:
        """The name as a person types it: `laptop/exp01`."""
        return f"{self.suite}/{self.name}" if self.suite else self.name


def load_study(path: Path, suite: str = "") -> Study:
    """Read a study file. Raises `ConfigError` with what is wrong with it."""
    source = safe_text(str(path))
    file = _validated(_tables(path, source), source)
    experiments = tuple(_experiments(file, source))
    names = [experiment.name for experiment in experiments]
    problems = [f"{name}: is given twice" for name in sorted({n for n in names if names.count(n) > 1})]
    problems += [
        f"part {part.name}: baseline {part.baseline!r} is not one of its experiments"
        for part in file.part
        if part.baseline and part.baseline not in names
    ]
    if problems:
        raise ConfigError(problems, source)
    return Study(suite, path.stem, path, file, experiments)


def flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables by dotted names."""
    found: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _tables(path: Path, source: str) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError([f"is larger than {format_bytes(MAX_BYTES)}: not a study"], source)
        return tomlkit.parse(content.decode("utf-8-sig")).unwrap()
    except OSError as error:
        raise ConfigError([f"cannot be read: {error.strerror or error}"], source) from None
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ConfigError([f"is not valid TOML: {one_line(str(error))}"], source) from None


def _validated(tables: Mapping[str, Any], source: str) -> StudyFile:
    try:
        return StudyFile.model_validate(tables)
    except ValidationError as error:
        problems = []
        for found in error.errors(include_url=False, include_input=False)[:20]:
            place = ".".join(str(part) for part in found["loc"])
            unknown = found["type"] == "extra_forbidden"
            problems.append(safe_text(f"{place}: {'unknown key' if unknown else found['msg']}"))
        raise ConfigError(problems, source) from None


def _experiments(file: StudyFile, source: str) -> Iterator[Experiment]:
    total = 0
    for part in file.part:
        shared = flat(part.set)
        for name, title, settings in itertools.chain(_combinations(part, source), _singles(part)):
            total += 1
            if not _NAME.fullmatch(name):
                raise ConfigError(
                    [f"part {part.name}: {name!r} is not a name: a–z, 0–9, _ . - and at most 60"], source
                )
            if total > MAX_EXPERIMENTS:
                raise ConfigError([f"has more than {MAX_EXPERIMENTS:,} experiments"], source)
            yield Experiment(name, title, part.name, {**shared, **settings})
    if not total:
        raise ConfigError(["has no experiments: write part.vary or part.experiment"], source)


def _singles(part: Part) -> Iterator[tuple[str, str, Settings]]:
    for single in part.experiment:
        settings = flat(single.set)
        yield single.name, single.title or _described(settings), settings


def _combinations(part: Part, source: str) -> Iterator[tuple[str, str, Settings]]:
    axes = flat(part.vary)
    if not axes:
        return
    wrong = [
        f"part {part.name}: vary.{key} is not a list of values" for key, v in axes.items() if not _is_axis(v)
    ]
    if wrong:
        raise ConfigError(wrong, source)
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MAX_EXPERIMENTS:
        raise ConfigError(
            [f"part {part.name}: varies {count:,} combinations; at most {MAX_EXPERIMENTS:,}"], source
        )
    if part.names and len(part.names) != count:
        raise ConfigError([f"part {part.name}: {len(part.names)} names for {count} combinations"], source)
    ends = part.names or [_letters(number) for number in range(count)]
    for end, values in zip(ends, itertools.product(*axes.values()), strict=True):
        settings = dict(zip(axes, values, strict=True))
        yield f"{part.name}{end}", _described(settings), settings


def _is_axis(values: object) -> bool:
    return (
        isinstance(values, Sequence)
        and not isinstance(values, str)
        and len(values) > 0
        and all(isinstance(value, (str, int, float, bool)) for value in values)
    )


def _letters(number: int) -> str:
    """Return the letters of a number: a to z, then aa, ab and so on."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, len(_LETTERS))
        text = _LETTERS[digit] + text
    return text


def _described(settings: Settings) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in settings.items())
