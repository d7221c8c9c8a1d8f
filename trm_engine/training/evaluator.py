"""Evaluations during and after training: when one is due, what it does when memory is short, what it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.gradient_noise import gradient_noise
from trm_engine.monitoring.allocator import give_back, is_out_of_memory
from trm_engine.tasks.examples import Source
from trm_engine.training.changes import Changes
from trm_engine.training.control import Next
from trm_engine.training.events import Evaluated
from trm_engine.training.run import Run
from trm_engine.training.saver import Saver

_QUALITIES = ("accuracy", "loss")


class Evaluator:
    """Measures a run's averaged weights on held-out examples.

    `between_batches` is asked between two batches of an evaluation; it waits there while the run is paused.
    """

    def __init__(self, run: Run, changes: Changes, saver: Saver, between_batches: Callable[[], Next]) -> None:
        self.figures: dict[str, float] = {}
        """What the latest evaluation showed."""
        self.reached_target = False
        self._run = run
        self._changes = changes
        self._saver = saver
        self._between_batches = between_batches

    def evaluate_when_due(self) -> None:
        """Evaluate where the configuration or a request says so, but not right after a skipped step."""
        learner = self._run.learner
        every, counters = learner.config.eval.every, learner.counters
        asked = self._run.control.take_evaluation()
        if counters.skipped_in_a_row == 0 and (asked or (every > 0 and counters.step % every == 0)):
            self.evaluate()

    def evaluate(self, *, final: bool = False) -> None:
        """Measure, record and tell; save the checkpoint where it is the best so far.

        The last evaluation of a run takes all test examples; a request to stop does not cut it short.
        """
        run, learner = self._run, self._run.learner
        test = learner.task.test
        if not len(test):
            return  # figures over nothing would read as failure; why was said at the start
        run.stopwatch.stop()
        examples = test if final else test.head(min(learner.config.eval.puzzles, len(test)))
        measured = self._measure(examples, final=final)
        if measured is None:
            give_back()
            return  # a stop half-way: a partial figure is no figure
        self.figures = measured.to_dict() | self._beside(examples, final=final)
        give_back()
        event = Evaluated(run.step, final, self.figures)
        run.session.metrics.append({**event.to_dict(), "seconds_trained": run.stopwatch.seconds})
        run.reporter.emit(event)
        if final and (solved := measured.solved_bits()):
            run.session.save_solved(solved)
        if not final:
            score = measured.judged_by
            self.reached_target = score.target_reached(score.value(measured.score), learner.config)
            best = run.session.best
            if best is None or measured.score > best.score:
                self._saver.save("best", best_score=measured.score)
        run.stopwatch.start()

    def _beside(self, examples: Source, *, final: bool) -> dict[str, float]:
        """Return what the configuration wants measured beside the averaged weights."""
        learner, found = self._run.learner, dict[str, float]()
        if learner.config.eval.noise_scale:
            found |= gradient_noise(learner, learner.config.micro_batch)
        if final and learner.config.eval.raw_weights:
            raw = self._measure(examples, final=True, averaged=False)
            figures = raw.to_dict() if raw else {}
            found |= {f"raw_{name}": value for name, value in figures.items() if name.endswith(_QUALITIES)}
        return found

    def _measure(self, examples: Source, *, final: bool, averaged: bool = True) -> Measured | None:
        """Evaluate, on fewer puzzles at once where memory is short; None when the run is to stop instead."""
        learner, memory = self._run.learner, self._run.memory

        def stopping() -> bool:
            stop = self._between_batches() is Next.STOP and not final
            return stop or memory.presses_evaluation(learner.config)

        while True:
            measured = None
            give_back()  # a step's free blocks do not fit an evaluation's: both would stay
            try:
                with learner.averaged_weights() if averaged else nullcontext():
                    measured = learner.measure(examples, stopping, final=final, thorough=final and averaged)
            except (MemoryError, RuntimeError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
            if measured is not None and measured.rows >= len(examples):
                memory.tidy(learner.config)
                return measured
            if measured is not None and self._run.control.stopping and not final:
                return None
            why = f"memory was short in the evaluation at step {self._run.step}"
            change = memory.smaller_evaluation(learner.config, why)
            if change is None:
                self._changes.stop_without_memory(f"{why}, of one puzzle at once; free some, then resume")
                return None
            self._changes.take(change)
