"""Step times of the engine against plain PyTorch, in interleaved runs of two processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from trm_engine.errors import TrmError
from trm_engine.planning.estimate import estimate
from trm_engine.tuning.bench.shapes import SHAPES
from trm_engine.tuning.bench.worker import PLAIN

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """What this machine makes of one standard shape. Rates are of medians."""

    shape: str
    precision: str
    samples_per_second: float
    plain_samples_per_second: float
    speedup: float
    gflops: float
    """Floating-point operations of the step by formula, a second."""
    share_of_gemm_rate: float
    """Of the best matrix product at the step's own shapes."""
    gemm_gflops: dict[str, float]
    solving: dict[str, float]
    """Puzzles a second with `steps` supervision steps each (`fixed`) and `ran_steps` on average (`early`)."""

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        return asdict(self)


def compare(shape: str, *, precision: str, rounds: int, progress: Progress) -> Comparison:
    """Take `rounds` steps of a shape by turns in an engine process and in a plain one."""
    config = SHAPES[shape]
    rows = config.train.batch_size
    tuned: list[float] = []
    plain: list[float] = []
    with _worker(shape, precision) as ask_tuned, _worker(shape, PLAIN) as ask_plain:
        ask_tuned("step"), ask_plain("step")  # the first of each warms up
        for number in range(rounds):
            tuned.append(_seconds(ask_tuned("step")))
            plain.append(_seconds(ask_plain("step")))
            progress(f"steps of {shape}", number + 1, rounds)
        gemm, solving = ask_tuned("gemm"), ask_tuned("solve")
    assert isinstance(gemm, dict)
    assert isinstance(solving, dict)
    rate, plain_rate = rows / statistics.median(tuned), rows / statistics.median(plain)
    gflops = estimate(config).flops_per_sample * rate / 1e9
    return Comparison(
        shape, precision, rate, plain_rate, rate / plain_rate, gflops, gflops / gemm["step"], gemm, solving
    )


def _seconds(answer: object) -> float:
    assert isinstance(answer, float)
    return answer


@contextmanager
def _worker(shape: str, precision: str) -> Iterator[Callable[[str], object]]:
    """Run a worker and yield a function that sends it a command and returns its answer."""
    command = [sys.executable, "-m", "trm_engine.tuning.bench.worker", shape, precision]
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
