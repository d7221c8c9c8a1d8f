"""From studies to trials: every configuration resolved and checked, equal ones once, and what all cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import tomlkit
from tomlkit.exceptions import TOMLKitError

from trm_engine.config import Config, Value, apply, find_preset, flatten, load
from trm_engine.config.diff import trial_digest
from trm_engine.errors import ConfigError, UsageError
from trm_engine.planning.estimate import Fit, estimate
from trm_engine.planning.memory import checkpoint_bytes
from trm_engine.studies.axes import COSTS, place_on
from trm_engine.studies.catalogue import Selection
from trm_engine.studies.links import compute, in_order, names_in
from trm_engine.studies.study import Experiment, Part, Study, flat
from trm_engine.training.provenance import with_absolute_data

_RECORD_BYTES = 700
"""A line of metrics.jsonl."""
_SESSION_BYTES = 60_000
"""Record, configuration, history and log of a session."""


@dataclass(frozen=True)
class Trial:
    """One run: an experiment with a seed. `experiments` are all that want it, in the order of the plan."""

    digest: str
    name: str
    """The first experiment and the seed, for people: `exp01c-s0`."""
    seed: int
    config: Config
    experiments: tuple[str, ...]

    @cached_property
    def fit(self) -> Fit:
        """What it costs, without times."""
        return estimate(self.config)

    @cached_property
    def disk_bytes(self) -> int:
        """What its session takes at most: newest checkpoints, the best, one in the making, and figures."""
        config = self.config
        kept = config.checkpoint.keep + 2
        evaluations = config.train.steps // config.eval.every if config.eval.every else 0
        records = config.train.steps // config.train.log_every + evaluations + 2
        return kept * checkpoint_bytes(config) + records * _RECORD_BYTES + _SESSION_BYTES


@dataclass(frozen=True)
class Plan:
    """The trials of a selection; `wanted` counts them before equal ones were put together."""

    selection: Selection
    trials: tuple[Trial, ...]
    wanted: int

    def of(self, experiment: str) -> list[Trial]:
        """Return the trials of an experiment (`laptop/exp01a`, `exp01a` of a file), by seed."""
        return [trial for trial in self.trials if experiment in trial.experiments]


def experiment_id(study: Study, experiment: Experiment) -> str:
    """Return an experiment's name as a person types it."""
    return f"{study.suite}/{experiment.name}" if study.suite else experiment.name


def build_plan(
    selection: Selection,
    *,
    seeds: int | None = None,
    overrides: Sequence[str] = (),
    corrected: bool = False,
) -> Plan:
    """Resolve and check every trial before any of them runs.

    `seeds`: so many, from 0 on, instead of the study's own. Raises `ConfigError` listing every experiment
    that cannot be run and why.
    """
    found: dict[str, Trial] = {}
    problems: list[str] = []
    wanted = 0
    for study, experiments in selection.studies:
        base = base_of(study)
        for experiment in experiments:
            name = experiment_id(study, experiment)
            try:
                config = resolve(study, experiment, base, overrides, corrected=corrected)
                place(study, experiment, config)
            except ConfigError as error:
                problems += [f"{name}: {problem}" for problem in error.problems]
                continue
            except UsageError as error:
                problems.append(str(error))
                continue
            for trial in _trials(name, config, range(seeds) if seeds else study.file.seeds):
                wanted += 1
                known = found.get(trial.digest)
                both = (*known.experiments, name) if known else (name,)
                found[trial.digest] = replace(known or trial, experiments=both)
    if problems:
        raise ConfigError(problems, selection.name)
    return Plan(selection, tuple(found.values()), wanted)


def _trials(name: str, config: Config, seeds: Sequence[int]) -> Iterator[Trial]:
    for seed in seeds:
        seeded = config.model_copy(update={"train": config.train.model_copy(update={"seed": seed})})
        yield Trial(trial_digest(seeded), f"{name.rpartition('/')[2]}-s{seed}", seed, seeded, (name,))


def base_of(study: Study) -> Config:
    """Return the configuration that a study starts from: a file beside it, or a preset."""
    beside = study.path.parent / study.file.base
    if study.file.base.endswith(".toml") and beside.is_file():
        return load(beside)
    return find_preset(study.file.base).config


def resolve(
    study: Study,
    experiment: Experiment,
    base: Config,
    overrides: Sequence[str] = (),
    *,
    corrected: bool = False,
) -> Config:
    """Return an experiment's configuration: base, study, experiment, overrides, and what follows from them.

    An override of a linked setting stands instead of its formula. Raises `ConfigError` or `UsageError`.
    """
    file = study.file
    settings: dict[str, Value] = {**flat(file.set), **experiment.settings}
    links: dict[str, str] = flat(file.link)
    if corrected and file.correction is not None:
        settings |= flat(file.correction.set)
        links |= flat(file.correction.link)
    settings |= dict(_read(assignment) for assignment in overrides)
    links = {key: formula for key, formula in links.items() if key not in settings}
    where = f"{experiment_id(study, experiment)}, link"
    known: dict[str, object] = {**flatten(base), **settings}
    order = in_order(links, where)
    late = _reading_costs(links, order, where)
    for key in sorted(order, key=lambda key: key in late):
        if key in late and "cost.flops" not in known:
            known |= _costs(apply(base, _assignments(settings), "settings"))
        value = compute(links[key], known, f"{where} {key}")
        # What comes out whole is written whole: fields of whole numbers take nothing else.
        settings[key] = known[key] = int(value) if float(value).is_integer() else float(value)
    title = f"{file.title}: {experiment.title}"[:200]
    config = apply(base, _assignments(settings), "settings")
    # As a run records it: the same file named in two ways is the same experiment.
    return with_absolute_data(config.model_copy(update={"title": title, "expect": ""}))


def _assignments(settings: Mapping[str, Value]) -> list[str]:
    return [f"{key}={_literal(value)}" for key, value in settings.items()]


def _reading_costs(links: Mapping[str, str], order: Sequence[str], where: str) -> set[str]:
    """Return the linked settings that follow from what a row costs, such as steps at equal work."""
    late: set[str] = set()
    for key in order:
        read = names_in(links[key], where)
        if read & late or any(name.startswith("cost.") for name in read):
            late.add(key)
    return late


def _costs(config: Config) -> dict[str, object]:
    return {f"cost.{name}": COSTS[name](config) for name in ("parameters", "flops")}


def part_of(study: Study, experiment: Experiment) -> Part:
    """Return the part of a study that an experiment belongs to."""
    return next(part for part in study.file.part if part.name == experiment.part)


def place(study: Study, experiment: Experiment, config: Config) -> float | None:
    """Return where an experiment stands on the axis of its part; None without one. Raises `UsageError`."""
    part = part_of(study, experiment)
    if not part.x:
        return None
    return place_on(part.x, config, f"{experiment_id(study, experiment)}, x of part {part.name}")


def _read(assignment: str) -> tuple[str, Value]:
    key, equals, text = assignment.partition("=")
    if not equals:
        raise UsageError(f"{assignment}: write it as section.key=value")
    try:
        value: Value = tomlkit.value(text.strip()).unwrap()
    except (TOMLKitError, ValueError, RecursionError):
        value = text
    return key.strip(), value


def _literal(value: Value) -> str:
    return tomlkit.item(value).as_string()
