"""Fine-tuning: own puzzles, a session to begin from, and a process of its own that trains.

The child is the same program as on the command line (`run CONFIG --from SESSION`), so its session is like any
other: locked, saved, resumable, seen by the app. Whatever becomes of it does not touch the server.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trm_engine.config import Config, apply, dumps
from trm_engine.errors import UsageError
from trm_engine.serving.residents import Resident
from trm_engine.tasks.base import PuzzleTask
from trm_engine.text import safe_text
from trm_tui.server.batches import Item, read_list
from trm_tui.server.errors import ApiError
from trm_tui.shared.program import PROGRAM

_FOLDER = ".finetune"
_MOST = 20_000
_FEW = 20
_GENTLER = 0.25
_KEPT = 16
_STOP_SECONDS = 8.0


@dataclass(frozen=True)
class Wanted:
    """What is to be learned, and from where."""

    data: str
    steps: int
    lr: float | None
    name: str


class Run:
    """A child process that trains, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], puzzles: int, warning: str) -> None:
        self.id = secrets.token_hex(6)
        self.puzzles = puzzles
        self._warning = warning
        self._process = process
        self._lock = threading.Lock()
        self._session = ""
        self._message = "Preparing the puzzles."
        self._errors: list[str] = []
        self._thread = threading.Thread(target=self._listen, daemon=True, name=f"finetune {self.id}")
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the child trains."""
        return self._process.poll() is None or self._thread.is_alive()

    def stop(self) -> None:
        """Ask the child to save and end."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def join(self, seconds: float) -> None:
        """Wait for the end, and force it when it does not come."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(seconds)

    def to_json(self) -> dict[str, Any]:
        """Return how it stands."""
        running = self.running
        with self._lock:
            failed = not running and self._process.returncode not in (0, 143, -15, 130)
            return {
                "id": self.id,
                "running": running,
                "session": self._session or None,
                "puzzles": self.puzzles,
                "message": " ".join(part for part in (self._warning, self._message) if part),
                "exit_code": self._process.returncode,
                "error": " ".join(self._errors[-3:]) if failed else None,
            }

    def _listen(self) -> None:
        """Read the child's events, a JSON object a line, and what it says of errors."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                with self._lock:
                    self._errors.append(safe_text(line.strip())[:300])
                continue
            self._hear(event)
        self._process.stdout.close()
        self._process.wait()

    def _hear(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        with self._lock:
            if kind == "started":
                self._session = str(event["session"])
                self._message = "Training."
            elif kind == "step":
                self._message = f"Step {event['step']:,} of {event['steps']:,}."
            elif kind == "finished":
                self._message = f"The run is {event['status']}: {safe_text(str(event['reason']))}."


class Finetuning:
    """The fine-tuning of a server: one run at a time."""

    def __init__(self, root: Path, program: Sequence[str] = PROGRAM) -> None:
        self._root = root
        self._program = program
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def runs(self) -> list[Run]:
        """Return the latest runs, the newest first."""
        with self._lock:
            return list(reversed(self._runs.values()))

    def get(self, run: str) -> Run:
        """Return a run by its id. Raises `ApiError` where there is none."""
        found = self._runs.get(run)
        if found is None:
            raise ApiError(404, "there is no such fine-tuning", code="no_such_run")
        return found

    def start(self, resident: Resident, wanted: Wanted) -> Run:
        """Begin to train. Raises `UsageError` for puzzles it cannot learn from, `ApiError` when busy."""
        items = _checked(resident.task, read_list(wanted.data, _MOST))
        with self._lock:
            if any(run.running for run in self._runs.values()):
                raise ApiError(
                    409,
                    "a model is being trained already",
                    code="training_already",
                    hint="One trains at a time: stop it, or wait for its end.",
                )
            config = self._config(resident.trained.config, wanted, items)
            run = Run(self._begin(config, resident, wanted), len(items), _warning(len(items)))
            self._runs[run.id] = run
            while len(self._runs) > _KEPT:
                del self._runs[next(iter(self._runs))]
            return run

    def close(self) -> None:
        """Stop what trains: it saves and ends, and its session can be resumed."""
        runs = [run for run in self.runs() if run.running]
        for run in runs:
            run.stop()
        for run in runs:
            run.join(_STOP_SECONDS)

    def _config(self, parent: Config, wanted: Wanted, items: Sequence[Item]) -> Config:
        """Return the parent's configuration for other puzzles: fewer steps, and a gentler rate."""
        data = self._write(items)
        held_out = max(1, len(items) // 5)
        rate = wanted.lr if wanted.lr is not None else parent.train.lr * _GENTLER
        changes = {
            "task.data": str(data),
            "task.test_data": "",
            "task.train_size": len(items) - held_out,
            "task.test_size": held_out,
            "train.steps": wanted.steps,
            "train.lr": rate,
            "train.warmup_steps": min(50, wanted.steps // 4),
            "eval.every": max(1, wanted.steps // 8),
            "eval.target_accuracy": 0.0,
        }
        return apply(parent, [f"{key}={value}" for key, value in changes.items()])

    def _write(self, items: Sequence[Item]) -> Path:
        """Keep the puzzles beside the sessions: a run that is resumed reads them again."""
        text = "".join(["puzzle,solution\n", *(f"{item.puzzle},{item.truth}\n" for item in items)])
        folder = self._root / _FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.csv"
        if not path.exists():
            new = path.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(path)
        return path.resolve()

    def _begin(self, config: Config, resident: Resident, wanted: Wanted) -> subprocess.Popen[str]:
        path = self._root / _FOLDER / f"{secrets.token_hex(6)}.toml"
        path.write_text(dumps(config), encoding="utf-8")
        name = wanted.name or f"{resident.served.title[:60]} taught"
        words = [
            *("--no-ui", "--sessions-dir", str(self._root.resolve()), "run", str(path)),
            *("--from", f"{resident.served.session}:{resident.trained.step}"),
            *("--name", name, "--json"),
        ]
        # A session of its own: ctrl+c in the server's terminal must not reach the child twice.
        return subprocess.Popen(  # noqa: S603  # every word is ours, or a value that has been checked
            [*self._program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "TRM_SERVE_TOKEN": ""},
            start_new_session=True,
        )


def _checked(task: PuzzleTask, items: Sequence[Item]) -> list[Item]:
    """Return puzzles with their solutions as the task writes them; refuse those without a right one."""
    if not task.judges_all:
        raise UsageError(
            "ARC tasks cannot be taught from a list: the model knows each by an embedding of its own"
        )
    found = []
    for number, item in enumerate(items, 1):
        fault, clean = _read(task, item)
        if clean is None:
            raise UsageError(f"puzzle {number}: {fault}")
        found.append(clean)
    if len(found) < 2:
        raise UsageError("one puzzle is too few: some are learned from, and others held out")
    return found


def _read(task: PuzzleTask, item: Item) -> tuple[str, Item | None]:
    try:
        puzzle = task.parse(item.puzzle)
        if not item.truth:
            return "it has no solution beside it, and without one nothing can be learned from it", None
        answer = task.parse_answer(item.truth)
    except UsageError as error:
        return str(error), None
    verdict = task.check(puzzle, answer)
    if not verdict.solved:
        return f"its solution is not one: {verdict.reason}", None
    write: Callable[[Any], str] = task.line
    return "", Item(write(puzzle).replace(" ", "."), write(answer).replace(" ", "."))


def _warning(puzzles: int) -> str:
    if puzzles >= _FEW:
        return ""
    return f"{puzzles} puzzles are few: expect the model to learn them by heart."
