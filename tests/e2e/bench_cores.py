"""What cores are worth: samples a second of a preset on 1, 2, 4, … cores, by threads and by ranks.

    make bench-cores ARGS="--preset sudoku-9x9-hard --seconds 8 --cores 1 2 4 8 16"

Each figure comes from a process of its own, bound to that many cores (Linux only), that trains some seconds:
by one process with as many threads, and by as many ranks of one thread. Prints one JSON object a line as it
comes, and all of them together at the end. Wants a quiet machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

_FEW = (
    "task.train_size=512",
    "task.test_size=32",
    "eval.every=0",
    "eval.target_accuracy=0",
    "memory.guard=false",
)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--preset", default="sudoku-9x9-hard")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    given = parser.parse_args()
    allowed = sorted(os.sched_getaffinity(0))
    rows = []
    for count in [count for count in given.cores if count <= len(allowed)]:
        for way in ("threads", "ranks"):
            if way == "ranks" and count == 1:
                continue
            found = measured(given.preset, allowed[:count], way, given.seconds, given.overrides)
            rows.append({"cores": count, "by": way, **found})
            sys.stderr.write(json.dumps(rows[-1]) + "\n")
    result = {"preset": given.preset, "processor": _processor(), "cores": len(allowed), "rates": rows}
    sys.stdout.write(json.dumps(result) + "\n")


def measured(
    preset: str, cores: list[int], way: str, seconds: float, overrides: list[str]
) -> Mapping[str, Any]:
    """Return the median rate between two events, without the first, and what was decided."""
    words = [sys.executable, "-m", "trm_tui", "--no-ui", "run", preset, "--json", f"--seconds={seconds}"]
    words += [f"--set={setting}" for setting in (*_FEW, f"runtime.threads={len(cores)}", *overrides)]
    if way == "ranks":
        words += ["--ranks", str(len(cores))]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            words,
            env={**os.environ, "TRM_SESSIONS_DIR": folder},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
            capture_output=True,
            text=True,
            check=False,
        )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [event for event in events if event["event"] == "step"]
    if len(steps) < 3:
        return {"samples_per_second": None, "problem": (done.stderr or "too few steps").strip()[-300:]}
    pairs = itertools.pairwise(steps[1:])
    rates = [(b["samples"] - a["samples"]) / (b["seconds"] - a["seconds"]) for a, b in pairs]
    decisions = {one["subject"]: one["choice"] for one in events[0]["decisions"]}
    return {"samples_per_second": round(statistics.median(rates), 1), "decisions": decisions}


def _processor() -> str:
    from trm_engine.hardware import detect

    return detect(with_torch=False).cpu.model or "unknown"


if __name__ == "__main__":
    main()
