"""The training loop, and what happens around a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress

from trm_engine.config import Config, dumps
from trm_engine.decisions import Decision
from trm_engine.errors import DivergedError, ResourceError, SessionError, TrmError
from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.learner import Learner, Update
from trm_engine.monitoring.allocator import give_back, is_out_of_memory, release_memory
from trm_engine.monitoring.monitor import Monitor
from trm_engine.monitoring.slowdowns import PerformanceWatch
from trm_engine.sessions import Session, weights_sha256
from trm_engine.tasks.base import Source
from trm_engine.training.control import Control
from trm_engine.training.events import Evaluated, Finished, Listener, Paused, Started
from trm_engine.training.memory_policy import Change, MemoryKeeper
from trm_engine.training.reporter import Reporter
from trm_engine.training.saver import Saver
from trm_engine.training.throughput import Stopwatch

_HIGHEST_LR = 10.0  # of TrainConfig


@dataclasses.dataclass(frozen=True)
class Limits:
    """When this sitting ends, other than by the configuration: clean, resumable stops. None for no limit.

    `seconds` are those that this sitting trains, `step` is counted from the session's beginning.
    """

    seconds: float | None = None
    step: int | None = None


class Trainer:
    """Trains a learner in the calling thread, writes its session, and tells its listeners."""

    def __init__(
        self,
        learner: Learner,
        session: Session,
        monitor: Monitor,
        control: Control,
        memory: MemoryKeeper,
        performance: PerformanceWatch,
        *,
        listeners: Sequence[Listener] = (),
        limits: Limits | None = None,
        plan: Mapping[int, Config] | None = None,
        seconds: float = 0.0,
        rollbacks: int = 0,
    ) -> None:
        self.learner = learner
        self.session = session
        self.monitor = monitor
        self.control = control
        self.memory = memory
        self.performance = performance
        self.limits = limits or Limits()
        self.plan = dict(plan or {})
        self.stopwatch = Stopwatch(seconds)
        self._seconds_before = seconds
        self.reporter = Reporter(session, monitor, self.stopwatch, listeners)
        self.saver = Saver(learner, session, memory, self.stopwatch, self.reporter, rollbacks=rollbacks)
        self.evaluation: Measured | None = None
        self.reached_target = False
        self.exit_code = 0

    def run(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> Finished:
        """Train until the last step, the target, a limit or a request to stop; save."""
        try:
            self._begin(hardware, decisions)
            while not self._complete() and not self._limited() and not self._held():
                self._apply_changes()
                update = self._learn()
                if update is None:
                    continue
                self.reporter.observe(self.learner, update)
                if not update.applied:
                    self.saver.recover()
                if self._evaluation_due():
                    self._evaluate(final=False)
                if reason := self.saver.due(self.control):
                    self.saver.save(reason)
            return self._finish()
        except DivergedError as error:
            self.exit_code = error.exit_code
            return self._ended("diverged", str(error))
        except (ResourceError, SessionError) as error:
            raise self._with_what_is_saved(error) from error
        except BaseException as error:
            if not is_out_of_memory(error):
                self._fail(error)
                raise
        return self._ended_without_memory()

    # --- around the loop ----------------------------------------------------------------------------------

    def _begin(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> None:
        config, counters = self.learner.config, self.learner.counters
        for decision in decisions:
            self.session.log("info", f"decision: {decision}")
        self.reporter.emit(
            Started(
                session=self.session.id,
                step=counters.step,
                steps=config.train.steps,
                parameters=self._parameter_count,
                config=config,
                hardware=hardware,
                data=self.learner.task.facts,
                decisions=[dataclasses.asdict(decision) for decision in decisions],
            )
        )
        for warning in self.learner.task.warnings:
            self.reporter.warn("data", warning)
        self.session.update(status="running")
        self.saver.begin()
        self.stopwatch.start()

    @property
    def _parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.learner.model.parameters())

    def _complete(self) -> bool:
        return self.reached_target or self.learner.counters.step >= self.learner.config.train.steps

    def _limited(self) -> bool:
        limits = self.limits
        seconds = self.stopwatch.seconds - self._seconds_before
        if limits.seconds is not None and seconds >= limits.seconds:
            self.control.stop(f"{limits.seconds:g} seconds are over")
        if limits.step is not None and self.learner.counters.step >= limits.step:
            self.control.stop(f"step {limits.step} is reached")
        return self.control.stopping

    def _held(self) -> bool:
        """Wait while paused, saved; return whether the run is to stop."""
        return self.control.hold(self._paused, self._show_weights)

    def _held_within_step(self) -> bool:
        # Half a step cannot be saved: the pause holds it, and a stop or a lack of memory undoes it.
        self.memory.guard.worked()
        self._tell_of_shortages()
        held = self.control.hold(self._paused_within_step, self._show_weights)
        return held or self.memory.presses(self.learner.config)

    def _held_in_evaluation(self) -> bool:
        # The model holds the averaged weights and the stopwatch stands: the pause is told, nothing is saved.
        self.memory.guard.worked()
        self._tell_of_shortages()
        return self.control.hold(self._told_of_pause)

    def _show_weights(self) -> None:
        for receive in self.control.take_looks():
            self.reporter.show(receive, self.learner)

    def _paused(self, paused: bool) -> None:
        if paused:
            self.saver.save("pause")
        self._paused_within_step(paused)

    def _paused_within_step(self, paused: bool) -> None:
        (self.stopwatch.stop if paused else self.stopwatch.start)()
        self._told_of_pause(paused)

    def _told_of_pause(self, paused: bool) -> None:
        self.performance.hold(paused)
        self.session.update(status="paused" if paused else "running")
        self.reporter.emit(Paused(self.learner.counters.step, paused))

    def _apply_changes(self) -> None:
        self._show_weights()
        self._tell_of_shortages()
        self._heed_memory()
        step = self.learner.counters.step
        if (planned := self.plan.pop(step, None)) is not None:
            self._reconfigure(planned, "replayed")
        if extra := self.control.take_extension():
            train = self.learner.config.train
            longer = train.model_copy(update={"steps": train.steps + extra})
            self._reconfigure(
                self.learner.config.model_copy(update={"train": longer}), f"extended by {extra} steps"
            )
        if (factor := self.control.take_lr_factor()) != 1:
            train = self.learner.config.train
            rates = {
                name: min(getattr(train, name) * factor, _HIGHEST_LR) for name in ("lr", "puzzle_emb_lr")
            }
            changed = train.model_copy(update=rates)
            self._reconfigure(
                self.learner.config.model_copy(update={"train": changed}), f"learning rate × {factor:g}"
            )

    def _reconfigure(self, config: Config, reason: str) -> None:
        self.learner.reconfigure(config)
        self.session.configure(dumps(config), self.learner.counters.step, reason)
        self.session.log("info", f"configuration at step {self.learner.counters.step}: {reason}")

    # --- memory and speed ---------------------------------------------------------------------------------

    def _learn(self) -> Update | None:
        """Take a step. None when it was undone: a stop was asked for, or memory is short."""
        if self.control.stopping:
            return None
        step = self.learner.counters.step
        try:
            update = self.learner.learn(self.learner.config.micro_batch, self._held_within_step)
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self.memory.guard.worked()
            return update
        # Beyond the handler: the error held on to the tensors of the step.
        release_memory()
        if self.learner.counters.step != step:  # half an update of the weights cannot be undone
            self.saver.go_back()
        change = self.memory.smaller(self.learner.config, "memory ran out")
        if change is not None:
            self._take(change)
        else:
            self._stop_without_memory("memory ran out with the smallest batch; free some, then resume")
        return None

    def _tell_of_shortages(self) -> None:
        if (warning := self.memory.take_warning()) is not None:
            self.reporter.warn("memory-high", warning)
        for slowdown in self.performance.take(self.reporter.rate.samples_per_second):
            self.reporter.warn(slowdown.code, slowdown.message)

    def _heed_memory(self) -> None:
        """Train on fewer or more rows at once as memory asks for, or end the run."""
        config = self.learner.config
        if (change := self.memory.due(config)) is not None:
            self._take(change)
        elif self.memory.must_stop(config):
            self._stop_without_memory(self.memory.stop_reason())

    def _take(self, change: Change) -> None:
        step = self.learner.counters.step
        self.learner.reconfigure(change.config)
        self.session.configure(dumps(change.config), step, change.why)
        self.memory.took(change)
        self.reporter.warn(change.code, f"step {step}: {change.why}")

    def _stop_without_memory(self, reason: str) -> None:
        self.exit_code = ResourceError.exit_code
        self.reporter.warn("out-of-memory", reason)
        self.control.stop(reason)

    # --- evaluation ------------------------------------------------------------------------------------

    def _evaluation_due(self) -> bool:
        every, step = self.learner.config.eval.every, self.learner.counters.step
        if self.control.take_evaluation():
            return self.learner.counters.skipped_in_a_row == 0
        return every > 0 and step % every == 0 and self.learner.counters.skipped_in_a_row == 0

    def _evaluate(self, *, final: bool) -> None:
        step, test = self.learner.counters.step, self.learner.task.test
        if not len(test):
            return  # figures over nothing are none; the task has warned of it
        self.stopwatch.stop()
        examples = test if final else test.head(min(self.learner.config.eval.puzzles, len(test)))
        measured = self._measure(examples, final=final)
        give_back()
        if measured is None:
            return  # a stop half-way: a partial figure is no figure
        self.evaluation = measured
        event = Evaluated(step, final, measured.to_dict())
        self.session.metrics.append({**event.to_dict(), "seconds_trained": self.stopwatch.seconds})
        self.reporter.emit(event)
        if not final:
            self.reached_target = self.learner.reached_target(measured)
            best = self.session.best
            if best is None or measured.score > best.score:
                self.saver.save("best", best_score=measured.score)
        self.stopwatch.start()

    def _measure(self, examples: Source, *, final: bool) -> Measured | None:
        """Evaluate, on fewer puzzles at once where memory is short; None when the run is to stop instead."""

        def stopping() -> bool:
            return (self._held_in_evaluation() and not final) or self.memory.presses_evaluation(
                self.learner.config
            )

        while True:
            measured = None
            give_back()  # a step's free blocks do not fit an evaluation's: both would stay
            try:
                with self.learner.averaged_weights():
                    measured = self.learner.evaluate(examples, stopping)
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
            if measured is not None and measured.rows >= len(examples):
                self.memory.tidy(self.learner.config)
                return measured
            if measured is not None and self.control.stopping and not final:
                return None
            why = f"memory was short in the evaluation at step {self.learner.counters.step}"
            change = self.memory.smaller_evaluation(self.learner.config, why)
            if change is None:
                self._stop_without_memory(f"{why}, of one puzzle at once; free some, then resume")
                return None
            self._take(change)

    # --- the end ------------------------------------------------------------------------------------------

    def _finish(self) -> Finished:
        self.stopwatch.stop()
        self.reporter.finish(self.learner)
        self.saver.save("end")
        self._show_weights()  # to who asked in the last step
        if self._complete():
            self._evaluate(final=True)
            self.stopwatch.stop()
        if self._complete() and not self.exit_code:
            return self._ended(
                "completed",
                f"target {self.learner.target} reached" if self.reached_target else "last step reached",
            )
        return self._ended("stopped", self.control.stop_reason or "asked to stop")

    def _ended_without_memory(self) -> Finished:
        """End a run that has met a lack of memory outside of a step: what it has saved stands."""
        release_memory()
        self.exit_code = ResourceError.exit_code
        step = self.saver.saved_step
        saved = "nothing was saved yet" if step is None else f"go on from step {step}"
        return self._ended("stopped", f"memory ran out; free some, then resume: {saved}")

    def _ended(self, status: str, reason: str) -> Finished:
        counters, seconds = self.learner.counters, self.stopwatch.seconds
        finished = Finished(
            session=self.session.id,
            status=status,
            reason=reason,
            steps=counters.step,
            samples=counters.samples,
            seconds=seconds,
            samples_per_second=counters.samples / seconds if seconds else 0.0,
            weights_sha256=weights_sha256(self.learner.weights()),
            eval=self.evaluation.to_dict() if self.evaluation else {},
            resources={
                **self.monitor.summary().to_dict(),
                "peak_memory_share": self.memory.guard.peak_share,
                "batch_reductions": self.memory.reductions,
            },
            exit_code=self.exit_code,
        )
        summary = {**finished.to_dict(), "parameters": self._parameter_count}
        if (best := self.session.best) is not None:
            name, value = self.learner.best_figure(best.score)
            summary[name] = value
        self.session.update(status=status, summary=summary)
        self.session.log("info" if status != "diverged" else "error", f"{status}: {reason}")
        self.reporter.emit(finished)
        return finished

    def _with_what_is_saved(self, error: TrmError) -> TrmError:
        """Return an error of the session's files that says what is saved; a last checkpoint is tried first.

        That costs nothing where only the metrics or the log have met a limit, or the disk a passing error.
        """
        with suppress(TrmError):
            self.saver.save("end")
        step, saved = self.learner.counters.step, self.saver.saved_step
        if saved is None:
            where = "Nothing was saved."
        elif saved == step:
            where = f"The run is saved at step {step}, and goes on from there."
        else:
            where = f"The run is at step {step}; step {saved} is saved, and it goes on from there."
        told = type(error)(f"{error} {where}")
        self._record_end("stopped" if saved == step else "failed", str(told))
        return told

    def _fail(self, error: BaseException) -> None:
        """Leave a record of an error; the last checkpoint stands as it is."""
        message = str(error) if isinstance(error, TrmError) else f"{type(error).__name__}: {error}"
        self._record_end("failed", message)

    def _record_end(self, status: str, message: str) -> None:
        """Record an end by an error; what cannot be recorded must not hide the error itself."""
        with suppress(TrmError):
            self.session.log("error", message)
        with suppress(TrmError):
            self.session.update(status=status)
