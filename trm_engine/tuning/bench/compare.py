"""Step times of the engine against plain PyTorch, in interleaved runs of two processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from trm_engine.errors import TrmError
from trm_engine.planning.estimate import estimate
from trm_engine.tuning.bench.shapes import SHAPES
from trm_engine.tuning.bench.worker import PLAIN
from trm_engine.tuning.share import Clock, Share

Progress = Callable[[str, int, int], None]
Ask = Callable[[str], object]
"""Sends a worker a command and returns its answer."""


SECONDS = 45.0
"""What one shape may take, in about: all of its measuring together."""
_FOR_STEPS, _FOR_TRIALS = 0.5, 0.1
_PAIRS = 3  # that there shall be time for, one to warm up among them


@dataclass(frozen=True)
class Comparison:
    """What this machine makes of one standard shape. Rates are of medians."""

    shape: str
    precision: str
    rows: int
    """Rows that were computed at once: those of a step, or fewer where a step takes too long here."""
    samples_per_second: float
    plain_samples_per_second: float
    speedup: float
    gflops: float
    """Floating-point operations of the step by formula, a second."""
    share_of_gemm_rate: float | None
    """Of the best matrix product at the step's own shapes; None where that was not measured."""
    gemm_gflops: dict[str, float]
    solving: dict[str, float] | None
    """Puzzles a second with `steps` supervision steps each (`fixed`) and `ran_steps` on average (`early`)."""
    skipped: tuple[str, ...]
    """What would have taken too long, in words."""

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return asdict(self)


def compare(
    shape: str, *, precision: str, rounds: int, progress: Progress, seconds: float = SECONDS
) -> Comparison:
    """Take up to `rounds` steps of a shape by turns in an engine process and in a plain one.

    Where `seconds` are too short for steps of all rows, fewer rows are measured, and what else takes long is
    left out.
    """
    config, for_trials = SHAPES[shape], seconds * _FOR_TRIALS
    batch = config.train.batch_size
    progress(f"preparing {shape}", 0, rounds)
    with _worker(shape, precision, for_trials) as ask_tuned, _worker(shape, PLAIN, for_trials) as ask_plain:
        pairs = StepPairs(ask_tuned, ask_plain, batch, seconds * _FOR_STEPS)
        tuned, plain = pairs.measure(rounds, lambda *told: progress(f"steps of {shape}", *told))
        gemm, solving = ask_tuned("gemm"), ask_tuned("solve")
    assert isinstance(gemm, dict)
    assert isinstance(solving, dict | None)
    rate, plain_rate = pairs.rows / statistics.median(tuned), pairs.rows / statistics.median(plain)
    gflops = estimate(config).flops_per_sample * rate / 1e9
    skipped = [f"steps of {batch} rows: {pairs.rows} at once instead"] if pairs.rows < batch else []
    skipped += [] if "bf16" in gemm else ["products in bf16: emulated here, or too slow"]
    skipped += [] if solving else ["solving puzzles"]
    return Comparison(
        shape,
        precision,
        pairs.rows,
        rate,
        plain_rate,
        rate / plain_rate,
        gflops,
        gflops / gemm["step"] if "step" in gemm else None,
        gemm,
        solving,
        tuple(skipped),
    )


class StepPairs:
    """Steps of two processes in turns, within `seconds` in all; `rows` are as many as there is time for."""

    def __init__(
        self, first: Ask, second: Ask, batch: int, seconds: float, clock: Clock = time.perf_counter
    ) -> None:
        self._asks = first, second
        self._share = Share(seconds, clock)
        self.rows = 1
        # A single row tells the most that a row may take; many together take less each.
        pair = self._pair()
        self.rows = max(1, min(batch, int(max(self._share.left, 0) / (_PAIRS * sum(pair)))))

    def measure(self, rounds: int, progress: Callable[[int, int], None]) -> tuple[list[float], list[float]]:
        """Return the seconds of at most `rounds` steps of each; at least one."""
        last = self._pair()  # warms up
        tuned: list[float] = []
        plain: list[float] = []
        while not tuned or (len(tuned) < rounds and sum(last) < self._share.left):
            last = self._pair()
            tuned.append(last[0])
            plain.append(last[1])
            progress(len(tuned), rounds)
        return tuned, plain

    def _pair(self) -> tuple[float, float]:
        first, second = (_seconds(ask(f"step {self.rows}")) for ask in self._asks)
        return first, second


def _seconds(answer: object) -> float:
    assert isinstance(answer, float)
    return answer


@contextmanager
def _worker(shape: str, precision: str, seconds: float) -> Iterator[Ask]:
    """Run a worker and yield a function that sends it a command and returns its answer."""
    command = [sys.executable, "-m", "trm_engine.tuning.bench.worker", shape, precision, str(seconds)]
    with subprocess.Popen(  # noqa: S603  # our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask(word: str) -> object:
            stdin.write(word + "\n")
            stdin.flush()
            line = stdout.readline()
            if not line:
                raise TrmError(f"the measuring process ended early (exit code {process.wait()})")
            answer: object = json.loads(line)
            return answer

        try:
            yield ask
        finally:
            stdin.close()
