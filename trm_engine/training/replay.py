"""Replays: a session's recorded configurations run again, and every loss compared bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trm_engine.config import Config, apply, diff, dumps, loads
from trm_engine.errors import OVERRIDES, ConfigError, SessionError
from trm_engine.learning.build import build_learner
from trm_engine.sessions import Store
from trm_engine.tasks import build_task
from trm_engine.training.events import Finished, Warned
from trm_engine.training.origin import begin_again, beginning_of
from trm_engine.training.provenance import (
    compare_data,
    compares_to_the_bit,
    configurations,
    damaged_metrics,
    data_of_session,
    digests,
    environment,
    numerics_warning,
    on_its_device,
    record_data,
    with_absolute_data,
    with_data_of,
)
from trm_engine.training.run import Sitting
from trm_engine.training.runs import FREE_ON_RESUME, Resumption, Setup, train
from trm_engine.tuning.tuner import tune


@dataclass(frozen=True)
class Replay:
    """Whether a replayed run computed the same as the original, loss by loss, bit for bit.

    `compared` counts the records held against each other; each stands for every loss since the one before.
    """

    finished: Finished
    compared: int
    first_difference: int | None
    differences: tuple[str, ...]
    comparable: bool = True
    """Whether both computed on the same kind of device; others round differently, so losses cannot agree."""

    @property
    def agrees(self) -> bool:
        """Whether every loss agreed."""
        return self.compared > 0 and self.first_difference is None


def replay(store: Store, ref: str, sitting: Sitting, *, overrides: Sequence[str] = ()) -> Replay:
    """Run the recorded configurations of a session again, as a new session, and compare every loss.

    `overrides` may say where the data are now.
    """
    original = store.get(ref)
    if original.record.origin is not None:
        raise SessionError(
            f"session {original.id} began from imported weights, and a replay begins from random ones; "
            f"import {original.record.origin.file} again and resume that"
        )
    first, changes = configurations(original)
    latest = loads(original.config_text, f"session {original.id}")
    moved = with_absolute_data(apply(latest, overrides))
    _refuse_other_changes(latest, moved)
    first = on_its_device(with_data_of(first, moved), original)
    changes = {step: on_its_device(with_data_of(change, moved), original) for step, change in changes.items()}
    recorded = digests(original)
    if not recorded:
        raise SessionError(f"session {original.id} has recorded no steps to compare a replay with")
    with data_of_session(original.id):
        task = build_task(first.task, sitting.progress)
        compare_data(original, task)
    hardware = sitting.machine(first)
    learner = build_learner(first, task)
    beginning = beginning_of(store, original)
    if beginning is not None:
        begin_again(store, learner, beginning)
    parent = {"session": original.id, "step": 0, "how": "replayed"}
    with store.begin(
        dumps(first),
        preset=original.record.preset,
        task=first.task.kind,
        parent=parent,
    ) as session:
        record_data(session, task, hardware)
        setup = Setup(hardware, tune(learner, hardware, threads=original.record.threads))
        kernels = first.runtime.kernels, learner.config.runtime.kernels  # these may not compile here
        told = [
            *(Warned("damaged-session", warning) for warning in damaged_metrics(original)),
            *numerics_warning(original, "the losses of a replay cannot agree to the bit"),
        ]
        bounded = replace(sitting, steps=max(recorded))
        finished = train(learner, session, bounded, setup, resumption=Resumption(warnings=told), plan=changes)
        replayed = digests(session)
    compared = sorted(recorded.keys() & replayed.keys())
    different = [step for step in compared if recorded[step] != replayed[step]]
    return Replay(
        finished,
        len(compared),
        different[0] if different else None,
        (*environment(original, session), *_other_kernels(*kernels)),
        compares_to_the_bit(original, session),
    )


def _other_kernels(was: str, now: str) -> tuple[str, ...]:
    return () if was == now else (f"kernels {was} → {now}: they round differently, so no two agree",)


def _refuse_other_changes(before: Config, after: Config) -> None:
    problems = [
        f"{change.key}: a replay repeats what was recorded; only the place of the data may change"
        for change in diff(before, after)
        if change.key not in FREE_ON_RESUME
    ]
    if problems:
        raise ConfigError(problems, OVERRIDES)
