"""Bringing a run together: data, learner, session and trainer for a new run, a resumed one and a replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trm_engine.config import Config, apply, diff, dumps, loads
from trm_engine.config.sections import DATA_FIELDS
from trm_engine.errors import ConfigError, FitError, SessionError
from trm_engine.hardware import Hardware, detect
from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.monitor import Monitor
from trm_engine.monitoring.slowdowns import PerformanceWatch
from trm_engine.planning.estimate import estimate, memory_budget
from trm_engine.sessions import Session, Store
from trm_engine.tasks import build_task
from trm_engine.tasks.streaming import reading_decision
from trm_engine.training.control import Control
from trm_engine.training.dry_run import Rehearsal, rehearse
from trm_engine.training.events import Finished, Listener, Listeners, Warned
from trm_engine.training.memory_policy import MemoryKeeper, in_force
from trm_engine.training.origin import Origin, begin_again, begin_from, beginning_of
from trm_engine.training.provenance import (
    compare_data,
    configurations,
    damaged_metrics,
    digests,
    environment,
    first_line,
    numerics_warning,
    record_data,
    with_absolute_data,
    with_data_of,
)
from trm_engine.training.trainer import Limits, Trainer
from trm_engine.tuning.choices import decisions
from trm_engine.tuning.gemm_rate import with_gemm_rate
from trm_engine.tuning.tuner import Tuned, tune

Progress = Callable[[str, int, int], None]

# What a checkpoint raises whose seal is right and whose content is not: some other program made it.
_UNFIT = (AttributeError, IndexError, KeyError, OverflowError, RuntimeError, TypeError, ValueError)

# What decides the shapes in a checkpoint, or the data and randomness that it continues. Where the data are
# may change: their fingerprint tells whether they are the same.
_FIXED_ON_RESUME = ("task.", "model.", "train.seed", "train.batch_size")
_FREE_ON_RESUME = tuple(f"task.{field}" for field in DATA_FIELDS)


@dataclass(frozen=True)
class Sitting:
    """How a run is driven and watched, whichever way it begins.

    `seconds` and `steps` bound this sitting (a clean, resumable stop); `progress` hears how the data is
    prepared: (what, done, total).
    """

    control: Control
    listeners: Sequence[Listener] = ()
    seconds: float | None = None
    steps: int | None = None
    progress: Progress | None = None


def start(
    store: Store,
    config: Config,
    sitting: Sitting,
    *,
    preset: str,
    name: str = "",
    origin: Origin | None = None,
) -> Finished:
    """Train a configuration as a new session, from random weights or from those of `origin`.

    Raises `FitError` when it needs more memory than there is, `ConfigError` when the origin's model differs.
    """
    config = with_absolute_data(config)
    hardware = _machine(config)
    require_fit(config, hardware)
    task = build_task(config.task, sitting.progress)
    # Before there is a session: reading the data and a dry run may find that there cannot be one.
    learner = build_learner(config, task)
    parent = None if origin is None else begin_from(store, learner, origin)
    tuned = tune(learner, hardware, stopping=lambda: sitting.control.stopping)
    rehearsal = _rehearsed(learner)
    kind = config.task.kind
    with store.begin(dumps(learner.config), preset=preset, task=kind, name=name, parent=parent) as session:
        record_data(session, task, hardware)
        return _train(learner, session, sitting, hardware, tuned, rehearsal=rehearsal)


def require_fit(config: Config, hardware: Hardware) -> None:
    """Refuse a configuration that the machine's memory cannot hold, and name some that it can."""
    fit = estimate(config, budget_bytes=memory_budget(config, hardware))
    if not fit.fits:
        remedies = [f"try: {alternative}" for alternative in fit.alternatives]
        raise FitError("\n".join([*fit.problems, *remedies]))


def resume(
    store: Store, ref: str, sitting: Sitting, *, checkpoint: int | None = None, overrides: Sequence[str] = ()
) -> Finished:
    """Go on with a session from its newest sound checkpoint, or from the one of step `checkpoint`.

    `overrides` (`section.key=value`) may change how training goes on, but not what is learned by which model.
    """
    with store.open(ref) as session:
        configuration = session.configuration
        before = loads(configuration.text, f"session {session.id}")
        config = with_absolute_data(apply(before, overrides))
        _refuse_fixed_changes(before, config)
        found, warnings = session.load(checkpoint)
        told = [
            *(Warned("damaged-checkpoint", warning) for warning in warnings),
            *(Warned("damaged-session", w) for w in (*configuration.warnings, *damaged_metrics(session))),
        ]
        config = in_force(config, found.state.get("memory"), overrides)
        task = build_task(config.task, sitting.progress)
        compare_data(session, task)
        hardware = _machine(config)
        if not session.record.data:  # imported weights come without data
            record_data(session, task, hardware)
        told += numerics_warning(session, "the run goes on from here with the present ones")
        learner = build_learner(config, task)
        try:
            learner.restore(found.weights, found.tensors, found.state["learner"])
        except _UNFIT as error:
            raise SessionError(
                f"session {session.id}: the checkpoint of step {found.step} "
                f"does not belong to its configuration ({first_line(error)})"
            ) from error
        tuned = tune(learner, hardware, stopping=lambda: sitting.control.stopping)
        config = learner.config
        if config != before:
            changes = ", ".join(f"{change.key} = {change.b}" for change in diff(before, config))
            session.configure(dumps(config), found.step, f"resumed with {changes}")
        elif configuration.warnings:
            session.mend_configuration()
        if checkpoint is not None:
            # A crash before the next save must not go back to the newer checkpoint that was left behind.
            session.save(found, keep=config.checkpoint.keep)
        session.metrics.rewind(found.step)
        session.log("info", f"resumed at step {found.step}")
        saved = found.state
        del found  # its tensors have been copied: they would stay beside the learner's for the whole run
        return _train(
            learner,
            session,
            sitting,
            hardware,
            tuned,
            rehearsal=_rehearsed(learner),
            saved=saved,
            overrides=overrides,
            warnings=told,
        )


@dataclass(frozen=True)
class Replay:
    """Whether a replayed run computed the same as the original, loss by loss, bit for bit.

    `compared` counts the records held against each other; each stands for every loss since the one before.
    """

    finished: Finished
    compared: int
    first_difference: int | None
    differences: tuple[str, ...]

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
    first = with_data_of(first, moved)
    changes = {step: with_data_of(change, moved) for step, change in changes.items()}
    recorded = digests(original)
    if not recorded:
        raise SessionError(f"session {original.id} has recorded no steps to compare a replay with")
    task = build_task(first.task, sitting.progress)
    compare_data(original, task)
    hardware = _machine(first)
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
        sitting = Sitting(
            sitting.control, sitting.listeners, sitting.seconds, max(recorded), sitting.progress
        )
        finished = _train(
            learner,
            session,
            sitting,
            hardware,
            tune(learner, hardware, threads=original.record.threads),
            plan=changes,
            warnings=[
                *(Warned("damaged-session", warning) for warning in damaged_metrics(original)),
                *numerics_warning(original, "the losses of a replay cannot agree to the bit"),
            ],
        )
        replayed = digests(session)
    compared = sorted(recorded.keys() & replayed.keys())
    different = [step for step in compared if recorded[step] != replayed[step]]
    return Replay(
        finished, len(compared), different[0] if different else None, environment(original, session)
    )


def _train(
    learner: Learner,
    session: Session,
    sitting: Sitting,
    hardware: Hardware,
    tuned: Tuned,
    *,
    rehearsal: Rehearsal | None = None,
    saved: Mapping[str, object] | None = None,
    overrides: Sequence[str] = (),
    plan: Mapping[int, Config] | None = None,
    warnings: Sequence[Warned] = (),
) -> Finished:
    tell = Listeners(sitting.listeners, lambda message: session.log("warning", message))
    for warning in warnings:
        session.log("warning", warning.message)
        tell(warning)
    session.update(threads=tuned.threads)
    chosen = [*decisions(learner.config.runtime), *tuned.decisions, reading_decision(learner.task.train)]
    memory = MemoryKeeper(
        learner.config, saved=(saved or {}).get("memory"), overrides=overrides, acts=plan is None
    )
    if rehearsal is not None:
        chosen.append(rehearsal.decision)
        _shrink(learner, session, memory, rehearsal)
    rate = estimate(learner.config, gemm_gflops=hardware.gemm_gflops).samples_per_second
    performance = PerformanceWatch(tuned.threads, hardware, samples_per_second=rate)
    limits = Limits(
        seconds=sitting.seconds,
        step=None if sitting.steps is None else learner.counters.step + sitting.steps,
    )
    with Monitor(watchers=(memory.guard.see, performance.see)) as monitor:
        trainer = Trainer(
            learner,
            session,
            monitor,
            sitting.control,
            memory,
            performance,
            listeners=sitting.listeners,
            limits=limits,
            plan=plan,
            seconds=_number(saved, "seconds"),
            rollbacks=int(_number(saved, "rollbacks")),
        )
        return trainer.run(hardware.to_dict(), chosen)


def _rehearsed(learner: Learner) -> Rehearsal | None:
    """Try one micro-batch, where memory is guarded. Raises `FitError` when not even one row fits."""
    if not learner.config.memory.guard:
        return None
    return rehearse(learner)


def _shrink(learner: Learner, session: Session, memory: MemoryKeeper, rehearsal: Rehearsal) -> None:
    """Begin with fewer rows at once where the dry run has shown that those asked for do not fit."""
    if rehearsal.config != learner.config:
        learner.reconfigure(rehearsal.config)
        session.configure(dumps(rehearsal.config), learner.counters.step, str(rehearsal.decision))
        memory.reductions += 1
        memory.settle(rehearsal.config)


def _machine(config: Config) -> Hardware:
    """Return this machine, with the rate from which times are predicted where anything may be measured."""
    hardware = detect(with_torch=True)
    return with_gemm_rate(hardware) if config.runtime.tuning == "auto" else hardware


def _number(saved: Mapping[str, object] | None, name: str) -> float:
    value = saved.get(name) if saved else 0.0
    return float(value) if isinstance(value, (int, float)) else 0.0


def _refuse_fixed_changes(before: Config, after: Config) -> None:
    problems = [
        f"{change.key}: cannot change in a session that has begun ({change.a} → {change.b}); start a new run"
        for change in diff(before, after)
        if change.key.startswith(_FIXED_ON_RESUME) and change.key not in _FREE_ON_RESUME
    ]
    if problems:
        raise ConfigError(problems, "--set")


def _refuse_other_changes(before: Config, after: Config) -> None:
    problems = [
        f"{change.key}: a replay repeats what was recorded; only where the data are may be said anew"
        for change in diff(before, after)
        if change.key not in _FREE_ON_RESUME
    ]
    if problems:
        raise ConfigError(problems, "--set")
