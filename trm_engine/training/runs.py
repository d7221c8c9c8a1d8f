"""Runs: data, learner, session and trainer brought together for a new session or one that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trm_engine.compute.devices import chosen
from trm_engine.compute.ranks import require_processor
from trm_engine.config import Config, TrackConfig, apply, diff, dumps, loads
from trm_engine.config.diff import changed_trial, trial_digest
from trm_engine.config.sections import DATA_FIELDS
from trm_engine.errors import OVERRIDES, ConfigError, FitError, SessionError
from trm_engine.hardware import Hardware
from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.process import ProcessReadings
from trm_engine.monitoring.slowdowns import PerformanceWatch
from trm_engine.planning.devices import device_of
from trm_engine.planning.estimate import estimate, memory_budget
from trm_engine.sessions import Session, Store
from trm_engine.tasks import build_task
from trm_engine.tasks.streaming import reading_decision
from trm_engine.text import one_line
from trm_engine.training.dry_run import Rehearsal, rehearse
from trm_engine.training.events import Finished, Warned
from trm_engine.training.memory_policy import MemoryKeeper, in_force
from trm_engine.training.origin import Origin, begin_from
from trm_engine.training.provenance import (
    compare_data,
    damaged_metrics,
    data_of_session,
    device_warning,
    numerics_warning,
    record_data,
    with_absolute_data,
    with_its_kernels,
)
from trm_engine.training.ranks.launch import require_ranks
from trm_engine.training.ranks.lead import lead, ranks_decision
from trm_engine.training.reporter import Reporter
from trm_engine.training.run import Past, Run, Sitting
from trm_engine.training.throughput import Stopwatch
from trm_engine.training.tracking.tracker import Trackers, require_trackers
from trm_engine.training.trainer import Limits, Trainer
from trm_engine.tuning.choices import decisions
from trm_engine.tuning.tuner import Tuned, tune

# What a checkpoint raises whose seal is right and whose content is not: some other program made it.
_UNFIT = (AttributeError, IndexError, KeyError, OverflowError, RuntimeError, TypeError, ValueError)

# What decides the shapes in a checkpoint, or the data and randomness that it continues. Where the data are
# may change: their fingerprint tells whether they are the same.
_FIXED_ON_RESUME = ("task.", "model.", "train.seed", "train.batch_size")
FREE_ON_RESUME = tuple(f"task.{name}" for name in DATA_FIELDS)
"""Settings that a session that has begun may still change: where its data are."""


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
    require_trackers(config.track)
    hardware = sitting.machine(config)
    _require_ranks(config, sitting)
    require_fit(config, hardware, ranks=sitting.local_ranks)
    task = build_task(config.task, sitting.progress)
    # Before there is a session: reading the data and a dry run may find that there cannot be one.
    learner = build_learner(config, task)
    parent = None if origin is None else begin_from(store, learner, origin)
    tuned = tune(learner, hardware, ranks=sitting.local_ranks, stopping=lambda: sitting.control.stopping)
    setup = Setup(hardware, tuned, _rehearsed(learner, sitting))
    kind, trial = config.task.kind, "" if parent else trial_digest(config)
    with store.begin(
        dumps(learner.config), preset, task=kind, name=name, parent=parent, trial=trial
    ) as session:
        record_data(session, task, hardware)
        return train(learner, session, sitting, setup)


def _require_ranks(config: Config, sitting: Sitting) -> None:
    """Refuse ranks that cannot share a run, before data are read and a session is begun."""
    require_ranks(config, sitting.ranks)
    if sitting.ranks > 1:
        require_processor(chosen(config.runtime.device)[0])


def require_fit(config: Config, hardware: Hardware, *, ranks: int = 1) -> None:
    """Refuse a configuration that the machine's memory cannot hold, and name some that it can."""
    fit = estimate(
        config,
        budget_bytes=memory_budget(config, hardware),
        ranks=ranks,
        gpu=None if ranks > 1 else device_of(config, hardware.gpus),
    )
    if not fit.fits:
        raise FitError("\n".join(fit.problems), remedies=fit.alternatives)


def resume(
    store: Store, ref: str, sitting: Sitting, *, checkpoint: int | None = None, overrides: Sequence[str] = ()
) -> Finished:
    """Go on with a session from its newest sound checkpoint, or from the one of step `checkpoint`.

    `overrides` (`section.key=value`) may change how training goes on, but not what is learned by which model.
    """
    with store.open(ref) as session:
        configuration = session.configuration
        before = loads(configuration.text, f"session {session.id}")
        config = with_absolute_data(apply(with_its_kernels(before), overrides))
        _refuse_fixed_changes(before, config)
        require_trackers(config.track)
        found, warnings = session.load(checkpoint)
        told = [
            *(Warned("damaged-checkpoint", warning) for warning in warnings),
            *(Warned("damaged-session", w) for w in (*configuration.warnings, *damaged_metrics(session))),
        ]
        config = in_force(config, found.state.get("memory"), overrides)
        _require_ranks(config, sitting)
        with data_of_session(session.id):
            task = build_task(config.task, sitting.progress)
            compare_data(session, task)
        hardware = sitting.machine(config)
        if not session.record.data:  # imported weights come without data
            record_data(session, task, hardware)
        told += numerics_warning(session, "the run continues with the present ones")
        learner = build_learner(config, task)
        told += device_warning(session, learner.device)
        try:
            learner.restore(found.weights, found.tensors, found.state["learner"])
        except _UNFIT as error:
            raise SessionError(
                f"session {session.id}: the checkpoint of step {found.step} "
                f"does not belong to its configuration ({one_line(str(error)) or type(error).__name__})"
            ) from error
        tuned = tune(learner, hardware, ranks=sitting.local_ranks, stopping=lambda: sitting.control.stopping)
        config = learner.config
        if config != before:
            changes = ", ".join(f"{change.key} = {change.b}" for change in diff(before, config))
            trial = changed_trial(before, config)
            session.configure(dumps(config), found.step, f"resumed with {changes}", trial=trial)
        elif configuration.warnings:
            session.mend_configuration()
        if checkpoint is not None:
            # A crash before the next save must not go back to the newer checkpoint that was left behind.
            session.save(found, keep=config.checkpoint.keep)
        session.metrics.rewind(found.step)
        session.log("info", f"resumed at step {found.step}")
        resumption = Resumption(found.state, overrides, told)
        del found  # its tensors have been copied: they would stay beside the learner's for the whole run
        setup = Setup(hardware, tuned, _rehearsed(learner, sitting))
        return train(learner, session, sitting, setup, resumption=resumption)


@dataclass(frozen=True)
class Setup:
    """The machine that a run trains on, what was chosen for it, and what a dry run on it has shown."""

    hardware: Hardware
    tuned: Tuned
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True)
class Resumption:
    """What a run resumes from: the state in its checkpoint, what was set anew, and what was found damaged."""

    saved: Mapping[str, object] = field(default_factory=dict)
    overrides: Sequence[str] = ()
    warnings: Sequence[Warned] = ()


def train(
    learner: Learner,
    session: Session,
    sitting: Sitting,
    setup: Setup,
    *,
    resumption: Resumption | None = None,
    plan: Mapping[int, Config] | None = None,
) -> Finished:
    """Train a learner that is ready into its session. `plan`: a replay's configurations by their steps."""
    resumption, hardware, tuned = resumption or Resumption(), setup.hardware, setup.tuned
    session.update(threads=tuned.threads, ranks=sitting.ranks, device=str(learner.device))
    chosen = [*decisions(learner.config.runtime), *tuned.decisions, reading_decision(learner.task.train)]
    beside: list[int] = []
    memory = MemoryKeeper(
        learner.config,
        saved=resumption.saved.get("memory"),
        overrides=resumption.overrides,
        acts=plan is None,
    )
    if setup.rehearsal is not None:
        chosen.append(setup.rehearsal.decision)
        _shrink(learner, session, memory, setup.rehearsal)
    if (group := sitting.group) is not None:
        chosen.append(ranks_decision(learner.config, group.place))
        beside = lead(learner, group, threads=tuned.threads, data=session.record.data)
    config, gpu = learner.config, device_of(learner.config, hardware.gpus)
    rate = estimate(config, gemm_gflops=hardware.gemm_gflops, gpu=gpu).samples_per_second
    slowdowns = PerformanceWatch(
        tuned.threads, hardware, samples_per_second=rate, paused=lambda: sitting.control.resting
    )
    past = Past.parse(resumption.saved)
    since = sitting.begin(session.id, learner.counters.step, past.seconds)
    limits = Limits(
        seconds=None if sitting.seconds is None else since.seconds + sitting.seconds - past.seconds,
        step=None if sitting.steps is None else since.step + sitting.steps,
    )
    readings = ProcessReadings(beside=beside)
    with (
        # A replay tells nothing that is not known already.
        Trackers(
            config.track if plan is None else TrackConfig(), config, session, patience=sitting.patience
        ) as trackers,
        sitting.monitor(readings=readings, watchers=(memory.guard.see, slowdowns.see)) as monitor,
    ):
        stopwatch = Stopwatch(past.seconds)
        reporter = Reporter(session, monitor, stopwatch, sitting.listeners, sitting.clock, trackers)
        for warning in resumption.warnings:
            reporter.warn(warning.code, warning.message)
        run = Run(learner, session, sitting.control, memory, slowdowns, stopwatch, reporter)
        trainer = Trainer(run, limits=limits, plan=plan, rollbacks=past.rollbacks)
        return trainer.run(hardware.to_dict(), chosen)


def _rehearsed(learner: Learner, sitting: Sitting) -> Rehearsal | None:
    """Try one micro-batch, where memory is guarded. Raises `FitError` when not even one row fits."""
    if not learner.config.memory.guard:
        return None
    return rehearse(learner, ranks=sitting.local_ranks)


def _shrink(learner: Learner, session: Session, memory: MemoryKeeper, rehearsal: Rehearsal) -> None:
    """Begin with fewer rows at once where the dry run has shown that those asked for do not fit."""
    if rehearsal.config != learner.config:
        learner.reconfigure(rehearsal.config)
        session.configure(dumps(rehearsal.config), learner.counters.step, str(rehearsal.decision))
        memory.reductions += 1
        memory.settle(rehearsal.config)


def _refuse_fixed_changes(before: Config, after: Config) -> None:
    problems = [
        f"{change.key}: cannot change in a session that has begun ({change.a} → {change.b}); start a new run"
        for change in diff(before, after)
        if change.key.startswith(_FIXED_ON_RESUME) and change.key not in FREE_ON_RESUME
    ]
    if problems:
        raise ConfigError(problems, OVERRIDES)
