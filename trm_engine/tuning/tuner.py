"""What computes fastest on this machine at the shapes of a run: found by trial steps, and remembered.

One question after the other, each with the answers so far in force. A trial takes the gradients of some rows
and forgets them, so that the learner stays as it was. What is chosen becomes part of the learner's
configuration, so that a session records what it was trained with and goes on with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trm_engine.compute.gemm import onednn_problem
from trm_engine.compute.kernels import kernels_problem
from trm_engine.config import Config
from trm_engine.decisions import Decision
from trm_engine.hardware import Hardware
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.allocator import is_out_of_memory, release_memory
from trm_engine.planning.costs import shape_of
from trm_engine.text import format_seconds
from trm_engine.tuning.cache import Trial, TuningCache, describe, key_of
from trm_engine.tuning.choices import choose_precision, choose_threads
from trm_engine.tuning.products import bf16_problem
from trm_engine.tuning.share import Clock, Share, seconds_of

RateOf = Callable[[Learner], float]

_TRIALS = 3
_TRIAL_SECONDS = 0.25
_LONG_SECONDS = 1.0
_SHARE_SECONDS = 30.0
_NO_MEMORY = "not measured: out of memory"
_STOPPED = "not measured: the run was asked to stop"
# At longer sequences the scores of all pairs would no longer fit the caches, nor many rows the memory.
_LONGEST_PRODUCTS = 256


@dataclass(frozen=True)
class _Question:
    """A setting of `[runtime]` and its answers; the first stands unless the other is `worth` times as fast.

    `plain`: the answer without tuning. `moot`: why there is nothing to ask, if so.
    """

    setting: str
    plain: str
    answers: tuple[str, str]
    worth: float
    moot: Callable[[Config, int], str | None]


_EXACT = 'not measured: runtime.reduction = "exact" keeps to one arithmetic'


def _no_other_gemm(config: Config, _threads: int) -> str | None:
    return _EXACT if config.runtime.reduction == "exact" else onednn_problem()


def _no_products(config: Config, _threads: int) -> str | None:
    if config.model.mixer != "attention":
        return "the model has no attention"
    if config.model.attention_window:
        return "windowed attention has its own"
    if shape_of(config).causal:
        return "causal attention needs PyTorch's kernel"
    if config.runtime.reduction == "exact":
        return _EXACT
    if not config.runtime.fused:
        return "products are for fused operations in float32"
    if shape_of(config).positions > _LONGEST_PRODUCTS:
        return f"more than {_LONGEST_PRODUCTS} positions"
    return None


def _no_compiled(config: Config, _threads: int) -> str | None:
    if config.runtime.reduction == "exact":
        return _EXACT
    if not config.runtime.fused:
        return "compiled kernels are for fused operations in float32"
    problem = kernels_problem()
    return problem and f"not compiled: {problem}"


def _no_rows(config: Config, threads: int) -> str | None:
    if config.runtime.reduction == "exact":
        return 'runtime.reduction = "exact" has its own parts of rows'
    if threads == 1:
        return "one thread computes"
    return "a single row at once" if config.micro_batch == 1 else None


def _one_precision(config: Config, _threads: int) -> str | None:
    return _EXACT if config.runtime.reduction == "exact" else None


_KERNELS = _Question("kernels", "fused", ("fused", "compiled"), 1.03, _no_compiled)
# In this order: how rows are best shared among threads depends on the products chosen before.
_QUESTIONS = (
    _Question("gemm", "default", ("default", "onednn"), 1.05, _no_other_gemm),
    _Question("attention", "sdpa", ("sdpa", "products"), 1.03, _no_products),
    # Rows are less sensitive to CPU contention: threads wait for each other once a step, not per operation.
    _Question("parallelism", "operations", ("rows", "operations"), 1.03, _no_rows),
    _KERNELS,
)
# bf16 changes results, so it must win by more than noise.
_PRECISION = _Question("precision", "exact", ("exact", "bf16"), 1.1, _one_precision)


@dataclass(frozen=True)
class Tuned:
    """The threads that compute, and everything that was chosen, with its figures."""

    threads: int
    decisions: list[Decision]


def tune(
    learner: Learner,
    hardware: Hardware,
    *,
    threads: int = 0,
    ranks: int = 1,
    cache: TuningCache | None = None,
    rate_of: RateOf | None = None,
    stopping: Callable[[], bool] = lambda: False,
    seconds: float = _SHARE_SECONDS,
    clock: Clock = time.perf_counter,
) -> Tuned:
    """Put in force what is fastest here; called in the thread that will train.

    Settings that are not "auto" stand. `threads`: those of an earlier sitting, which stand too. `ranks`:
    processes on this machine that share its cores. When `stopping` turns true, or where a trial would take
    more than what is left of `seconds`, what has not been measured yet gets its first answer.
    """
    share = Share(seconds, clock)
    tuner = _Tuner(learner, hardware, cache or TuningCache(), rate_of, stopping, share, clock)
    return tuner.answer(threads, ranks)


class _Tuner:
    def __init__(
        self,
        learner: Learner,
        hardware: Hardware,
        cache: TuningCache,
        rate_of: RateOf | None,
        stopping: Callable[[], bool],
        share: Share,
        clock: Clock,
    ) -> None:
        self.learner = learner
        self.hardware = hardware
        self.cache = cache
        self.rate_of = rate_of
        self.stopping = stopping
        self.share = share
        self.clock = clock
        self.threads = 1
        self.trial_rows = 0
        self.trial_seconds = 0.0

    def answer(self, threads: int, ranks: int) -> Tuned:
        asked = threads or self.learner.config.runtime.threads
        self.threads, counted = choose_threads(asked, self.hardware, ranks=ranks)
        self._use_threads(self.threads)
        if self.learner.device.type != "cpu":  # what is asked below is about processors, and stays open
            return Tuned(
                self.threads, [counted, choose_precision(self.learner.config.runtime, self.learner.device)]
            )
        plain = self.learner.config.runtime.tuning == "off"  # then none of these kernels computes
        settled = [self._settle(question) for question in _QUESTIONS if not (plain and question is _KERNELS)]
        if not asked and ranks == 1 and self.learner.config.runtime.tuning == "auto":
            counted = self._count() or counted
        return Tuned(self.threads, [counted, *settled, self._settle(_PRECISION)])

    def _settle(self, question: _Question) -> Decision:
        config, setting, first = self.learner.config, question.setting, question.answers[0]
        asked = str(getattr(config.runtime, setting))
        if asked == "compiled" and (problem := kernels_problem()):
            self._answer(setting, first)  # a session may come from a machine that has a compiler
            return Decision(setting, first, f"not compiled: {problem}")
        if asked != "auto":
            default = asked == type(config.runtime).model_fields[setting].default
            return Decision(setting, asked, "default" if default else "as configured")
        if question is not _PRECISION and config.runtime.tuning == "off":
            self._answer(setting, question.plain)
            return Decision(setting, question.plain, "runtime.tuning is off")
        why = question.moot(config, self.threads)
        if why is None and question is _PRECISION and self.rate_of is None:
            why = bf16_problem(clock=self.clock)  # a trial of what is emulated would take minutes
        if why:
            self._answer(setting, first)
            return Decision(setting, first, why)
        trial = self._tried(setting, question.answers, lambda answer: self._answer(setting, answer))
        choice = first if isinstance(trial, str) else trial.winner(question.worth)
        self._answer(setting, choice)
        if isinstance(trial, str):
            return Decision(setting, choice, trial)
        return Decision(setting, choice, f"{trial}; a switch needs {question.worth - 1:.0%}")

    def _count(self) -> Decision | None:
        """Try other numbers of threads, where there may be a better one than one for each physical core."""
        cores = self.hardware.cpu.usable_cores or self.threads
        counts = [self.threads, *sorted({cores, self.threads - 1} - {self.threads})]
        counts = [count for count in counts if count > 1]
        if len(counts) == 1:
            return None
        trial = self._tried(
            "threads", [str(count) for count in counts], lambda count: self._use_threads(int(count))
        )
        self._use_threads(counts[0] if isinstance(trial, str) else int(trial.winner(1.03)))
        return Decision("threads", str(self.threads), str(trial))

    def _use_threads(self, count: int) -> None:
        self.threads = count
        self.learner.use_threads(count)

    def _answer(self, setting: str, answer: str) -> None:
        config = self.learner.config
        runtime = config.runtime.model_copy(update={setting: answer})
        self.learner.reconfigure(config.model_copy(update={"runtime": runtime}))

    def _tried(self, setting: str, answers: Sequence[str], take: Callable[[str], None]) -> Trial | str:
        """Return the rates of all answers, known or measured now in turns; else why there are none."""
        key = key_of(self.learner.config, self.hardware, setting, self.threads)
        known = self.cache.find(key)
        if known is not None and set(known.rates) == set(answers):
            return known
        config = self.learner.config
        try:
            rate_of = self.rate_of or self._trial_steps()
            turn = len(answers) * self.trial_seconds
            if turn > self.share.left:
                return f"not measured: trials would take {format_seconds(turn)}"
            # All answers in each round, not one after the other: a slow minute of the machine hits all alike.
            rounds = 1 if self.trial_seconds == 0 or self.trial_seconds > _LONG_SECONDS else _TRIALS + 1
            best = dict.fromkeys(answers, 0.0)
            for number in range(rounds):
                if number and turn > self.share.left:
                    break
                for answer in answers:
                    take(answer)
                    # The highest is the least disturbed; the first of several also warms up.
                    best[answer] = max(best[answer], rate_of(self.learner))
                    if self.stopping():
                        return _STOPPED
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            return _NO_MEMORY
        finally:
            release_memory()
        trial = Trial.now(describe(config), setting, best)
        self.cache.put(key, trial)
        return trial

    def _trial_steps(self) -> RateOf:
        """Return what measures a learner's rows a second, by rows that take a moment.

        Where already a row for each thread takes long, it is taken but once for each answer: that is hardly
        disturbed by anything.
        """
        if self.trial_rows == 0:
            most = self.learner.config.micro_batch
            rows = min(most, self.threads)
            seconds = self._seconds(rows)
            if seconds < _TRIAL_SECONDS:
                seconds = self._seconds(rows)  # the first has warmed up
                more = max(rows, min(most, round(rows * _TRIAL_SECONDS / max(seconds, 1e-9))))
                rows, seconds = more, seconds * more / rows
            self.trial_rows, self.trial_seconds = rows, max(seconds, 1e-9)
        rows = self.trial_rows
        return lambda _learner: rows / max(self._seconds(rows), 1e-9)

    def _seconds(self, rows: int) -> float:
        return seconds_of(lambda: self.learner.rehearse(rows), self.clock)
