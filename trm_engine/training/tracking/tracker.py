"""Starts the trackers of a run, and hears what goes wrong with them: a run neither ends nor stops for it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from trm_engine.config import Config, TrackConfig
from trm_engine.errors import UsageError
from trm_engine.sessions import Session
from trm_engine.text import safe_text

PATIENCE = 10.0
"""Seconds that the end of a run waits for its trackers; they end by themselves all the same."""


@dataclass(frozen=True)
class _Kind:
    """A tracker: its folder in a session, its name, the module it needs and the setting that asks for it."""

    folder: str
    title: str
    module: str
    setting: str


_TENSORBOARD = _Kind("tensorboard", "TensorBoard", "tensorboardX", "track.tensorboard")
_WANDB = _Kind("wandb", "Weights & Biases", "wandb", "track.wandb")


def require_trackers(track: TrackConfig) -> None:
    """Raise `UsageError` where a tracker is asked for whose package is not installed."""
    for kind in _wanted(track):
        found = importlib.util.find_spec(kind.module)
        if found is None or found.origin is None:  # the latter: a folder of that name, such as W&B makes
            raise UsageError(
                f"{kind.setting}: {kind.title} needs the package {kind.module}, which is not installed: "
                f'pip install "trm-tui[{kind.folder}]"'
            )


def _wanted(track: TrackConfig) -> list[_Kind]:
    wanted = [_TENSORBOARD] if track.tensorboard else []
    return [*wanted, _WANDB] if track.wandb != "off" else wanted


class Trackers:
    """The trackers that are asked for: processes that follow the session's figures. Use in a `with` block."""

    def __init__(
        self, track: TrackConfig, config: Config, session: Session, *, patience: float = PATIENCE
    ) -> None:
        about = {
            "session": str(session.path.absolute()),
            "name": session.record.name,
            "group": session.record.preset,
            "project": track.project,
            "mode": track.wandb,
            "config": config.model_dump(exclude={"title", "expect", "track"}),
        }
        self._processes = [_Process(kind, {"tracker": kind.folder, **about}) for kind in _wanted(track)]
        self._open, self._patience = True, patience

    def __enter__(self) -> Trackers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def problems(self) -> list[str]:
        """Return what has gone wrong since the last call, in a sentence for each tracker, once."""
        return [told for process in self._processes if (told := process.problem())]

    def close(self) -> None:
        """Have them pass on what is left and end; wait for that at most `patience` seconds."""
        if not self._open:
            return
        self._open, until = False, time.monotonic() + self._patience
        for process in self._processes:
            process.end()
        for process in self._processes:
            process.wait(until - time.monotonic())


class _Process:
    """One tracker's process."""

    def __init__(self, kind: _Kind, request: dict[str, object]) -> None:
        self._kind = kind
        self._problem, self._told = "", False
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trm_engine.training.tracking.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # ctrl+c ends the run, and only through that its trackers
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            os.set_blocking(self._process.stdout.fileno(), False)
        except OSError as error:
            self._problem = str(error)

    def problem(self) -> str:
        """Return what went wrong, once, as a sentence."""
        if self._told:
            return ""
        if not (reason := self._reason()):
            return ""
        self._told = True
        return (
            f"{self._kind.title} is not told any more: {safe_text(reason)}. The run continues; its session "
            "has every figure, and what is missing is passed on when it is resumed"
        )

    def _reason(self) -> str:
        if self._problem or self._process is None or self._process.stdout is None:
            return self._problem
        code = self._process.poll()
        with suppress(OSError, ValueError):  # the latter: it is closed
            self._problem = (self._process.stdout.read() or b"").decode("utf-8", "replace").strip()
        return self._problem or (f"its process has ended with code {code}" if code else "")

    def end(self) -> None:
        """Tell it that the run is over."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for its end; one that is slow, for its network is, is left to end by itself."""
        if self._process is None:
            return
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            # Somebody must wait for a process, or its end is never taken note of.
            threading.Thread(target=self._outlast, daemon=True).start()
        else:
            self._outlast()

    def _outlast(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.wait()
        self._reason()
        self._process.stdout.close()
