"""What a GPU makes of the engine, in less than eight minutes: `make bench-gpu`.

Prints one JSON object a line while it measures, and a table at the end. Parts (ARGS="--parts speed learn"):

- facts: the card, its product rates and its copy rate
- parity: the recorded numbers of the published code, computed on the card in float32
- move: train on the card, resume on the CPU, and back; two equal runs end with equal weights
- speed: steps at D 512 and D 64, batch 768, against the published step, and against what was predicted
- learn: sudoku-9x9-hard to 90 % of 500 unseen puzzles
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PARTS = ("facts", "parity", "move", "speed", "learn")
SECONDS = {"facts": 60, "parity": 120, "move": 120, "speed": 240, "learn": 240}
ROWS = 768
DEVICE = os.environ.get("TRM_BENCH_DEVICE") or "cuda"


def tell(what: str, **figures: object) -> None:
    """Print one measurement as a line of JSON."""
    print(json.dumps({"what": what, **figures}), flush=True)


def facts() -> None:
    """Tell what the card is and how fast it multiplies and copies."""
    import torch

    from trm_engine.compute.devices import chosen, synchronize

    device, decision = chosen("cuda")
    properties = torch.cuda.get_device_properties(device)
    tell(
        "card",
        name=properties.name,
        memory_gb=properties.total_memory / 1e9,
        torch=torch.__version__,
        why=decision.reason,
    )

    def rate(work: Callable[..., object], *given: torch.Tensor) -> float:
        """Return how often a second a device does some work."""
        for _ in range(3):
            work(*given)
        synchronize(device)
        started = time.perf_counter()
        for _ in range(10):
            work(*given)
        synchronize(device)
        return 10 / (time.perf_counter() - started)

    torch.set_float32_matmul_precision("highest")
    for dtype, side in ((torch.bfloat16, 8192), (torch.float32, 4096)):
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        tell("products", dtype=str(dtype), tflops=rate(torch.mm, a, b) * 2 * side**3 / 1e12)
    source = torch.empty(2**30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    tell("copies", gb_per_second=rate(target.copy_, source) * 2 * 2**30 / 1e9)


def parity() -> None:
    """Hold the engine on the card to the recordings."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/parity/test_parity.py"],
        env={**os.environ, "TRM_PARITY_DEVICE": "cuda"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = [line for line in done.stdout.splitlines() if line][-12:]
    tell("parity", passed=done.returncode == 0, said=last[-1:] if done.returncode == 0 else last)


def _config(preset: str, *overrides: str):
    from trm_engine.config import apply
    from trm_engine.config.presets import find

    return apply(find(preset).config, overrides)


def move() -> None:
    """Train on the card, resume on the CPU and on the card again; repeat and resume to the bit."""
    from trm_engine.sessions import Store
    from trm_engine.training.control import Control
    from trm_engine.training.run import Sitting
    from trm_engine.training.runs import resume, start

    def sitting(steps: int | None = None) -> Sitting:
        return Sitting(Control(), [], steps=steps)

    with tempfile.TemporaryDirectory() as folder:
        store, text = Store(Path(folder)), Path(folder, "text.txt")
        text.write_text("".join(path.read_text() for path in sorted(Path("trm_engine").rglob("*.py"))))
        attention = ("model.mixer=attention", "model.positions=rope", "model.puzzle_emb_ndim=32")
        cases = (
            ("sudoku-4x4", "exact", ()),
            ("sudoku-4x4", "bf16", ()),
            ("sudoku-4x4", "bf16", attention),
            ("sudoku-4x4", "exact", (*attention, "runtime.checkpointing=true")),
            ("shakespeare-char-laptop", "bf16", (f"task.data={text}",)),
        )
        for preset, precision, more in cases:
            own = (f"runtime.precision={precision}", f"runtime.device={DEVICE}")
            config = _config(preset, *own, *more, "train.steps=60", "eval.every=30", "eval.puzzles=64")
            one, two = (start(store, config, sitting(), preset=preset) for _ in range(2))
            part = start(store, config, sitting(40), preset=preset)
            rest = resume(store, part.session, sitting())
            moved = start(store, config, sitting(20), preset=preset)
            cpu = ["runtime.device=cpu", "runtime.precision=exact"]
            there = resume(store, moved.session, sitting(20), overrides=cpu)
            back = resume(store, moved.session, sitting(), overrides=list(own))
            tell(
                "move",
                preset=preset,
                precision=precision,
                model=more[:1],
                same_again=one.weights_sha256 == two.weights_sha256,
                resumed_to_the_bit=rest.weights_sha256 == one.weights_sha256,
                steps=[moved.steps, there.steps, back.steps],
                score=[_score(one.eval), _score(back.eval)],
            )


def _score(figures) -> float:
    return figures["cell_accuracy"] if "cell_accuracy" in figures else figures["val_loss"]


def speed(names: tuple[str, ...] = ()) -> None:
    """Measure steps against the published ones and against the prediction."""
    for name in names or ("d64", "d64-exact", "mlp-512", "attention-512"):
        for how in ("ours",) if name.startswith("d64") else ("ours", "published"):
            subprocess.run(
                [sys.executable, "-m", "tests.e2e.bench_gpu", "--step", how, name],
                check=False,
                timeout=150,
            )


def shape(name: str):
    """Return the configuration of a step."""
    from trm_engine.config import apply

    own = (
        f"train.batch_size={ROWS}",
        f"runtime.device={DEVICE}",
        "task.train_size=400",
        "task.test_size=16",
    )
    if name.startswith("d64"):
        return _config(
            "sudoku-9x9-hard", *own, f"runtime.precision={'exact' if name == 'd64-exact' else 'auto'}"
        )
    from trm_engine.tuning.bench.shapes import SHAPES

    return apply(SHAPES[name], [*own, "runtime.precision=auto"])


def step(how: str, name: str) -> None:
    """Time the steps of one shape in this process."""
    import torch

    config = shape(name)
    started = time.perf_counter()
    if how == "published":
        from tests.e2e.published_step import PublishedStep

        published = PublishedStep(
            config.model, cells=config.task.seq_len, vocabulary=config.task.vocab_size, rows=ROWS
        )

        def take(count: int) -> None:
            for _ in range(count):
                published.step()
            torch.cuda.synchronize()

        take(1)
    else:
        from trm_engine.hardware import detect
        from trm_engine.learning.build import build_learner
        from trm_engine.tasks import build_task
        from trm_engine.tuning.tuner import tune

        learner = build_learner(config, build_task(config.task))
        started = time.perf_counter()  # puzzles are generated by any machine, and are no part of a step
        tune(learner, detect())

        def take(count: int) -> None:
            done = 0
            while done < count:
                done += len(learner.advance(config.micro_batch, most=count - done))

        take(1)
    torch.cuda.synchronize()
    warm_up = time.perf_counter() - started
    torch.cuda.reset_peak_memory_stats()
    count = 1
    while True:  # as many as take about two seconds, after one that is still warming up
        began = time.perf_counter()
        take(count)
        seconds = time.perf_counter() - began
        if seconds > 0.5 or count >= 256:
            break
        count *= 4
    rates = []
    idle = None
    for _ in range(5):
        began, busy = time.perf_counter(), None if how == "published" else learner.busy_seconds
        take(count)
        seconds = time.perf_counter() - began
        rates.append(count * ROWS / seconds)
        if busy is not None and learner.busy_seconds is not None:
            idle = 1 - (learner.busy_seconds - busy) / seconds
    tell(
        "step",
        shape=name,
        how=how,
        samples_per_second=statistics.median(rates),
        spread=[min(rates), max(rates)],
        warm_up_seconds=warm_up,
        peak_gb=torch.cuda.max_memory_allocated() / 1e9,
        reserved_gb=torch.cuda.max_memory_reserved() / 1e9,
        idle_share=idle,
        **({} if how == "published" else _predicted(config)),
    )


def _predicted(config) -> dict[str, object]:
    """Return what was predicted for a configuration, as `trm-tui check` does."""
    from trm_engine.hardware import detect
    from trm_engine.planning.devices import device_of, on_device
    from trm_engine.tuning.device_rate import with_device_rates

    gpu = device_of(config, with_device_rates(detect(with_torch=True)).gpus)
    if gpu is None:
        return {}
    predicted = on_device(config, gpu)
    return {
        "predicted_samples_per_second": predicted.samples_per_second,
        "predicted_gb": predicted.peak_bytes / 1e9,
    }


def learn(preset: str = "sudoku-9x9-hard", *overrides: str) -> None:
    """Train a preset on the card until 90 % of its unseen puzzles are solved."""
    from trm_engine.sessions import Store
    from trm_engine.training.control import Control
    from trm_engine.training.events import Evaluated, Event
    from trm_engine.training.run import Sitting
    from trm_engine.training.runs import start

    curve = []

    def heard(event: Event) -> None:
        if isinstance(event, Evaluated):
            seconds = store.get("latest").metrics
            records = [r for r in seconds.read() if r.get("event") == "eval"]
            curve.append((event.step, records[-1]["seconds_trained"], event.figures["exact_accuracy"]))
            tell("learning", preset=preset, step=event.step, seconds=curve[-1][1], exact=curve[-1][2])

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        config = _config(preset, f"runtime.device={DEVICE}", *overrides)
        finished = start(store, config, Sitting(Control(), [heard]), preset=preset)
    reached = next((seconds for _, seconds, exact in curve if exact >= 0.9), None)
    tell(
        "learned",
        preset=preset,
        seconds=finished.seconds,
        samples_per_second=finished.samples_per_second,
        exact=finished.eval.get("exact_accuracy"),
        seconds_to_90_percent=reached,
        reason=finished.reason,
    )


def main() -> None:
    """Run the parts that were asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help="for a single part")
    arguments = parser.parse_args()
    if arguments.step:
        step(*arguments.step)
    elif arguments.part == "learn":
        learn(*arguments.rest)
    elif arguments.part == "speed":
        speed(tuple(arguments.rest))
    elif arguments.part:
        globals()[arguments.part]()
    else:
        lines = []
        for part in arguments.parts:
            lines += _part(part)
        _print_table(lines)


def _part(part: str) -> list[dict[str, object]]:
    """Run a part and return what it told; what goes wrong is told too, and the next part runs."""
    started, lines = time.perf_counter(), []
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.bench_gpu", "--part", part],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=SECONDS[part],
        )
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        raw = error.stdout or b""
        output, code = raw.decode() if isinstance(raw, bytes) else raw, -1
    for line in output.splitlines():
        print(line, flush=True)
        if line.startswith("{"):
            lines.append(json.loads(line))
    tell("part", name=part, seconds=time.perf_counter() - started, exit_code=code)
    return lines


def _print_table(lines: list[dict[str, object]]) -> None:
    print()
    for line in lines:
        what = line.pop("what")
        told = ", ".join(f"{name} {_short(value)}" for name, value in line.items())
        print(f"{what:10} {told}")


def _short(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
