"""The training loop, and what happens around a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from trm_engine.config import Config
from trm_engine.config.kinds import kind_of
from trm_engine.decisions import Decision
from trm_engine.errors import DivergedError, ResourceError, SessionError, TrmError
from trm_engine.learning.counters import Update
from trm_engine.monitoring.allocator import is_out_of_memory, release_memory
from trm_engine.sessions import weights_sha256
from trm_engine.training.changes import Changes
from trm_engine.training.control import Next
from trm_engine.training.evaluator import Evaluator
from trm_engine.training.events import Finished, Paused, Started
from trm_engine.training.run import Run
from trm_engine.training.saver import Saver


@dataclass(frozen=True)
class Limits:
    """When this sitting ends, other than by the configuration: clean, resumable stops. None for no limit.

    `seconds` are those that this sitting trains, `step` is counted from the session's beginning.
    """

    seconds: float | None = None
    step: int | None = None


class Trainer:
    """Trains a run's learner in the calling thread, writes its session, and tells its listeners.

    `plan` holds the configurations of a replay by the step at which they take over.
    """

    def __init__(
        self,
        run: Run,
        *,
        limits: Limits,
        plan: Mapping[int, Config] | None = None,
        rollbacks: int = 0,
    ) -> None:
        self.limits = limits
        self.changes = Changes(run, plan or {})
        self.saver = Saver(run, rollbacks=rollbacks)
        self.evaluator = Evaluator(run, self.changes, self.saver, self._between_evaluations)
        self._run = run
        self._seconds_before = run.stopwatch.seconds

    def run(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> Finished:
        """Train until the last step, the target, a limit or a request to stop; save.

        An iteration ends with the one point at which requests take effect; what is asked in the loop's
        condition and between the parts of a step only tells, and changes nothing.
        """
        try:
            self._begin(hardware, decisions)
            self._heed_control()
            while not self._complete() and self._run.control.poll() is Next.CONTINUE:
                if updates := self._step():
                    self._observe(updates)
                    self.evaluator.evaluate_when_due()
                    self.saver.save_when_due()
                self._heed_control()
            return self._finish()
        except DivergedError as error:
            return self._ended("diverged", str(error), exit_code=error.exit_code)
        except (ResourceError, SessionError) as error:
            raise self._with_what_is_saved(error) from error
        except BaseException as error:
            if not is_out_of_memory(error):
                self._fail(error)
                raise
        return self._ended_without_memory()

    # --- the parts of an iteration --------------------------------------------------------------------------

    def _step(self) -> list[Update]:
        """Draw batches and take a step, or those that a device takes before it is asked for their figures.

        Nothing when a step was undone: a stop was asked for, or memory is short.
        """
        learner, step = self._run.learner, self._run.step
        try:
            updates = learner.advance(
                learner.config.micro_batch,
                lambda: self._between_micro_batches() is not Next.CONTINUE,
                most=self._steps_until_due(),
                hurried=self._asked,
            )
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self._run.memory.guard.worked()
            return updates
        # Beyond the handler: the error held on to the tensors of the step.
        release_memory()
        if self._run.step != step:  # half an update of the weights cannot be undone
            self.saver.go_back()
        self.changes.shrink("out of memory")
        return []

    def _observe(self, updates: Sequence[Update]) -> None:
        """Report steps; one that was skipped as unsound may lead back to a checkpoint."""
        self._run.reporter.observe(self._run.learner, updates)
        for update in updates:
            if not update.applied and self.saver.recover(update):
                return  # those after it count no more

    def _steps_until_due(self) -> int:
        """Return how many steps there are until something has to be done between two of them."""
        config, step = self._run.learner.config, self._run.step
        periods = (config.train.log_every, config.eval.every, config.checkpoint.every_steps)
        ends = [step + every - step % every for every in periods if every]
        ends += [config.train.steps, *(end for end in (self.limits.step, self.changes.next_planned) if end)]
        return max(1, min(ends) - step)

    def _asked(self) -> bool:
        """Whether somebody asks for something, or memory is short: then no more steps are taken at once."""
        run = self._run
        return run.control.asks or run.memory.presses(run.learner.config)

    def _heed_control(self) -> None:
        """Do what was asked for: stop at a limit, wait while paused, show weights, reconfigure."""
        if self._complete():
            return
        # Limits first: a run whose time is over must not wait for its turn before it ends.
        self._stop_at_limits()
        if (number := self._run.learner.team.signal) and not self._run.control.stopping:
            self._run.control.stop_by_signal(number)
        self._run.control.await_turn(self._pause_saved, self._show_weights)
        if self._run.control.poll() is Next.CONTINUE:
            self._show_weights()
            self._run.warn_of_shortages()
            self.changes.apply()

    def _complete(self) -> bool:
        run = self._run
        return self.evaluator.reached_target or run.step >= run.learner.config.train.steps

    def _stop_at_limits(self) -> None:
        limits, control = self.limits, self._run.control
        seconds = self._run.stopwatch.seconds - self._seconds_before
        if limits.seconds is not None and seconds >= limits.seconds:
            control.stop(f"{limits.seconds:g} seconds are over")
        if limits.step is not None and self._run.step >= limits.step:
            control.stop(f"step {limits.step} is reached")

    # --- where a step and an evaluation can be held ---------------------------------------------------------

    def _between_micro_batches(self) -> Next:
        """Wait while paused. Half a step cannot be saved: a stop or a lack of memory undoes it."""
        run = self._run
        # At least one micro-batch has run: from here on samples tell of the sizes in force.
        run.memory.guard.worked()
        run.warn_of_shortages()
        run.control.await_turn(self._pause_unsaved, self._show_weights)
        return run.control.poll(undo=run.memory.presses(run.learner.config))

    def _between_evaluations(self) -> Next:
        """Wait while paused. The model holds the averaged weights and the stopwatch is stopped already."""
        run = self._run
        run.memory.guard.worked()
        run.warn_of_shortages()
        run.control.await_turn(self._tell_of_pause)
        return run.control.poll()

    def _pause_saved(self, paused: bool) -> None:
        if paused:
            self.saver.save("pause")
        self._pause_unsaved(paused)

    def _pause_unsaved(self, paused: bool) -> None:
        (self._run.stopwatch.stop if paused else self._run.stopwatch.start)()
        self._tell_of_pause(paused)

    def _tell_of_pause(self, paused: bool) -> None:
        self._run.session.update(status="paused" if paused else "running")
        self._run.reporter.emit(Paused(self._run.step, paused))

    def _show_weights(self) -> None:
        for receive in self._run.control.take_looks():
            self._run.reporter.show(receive, self._run.learner)

    # --- the beginning and the end --------------------------------------------------------------------------

    def _begin(self, hardware: Mapping[str, object], decisions: Sequence[Decision]) -> None:
        run, learner = self._run, self._run.learner
        for decision in decisions:
            run.session.log("info", f"decision: {decision}")
        run.reporter.emit(
            Started(
                session=run.session.id,
                step=run.step,
                steps=learner.config.train.steps,
                parameters=self._parameter_count,
                config=learner.config,
                hardware=hardware,
                data=learner.task.facts,
                decisions=[dataclasses.asdict(decision) for decision in decisions],
            )
        )
        for warning in learner.task.warnings:
            run.reporter.warn("data", warning)
        run.session.update(status="running")
        self.saver.begin()
        run.stopwatch.start()

    @property
    def _parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self._run.learner.model.parameters())

    def _finish(self) -> Finished:
        run = self._run
        run.stopwatch.stop()
        run.reporter.finish(run.learner)
        self.saver.save("end")
        self._show_weights()  # to who asked in the last step
        if self._complete():
            self.evaluator.evaluate(final=True)
            run.stopwatch.stop()
        exit_code = ResourceError.exit_code if self.changes.out_of_memory else 0
        if self._complete() and not exit_code:
            reached = f"target {kind_of(run.learner.config).score.words} reached"
            return self._ended("completed", reached if self.evaluator.reached_target else "last step reached")
        return self._ended("stopped", run.control.stop_reason or "asked to stop", exit_code=exit_code)

    def _ended_without_memory(self) -> Finished:
        """End a run that has met a lack of memory outside of a step: what it has saved stands."""
        release_memory()
        step = self.saver.saved_step
        saved = "nothing was saved yet" if step is None else f"resume from step {step}"
        reason = f"out of memory; free some, then resume: {saved}"
        return self._ended("stopped", reason, exit_code=ResourceError.exit_code)

    def _ended(self, status: str, reason: str, *, exit_code: int = 0) -> Finished:
        run, counters, seconds = self._run, self._run.learner.counters, self._run.stopwatch.seconds
        finished = Finished(
            session=run.session.id,
            status=status,
            reason=reason,
            steps=counters.step,
            samples=counters.samples,
            seconds=seconds,
            samples_per_second=counters.samples / seconds if seconds else 0.0,
            weights_sha256=weights_sha256(run.learner.weights()),
            eval=self.evaluator.figures,
            resources={
                **run.reporter.monitor.summary().to_dict(),
                "peak_memory_share": run.memory.guard.peak_share,
                "batch_reductions": run.memory.reductions,
            },
            exit_code=exit_code,
        )
        summary = {**finished.to_dict(), "parameters": self._parameter_count}
        if (best := run.session.best) is not None:
            score = kind_of(run.learner.config).score
            summary[f"best_{score.figure}"] = score.value(best.score)
        run.session.update(status=status, summary=summary)
        run.session.log("info" if status != "diverged" else "error", f"{status}: {reason}")
        run.reporter.close_trackers()
        run.reporter.emit(finished)
        return finished

    def _with_what_is_saved(self, error: TrmError) -> TrmError:
        """Return an error of the session's files that says what is saved; a last checkpoint is tried first.

        That costs nothing where only the metrics or the log have met a limit, or the disk a passing error.
        """
        with suppress(TrmError):
            self.saver.save("end")
        step, saved = self._run.step, self.saver.saved_step
        if saved is None:
            where = "Nothing was saved."
        elif saved == step:
            where = f"The run is saved at step {step}, and resumes from there."
        else:
            where = f"The run is at step {step}; step {saved} is saved, and it resumes from there."
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
            self._run.session.log("error", message)
        with suppress(TrmError):
            self._run.session.update(status=status)
