"""How far four journeys lead through the code: `python tests/e2e/journeys.py [FOLDER OF A CHECKOUT]`.

A small run is trained in the workbench of the checkout, while every call of a function of the packages is
counted: those of a batch, of a learning rate changed by a key, of a pause, and of a checkpoint. Counted are
the functions that a journey enters, the files they are in, and the calls that lead from one file to another.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

# Where each journey begins: (function, files it may be in). The largest passage through each counts.
JOURNEYS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "a batch": (("learn", ("learner.py",)),),
    "train.lr": (
        ("scale_lr", ("local.py", "local_workbench.py")),
        ("_apply_changes", ("trainer.py",)),
        ("apply", ("changes.py",)),
    ),
    "space": (
        ("pause", ("local.py", "local_workbench.py")),
        ("hold", ("control.py",)),
        ("await_turn", ("control.py",)),
    ),
    "a checkpoint": (("save", ("saver.py",)),),
}
SMALL = (
    "model.hidden_size=8",
    "train.batch_size=6",
    "train.steps=100000",
    "train.warmup_steps=2",
    "eval.every=0",
    "checkpoint.every_steps=0",
    "checkpoint.every_seconds=0",
    "runtime.threads=1",
    "runtime.tuning=off",
)


@dataclass
class Passage:
    """What was called within one function: the functions entered, and how often the file changed."""

    entered: set[tuple[str, str]] = field(default_factory=set)
    crossings: int = 0


class Walk:
    """Follows every thread, and keeps the largest passage through each function that begins a journey."""

    def __init__(self, checkout: Path) -> None:
        self.largest: dict[tuple[str, str], Passage] = {}
        self._root = str(checkout.resolve())
        self._here = threading.local()

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event not in ("call", "return"):
            return
        file = frame.f_code.co_filename
        if not file.startswith(self._root) or "/tests/" in file or "/.venv/" in file:
            return
        stack: list[tuple[FrameType, str, tuple[str, str] | None, Passage]] = self._here.__dict__.setdefault(
            "stack", []
        )
        if event == "return":
            if stack and stack[-1][0] is frame:
                _, _, root, passage = stack.pop()
                if root is not None and len(passage.entered) > len(self.largest.get(root, Passage()).entered):
                    self.largest[root] = passage
            return
        name, short = frame.f_code.co_name, file.rpartition("/")[2]
        for _, before, _, _ in stack[-1:]:
            if before != file:
                for outer in {id(one[3]): one[3] for one in stack}.values():
                    outer.crossings += 1
        root = (name, short) if any((name, short) in _starts(j) for j in JOURNEYS.values()) else None
        passage = Passage() if root is not None or not stack else stack[-1][3]
        stack.append((frame, file, root, passage))
        for one in {id(one[3]): one[3] for one in stack}.values():
            one.entered.add((file, frame.f_code.co_qualname))


def _starts(journey: tuple[tuple[str, tuple[str, ...]], ...]) -> set[tuple[str, str]]:
    return {(name, file) for name, files in journey for file in files}


def main() -> None:
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    sys.path.insert(0, str(checkout.resolve()))
    new = (checkout / "trm_engine").is_dir()
    engine = "trm_engine" if new else "engine"
    find: Callable[[str], Any] = importlib.import_module
    store_of = find(f"{engine}.sessions" if new else f"{engine}.runs").Store
    config_of = find(f"{engine}.config")
    find(f"{engine}.tasks")
    bench_of = find("trm_tui.workbench.local_workbench" if new else "trm_tui.tui.local").LocalWorkbench
    # Imported before anything is followed: that costs minutes under a profile.
    for module in ("training.runs", "learning.puzzle_learner") if new else ("training.launch",):
        find(f"{engine}.{module}")
    sudoku = find(f"{engine}.tasks.sudoku.config").SudokuConfig(clues=6, train_size=40, test_size=12)
    config = config_of.apply(config_of.Config(task=sudoku), list(SMALL))
    walk = Walk(checkout)
    with tempfile.TemporaryDirectory() as folder:
        bench = bench_of(store_of(Path(folder)))
        threading.setprofile(walk)
        sys.setprofile(walk)
        bench.start(config, preset="walked")
        _steps(bench, 2)
        bench.scale_lr(0.5)
        _steps(bench, 2)
        bench.checkpoint()
        _steps(bench, 2)
        bench.pause()
        _until(bench, lambda now: now.state == "paused", "paused")
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # typeshed takes no None before 3.12
        bench.close(60)
    print(f"{'journey':14} {'functions':>9} {'files':>6} {'from file to file':>18}")
    for title, journey in JOURNEYS.items():
        parts = [walk.largest[start] for start in _starts(journey) if start in walk.largest]
        entered = set().union(*(part.entered for part in parts))
        files = {file for file, _ in entered}
        print(f"{title:14} {len(entered):9} {len(files):6} {sum(part.crossings for part in parts):18}")


def _steps(bench: Any, count: int) -> None:
    """Wait until a run has taken some steps more."""
    last = bench.snapshot().step + count
    _until(bench, lambda now: now.step >= last, f"at step {last}")


def _until(bench: Any, reached: Callable[[Any], bool], what: str, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached(bench.snapshot()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the run is not {what}, but {bench.snapshot().state}")
        # The run is in other threads, whose calls are counted: a busy loop would keep the lock from them.
        time.sleep(0.05)


if __name__ == "__main__":
    main()
