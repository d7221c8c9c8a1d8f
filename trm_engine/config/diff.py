"""Where two configurations differ, and whether they are one experiment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from trm_engine.config.describe import Value, flatten
from trm_engine.config.sections import Config


@dataclass(frozen=True)
class Change:
    """One setting that differs; None where a configuration has no such setting (another kind of task)."""

    key: str
    a: Value | None
    b: Value | None


def diff(a: Config, b: Config) -> list[Change]:
    """Return every setting in which `a` and `b` differ, in the order of the file."""
    of_a, of_b = flatten(a), flatten(b)
    keys = list(of_a) + [key for key in of_b if key not in of_a]
    return [Change(key, of_a.get(key), of_b.get(key)) for key in keys if of_a.get(key) != of_b.get(key)]


# What is said of a run, saved of it, or decides how it is computed here, but not what: the numbers of two
# runs that differ in these agree as far as rounding lets them. Precision is what some experiments are about.
_BESIDE = (
    *("title", "expect", "checkpoint.", "memory.", "runtime.", "track."),
    *("train.micro_batch", "train.log_every"),
)
# Off, these are left out: experiments from before there were any keep their names.
_LATER = {"model.attention_window": 0, "train.recursion_penalty": 0}
_LENGTH = 16


def trial_digest(config: Config) -> str:
    """Return the name of an experiment: of everything that decides its result, the random seed included.

    The steps are written behind it, so that runs which differ in their length alone are known to.
    """
    settings = {
        key: value
        for key, value in flatten(config).items()
        if (key == "runtime.precision" or not key.startswith(_BESIDE)) and (key, value) not in _LATER.items()
    }
    steps = settings.pop("train.steps")
    text = json.dumps(settings, sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]}-{steps}"


def changed_trial(before: Config, after: Config) -> str | None:
    """Return the experiment's new name where a change makes it another one, None where it does not."""
    name = trial_digest(after)
    return None if name == trial_digest(before) else name
