"""The shipped studies, one's own files, and what a person means by a name."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.paths import in_home, shipped
from trm_engine.studies.study import Experiment, Study, load_study
from trm_engine.text import did_you_mean, quoted

BASE = "base.toml"
"""The configuration beside the studies of a suite; no study itself."""


@dataclass(frozen=True)
class Selection:
    """Studies with the experiments of each that were asked for."""

    name: str
    studies: tuple[tuple[Study, tuple[Experiment, ...]], ...]


def suites() -> list[str]:
    """Return the names of the shipped suites."""
    folder = shipped("presets", "studies")
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def studies_of(suite: str) -> list[Study]:
    """Return the studies of a shipped suite by name."""
    files = sorted(shipped("presets", "studies", suite).glob("*.toml"))
    return [load_study(path, suite) for path in files if path.name != BASE]


def select(name: str, pattern: str = "*") -> Selection:
    """Return what a suite, a study, an experiment (`laptop/exp01a`) or a file means, narrowed by a pattern.

    Raises `UsageError` where there is no such thing, or nothing that fits the pattern.
    """
    found = _named(name)
    chosen = []
    for study, experiments in found:
        kept = tuple(e for e in experiments if fnmatch.fnmatchcase(e.name, pattern))
        if kept:
            chosen.append((study, kept))
    if not chosen:
        known = [experiment.name for _, experiments in found for experiment in experiments]
        raise UsageError(
            f"{quoted(name)}: no experiment fits {quoted(pattern)}.{did_you_mean(pattern, known[:20])}"
        )
    return Selection(name, tuple(chosen))


def find_experiment(name: str) -> tuple[Study, Experiment]:
    """Return the experiment that `laptop/exp01a` means. Raises `UsageError` where that is none."""
    suite, _, word = name.partition("/")
    if suite not in suites():
        raise UsageError(f"{quoted(suite)}: no such suite of studies.{did_you_mean(suite, suites())}")
    every = {e.name: (study, e) for study in studies_of(suite) for e in study.experiments}
    if word not in every:
        raise UsageError(f"{quoted(name)}: no such experiment.{did_you_mean(word, every)}")
    return every[word]


def is_experiment(name: str) -> bool:
    """Return whether a name has the form of a shipped experiment, `SUITE/NAME`, and is no file."""
    suite, slash, _ = name.partition("/")
    return bool(slash) and suite in suites() and not name.endswith(".toml")


def _named(name: str) -> list[tuple[Study, tuple[Experiment, ...]]]:
    path = in_home(Path(name))
    if path.suffix == ".toml":
        return [_whole(load_study(path))]
    if name in suites():
        return [_whole(study) for study in studies_of(name)]
    suite, slash, word = name.partition("/")
    if slash and suite in suites():
        every = studies_of(suite)
        for study in every:
            if study.name == word:
                return [_whole(study)]
            for experiment in study.experiments:
                if experiment.name == word:
                    return [(study, (experiment,))]
        raise UsageError(
            f"{quoted(name)}: no such study.{did_you_mean(word, [study.name for study in every])}"
        )
    known = [*suites(), *(study.id for suite in suites() for study in studies_of(suite))]
    raise UsageError(
        f"{quoted(name)}: no such study or suite, and no file that ends in .toml.{did_you_mean(name, known)}"
    )


def _whole(study: Study) -> tuple[Study, tuple[Experiment, ...]]:
    return study, study.experiments
