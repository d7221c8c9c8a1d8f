"""Who runs which trial: a file per trial whose lock is held by the runner and by the trial's own process.

The lock belongs to the open file, which the trial inherits: it is free when both are gone, however they went,
and a trial that outlives its runner keeps its claim.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from trm_engine.errors import SessionError
from trm_engine.files import disk_errors

FOLDER = ".studies"
_CLAIMS = "trials"
_AWAY = ".away"


class Claim:
    """The right to run the trial of a digest; `descriptor` is what its process inherits."""

    def __init__(self, descriptor: int, digest: str) -> None:
        self.descriptor, self.digest = descriptor, digest

    def release(self) -> None:
        """Give it up here; a process that inherited it keeps it."""
        with suppress(OSError):
            os.close(self.descriptor)


def claim(root: Path, digest: str) -> Claim | None:
    """Claim a trial; None where another runner, or the trial's own process, has it.

    Raises `SessionError` or `ResourceError` where the sessions folder cannot be written.
    """
    held = _lock(root, digest, digest)
    if held is not None and is_away(root, digest):
        held.release()
        return None
    return held


def claim_away(root: Path, digest: str) -> Claim | None:
    """Claim a trial where it runs, on a machine that its runner, who keeps the other claim, is not on."""
    return _lock(root, digest, digest + _AWAY)


def is_away(root: Path, digest: str) -> bool:
    """Return whether a trial runs as a job on whatever machine; its runner may be gone."""
    if not (root / FOLDER / _CLAIMS / (digest + _AWAY)).exists():
        return False
    held = claim_away(root, digest)
    if held is not None:
        held.release()
    return held is None


def _lock(root: Path, digest: str, name: str) -> Claim | None:
    with disk_errors("claim a trial"):
        folder = root / FOLDER / _CLAIMS
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise SessionError(f"cannot lock a trial in {root}: {error.strerror or error}.") from error
    return Claim(descriptor, digest)


def is_claimed(root: Path, digest: str) -> bool:
    """Return whether someone runs a trial."""
    if not (root / FOLDER / _CLAIMS / digest).exists() and not is_away(root, digest):
        return False
    held = claim(root, digest)
    if held is None:
        return True
    held.release()
    return False


class Presence:
    """A runner's own file: what it runs and its process, readable while it lives. Use in a `with` block."""

    def __init__(self, root: Path, name: str, trials: list[str]) -> None:
        self._path = root / FOLDER / f"runner-{os.getpid()}.json"
        self._about = {"pid": os.getpid(), "host": socket.gethostname(), "name": name, "trials": trials}
        self._descriptor = -1

    def __enter__(self) -> Presence:
        with disk_errors("write to the sessions folder"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            os.write(self._descriptor, json.dumps(self._about).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def runners(root: Path) -> list[dict[str, object]]:
    """Return what the living runners of a sessions folder say of themselves."""
    found = []
    for path in sorted((root / FOLDER).glob("runner-*.json")):
        with suppress(OSError, ValueError), path.open("rb") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                about = json.loads(file.read(1_000_000))
                if isinstance(about, dict):
                    found.append(about)
                continue
            path.unlink()  # its runner was killed
    return found
