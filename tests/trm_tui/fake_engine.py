"""A workbench without an engine: runs that do what a test says, at once and always the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trm_engine.config import Config, find_preset
from trm_engine.errors import UsageError
from trm_engine.hardware import Cpu, Hardware, Memory
from trm_engine.monitoring.monitor import Sample
from trm_engine.sessions import Store
from trm_engine.training.events import Evaluated, Finished, Paused, Saved, Started, Stepped, Warned
from trm_tui.workbench.possible import require
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.snapshot import EMPTY, Severity, Snapshot
from trm_tui.workbench.workbench import MAX_SLOTS, Look, SlotView

LAPTOP = Hardware(
    machine="MacBook Pro 13 (2018)",
    gemm_gflops=110.0,
    cpu=Cpu(
        model="Intel Core i5-8279U",
        physical_cores=4,
        logical_cores=8,
        usable_cores=8,
        usable_physical_cores=4,
    ),
    memory=Memory(total_bytes=8_000_000_000, available_bytes=4_300_000_000),
)
BUSY = Sample(
    seconds=61.0,
    rss_bytes=610_000_000,
    cpu_percent=382.0,
    core_percents=(98.0, 95.0, 97.0, 94.0, 12.0, 8.0, 3.0, 21.0),
    available_bytes=4_300_000_000,
)


def stepped(step: int, steps: int = 3000, **fields: object) -> Stepped:
    """Return a plausible record of a run's progress."""
    wave = math.sin(step * 12.9898) * 0.5
    values: dict[str, object] = {
        "step": step,
        "steps": steps,
        "samples": step * 64,
        "loss": 2.2 * math.exp(-step / 700) + 0.12 + 0.12 * wave * math.exp(-step / 1500),
        "lm_loss": 2.0 * math.exp(-step / 700) + 0.1,
        "q_halt_loss": 0.2 * math.exp(-step / 900) + 0.02,
        "exact_accuracy": min(0.98, max(0.0, step / 2600 + 0.05 * wave)),
        "cell_accuracy": min(0.995, 0.3 + step / 3600),
        "supervision_steps": 8 - 5 * step / steps + 0.4 * wave,
        "lr": 2e-3 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / steps))),
        "grad_norm": 1.2 * math.exp(-step / 1000) + 0.2 + 0.1 * wave,
        "samples_per_second": 1034 + 60 * wave,
        "seconds": step * 64 / 1034,
        "eta_seconds": (steps - step) * 64 / 1034,
        "rss_bytes": 610_000_000,
        "available_bytes": 4_300_000_000,
        "cpu_percent": 382.0,
        "micro_batch": 64,
        "loss_digest": f"{step:032x}",
    }
    return Stepped(**{**values, **fields})  # type: ignore[arg-type]


def evaluated(step: int, exact: float, *, final: bool = False) -> Evaluated:
    """Return an evaluation with that exact accuracy."""
    cells = 0.5 + exact / 2
    return Evaluated(
        step,
        final,
        {"puzzles": 500, "exact_accuracy": exact, "cell_accuracy": cells, "mean_steps": 8 - 4 * exact},
    )


def started(session: str, config: Config, step: int = 0) -> Started:
    """Return the beginning of a run."""
    return Started(
        session=session,
        step=step,
        steps=config.train.steps,
        parameters=412_000,
        config=config,
        hardware=LAPTOP.to_dict(),
        data={"puzzles": "20,000 generated, 1,000 held out"},
        decisions=[
            {"subject": "threads", "choice": "4", "reason": "the physical cores this process may use"},
            {"subject": "kernels", "choice": "oneDNN", "reason": "measured 1.8 times as fast as MKL here"},
            {"subject": "precision", "choice": "fp32", "reason": "this CPU computes bf16 no faster"},
        ],
    )


@dataclass
class FakeRun:
    """One slot; tests move it by calling `advance` and `recorder`."""

    number: int
    title: str
    config: Config
    recorder: Recorder
    asked: list[str] = field(default_factory=list)

    def advance(self, until: int, every: int = 10) -> None:
        """Train up to a step, evaluating every 250 and saving every 500."""
        begin = self.recorder.snapshot().step
        for step in range(begin + every, until + 1, every):
            self.recorder(stepped(step, self.config.train.steps))
            if step % 250 == 0:
                self.recorder(evaluated(step, min(0.99, step / 2900)))
            if step % 500 == 0:
                self.recorder(Saved(step, "steps"))


class FakeWorkbench:
    """See `Workbench`. Commands are noted in `asked` of the run they act on, and take effect at once."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.runs: dict[int, FakeRun] = {}
        self.active = 0
        self.sample = BUSY
        self.detected: Hardware | None = LAPTOP
        self.stopped: list[str] = []
        self.lines: list[str] = []
        self.is_ended: bool | None = None

    @property
    def run(self) -> FakeRun:
        """The active run."""
        if self.active not in self.runs:
            raise UsageError("no run is open: n starts one, s shows the sessions")
        return self.runs[self.active]

    def slots(self) -> tuple[SlotView, ...]:
        return tuple(
            SlotView(n, r.title, r.recorder.snapshot().state, r.recorder.snapshot().session, n == self.active)
            for n, r in sorted(self.runs.items())
        )

    def snapshot(self) -> Snapshot:
        return self.runs[self.active].recorder.snapshot() if self.active in self.runs else EMPTY

    def machine(self) -> Sample:
        return self.sample

    def hardware(self) -> Hardware | None:
        return self.detected

    def start(self, config: Config, *, preset: str, name: str = "", ranks: int = 1) -> int:
        return self._open(name or preset, config, f"20260131-120000-{preset}-{len(self.runs) + 1:04d}")

    def resume(
        self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = (), ranks: int = 1
    ) -> int:
        number = self._open(ref, find_preset("sudoku-4x4").config, ref)
        self.run.asked.append(f"resume {ref} {checkpoint} {list(overrides)}")
        return number

    def fork(self, ref: str, *, checkpoint: int | None = None) -> int:
        number = self._open(f"{ref} fork", find_preset("sudoku-4x4").config, f"{ref}-fork")
        self.run.asked.append(f"fork {ref} {checkpoint}")
        return number

    def replay(self, ref: str) -> int:
        number = self._open(f"replay {ref}", find_preset("sudoku-4x4").config, f"{ref}-again")
        self.run.asked.append(f"replay {ref}")
        return number

    def switch(self, slot: int) -> bool:
        if slot not in self.runs:
            return False
        self.active = slot
        return True

    def view(self, ref: str) -> int:
        number = self._open(ref, find_preset("sudoku-4x4").config, ref)
        self.run.asked.append(f"view {ref}")
        self.end(self.run, "completed")
        return number

    def retitle(self, session: str, title: str) -> None:
        for run in self.runs.values():
            if run.recorder.snapshot().session == session:
                run.recorder.describe(title=title)

    def pause(self) -> None:
        require("pause", self.snapshot())
        self.run.asked.append("pause")
        if self.run.recorder.snapshot().state == "running":
            self.run.recorder(Paused(self.run.recorder.snapshot().step, True))

    def go_on(self) -> None:
        require("pause", self.snapshot())
        self.run.asked.append("go_on")
        self.run.recorder(Paused(self.run.recorder.snapshot().step, False))

    def stop(self, reason: str = "stopped by hand") -> None:
        require("stop", self.snapshot())
        self.run.asked.append(f"stop {reason}")
        self.end(self.run, "stopped", reason)

    def checkpoint(self) -> None:
        require("checkpoint", self.snapshot())
        self.run.asked.append("checkpoint")
        self.run.recorder(Saved(self.run.recorder.snapshot().step, "asked"))

    def evaluate(self) -> None:
        require("evaluate", self.snapshot())
        self.run.asked.append("evaluate")

    def extend(self, steps: int) -> None:
        require("extend", self.snapshot())
        self.run.asked.append(f"extend {steps}")

    def scale_lr(self, factor: float) -> None:
        require("scale_lr", self.snapshot())
        self.run.asked.append(f"lr {factor:g}")

    def look(self, receive: Callable[[Look], None]) -> bool:
        return False

    def log(self, severity: Severity, message: str) -> None:
        self.lines.append(message)
        if self.active in self.runs:
            self.run.recorder.log(severity, message)

    def close_slot(self, slot: int) -> None:
        self.runs.pop(slot, None)
        self.active = min(self.runs, default=0)

    def stop_all(self, reason: str) -> None:
        self.stopped.append(reason)
        for run in self.runs.values():
            if run.recorder.snapshot().active:
                self.end(run, "stopped", reason)

    def ended(self) -> bool:
        return bool(self.stopped) if self.is_ended is None else self.is_ended

    def close(self, timeout: float | None = None) -> bool:
        self.stop_all("the app was closed")
        return True

    # --- what tests do ------------------------------------------------------------

    def end(self, run: FakeRun, status: str, reason: str = "last step reached") -> None:
        """End a run."""
        now = run.recorder.snapshot()
        run.recorder(
            Finished(
                now.session, status, reason, now.step, now.samples, now.seconds, 1034.0, "0" * 64, {}, {}
            )
        )

    def warn(self, message: str) -> None:
        """Have the active run warn."""
        self.run.recorder(Warned("memory", message))

    def _open(self, title: str, config: Config, session: str) -> int:
        number = next((n for n in range(1, MAX_SLOTS + 1) if n not in self.runs), None)
        if number is None:
            raise UsageError("all 9 slots are taken: close one first (shift+x)")
        if self.active in self.runs and self.run.recorder.snapshot().state == "running":
            self.pause()
        recorder = Recorder(number, title, clock=lambda: "09:14:02")
        self.runs[number] = FakeRun(number, title, config, recorder)
        self.active = number
        recorder(started(session, config))
        return number
