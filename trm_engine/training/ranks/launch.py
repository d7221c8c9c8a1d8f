"""Starting the ranks of a run on this machine, and starting them again when one of them dies. Needs no torch.

torchrun does as much on several machines, and by hand; here it is not used, since it kills what takes longer
than half a minute to save, starts again what has ended on purpose, and prints reports of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from trm_engine.compute.place import FOLDER, PARTS, RESTARTS, WHY, Place
from trm_engine.errors import LostRankError, UsageError
from trm_engine.remedies import ChangeSettings
from trm_engine.text import safe_text

if TYPE_CHECKING:
    from trm_engine.config import Config

MOST_RESTARTS = 3
_FOLLOWER = (sys.executable, "-m", "trm_engine.training.ranks.follower")
_GLANCE_SECONDS = 0.05
_ENDING_SECONDS = 10.0


def require_ranks(config: Config, ranks: int) -> None:
    """Refuse a number of ranks that a configuration cannot be shared among."""
    rows = config.train.batch_size
    if not 1 <= ranks <= rows:
        raise UsageError(f"{ranks} ranks cannot share {rows} rows: take 1 to {rows} (train.batch_size)")
    if config.runtime.reduction == "exact" and PARTS % ranks:
        raise UsageError(
            f'runtime.reduction = "exact" adds {PARTS} parts in a fixed order, which {ranks} ranks cannot '
            f"share evenly: take 1, 2, 4 or 8 ranks",
            remedies=[ChangeSettings.parse(("runtime.reduction=fast",))],
        )


def environment(place: Place, folder: Path, restarts: int) -> dict[str, str]:
    """Return the variables by which a rank on this machine knows its place."""
    return {
        "RANK": str(place.rank),
        "WORLD_SIZE": str(place.size),
        "LOCAL_RANK": str(place.local_rank),
        "LOCAL_WORLD_SIZE": str(place.local_size),
        FOLDER: str(folder),
        RESTARTS: str(restarts),
        WHY: place.why,
    }


def supervise(
    leader: Sequence[str],
    ranks: int,
    tell: Callable[[str], None],
    *,
    why: str = Place.why,
    stopping: Sequence[int] = (),
) -> int:
    """Run `leader` as rank 0 and followers beside it; return the exit code of rank 0.

    When a rank dies, all are started again, at most three times; `tell` hears of it. The signals that
    are `stopping` ones go to rank 0, which has the others stop with it.
    """
    with tempfile.TemporaryDirectory(prefix="trm-ranks-") as folder, _noting(stopping) as signals:
        for restarts in range(MOST_RESTARTS + 1):
            with _started(leader, ranks, Path(folder), restarts, why) as team:
                code, lost = team.wait(signals)
            if lost is None or signals:
                return code
            if restarts < MOST_RESTARTS:
                tell(
                    f"{lost}; all resume from the last checkpoint (restart {restarts + 1} of {MOST_RESTARTS})"
                )
    tell(f"{lost}, after {MOST_RESTARTS} restarts; the last checkpoint stands: resume from it")
    return LostRankError.exit_code


@contextmanager
def followers(
    ranks: int, folder: Path, restarts: int = 0, why: str = Place.why
) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """Start the ranks beside this process, which is rank 0; provide its place and how to meet them.

    What is left of them at the end is killed: they have been dismissed, or there is nobody to lead them.
    """
    with _started((), ranks, folder, restarts, why):
        place = Place(0, ranks, 0, ranks, why)
        yield place, environment(place, folder, restarts)


class _Team:
    """The processes of one start, by their ranks."""

    def __init__(self, processes: Mapping[int, subprocess.Popen[bytes]], errors: Mapping[int, Path]) -> None:
        self._processes = processes
        self._errors = errors

    def wait(self, signals: Sequence[int]) -> tuple[int, str | None]:
        """Return the exit code, and why all are to be started again; None where the run has come to an end.

        `signals` grows as they arrive; they are passed on to rank 0.
        """
        passed = 0
        while not (ended := self._ended()):
            for number in signals[passed:]:
                passed += 1
                with suppress(OSError):
                    self._processes[0].send_signal(number)
            time.sleep(_GLANCE_SECONDS)
        leader = ended.get(0)
        if leader is not None and leader >= 0 and leader != LostRankError.exit_code:
            return leader, None
        if leader is None and not any(ended.values()):  # dismissed: rank 0 writes its last words
            return self._after(0)
        return self._lost()

    def _after(self, rank: int) -> tuple[int, str | None]:
        code = self._processes[rank].wait()
        return (code, None) if code >= 0 else (128 - code, f"rank {rank} was ended by signal {-code}")

    def _lost(self) -> tuple[int, str | None]:
        """Say which rank died; the others notice it within a moment, and are no cause."""
        deadline = time.monotonic() + _ENDING_SECONDS
        while not (causes := self._causes()) and time.monotonic() < deadline:
            time.sleep(_GLANCE_SECONDS)
        if not causes:
            return LostRankError.exit_code, "a rank was lost"
        rank, code = next(iter(causes.items()))
        if code < 0:
            said = _last_lines(self._errors[rank]) if rank and -code == signal.SIGABRT else ""
            return 128 - code, f"rank {rank} was ended by signal {-code}{said and f' ({said})'}"
        if rank:  # what one has met it would meet again
            sys.stderr.write(f"error: rank {rank} has failed: {_last_lines(self._errors[rank])}\n")
        return code, None

    def _ended(self) -> dict[int, int]:
        polled = {rank: process.poll() for rank, process in self._processes.items()}
        return {rank: code for rank, code in polled.items() if code is not None}

    def _causes(self) -> dict[int, int]:
        return {
            rank: code for rank, code in self._ended().items() if code not in (0, LostRankError.exit_code)
        }


@contextmanager
def _started(leader: Sequence[str], ranks: int, folder: Path, restarts: int, why: str) -> Iterator[_Team]:
    """Start rank 0, where there is a command for it, and the others; at the end none is left."""
    processes: dict[int, subprocess.Popen[bytes]] = {}
    errors: dict[int, Path] = {}
    try:
        for rank in range(0 if leader else 1, ranks):
            told = environment(Place(rank, ranks, rank, ranks, why), folder, restarts)
            if rank == 0:
                processes[rank] = _process(leader, told)
            else:
                errors[rank] = folder / f"rank-{rank}.err"
                with errors[rank].open("wb") as file:
                    processes[rank] = _process(_FOLLOWER, told, file)
        yield _Team(processes, errors)
    finally:
        _end(processes)


def _process(
    command: Sequence[str], told: Mapping[str, str], errors: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    quiet = errors is not None
    return subprocess.Popen(  # noqa: S603  # this program itself
        list(command),
        env={**os.environ, **told},
        stdin=subprocess.DEVNULL if quiet else None,
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=errors,
        # Ctrl-C in the terminal is the launcher's to hear: it passes it on, once.
        start_new_session=True,
    )


def _end(processes: Mapping[int, subprocess.Popen[bytes]]) -> None:
    """Wait a moment for those that were dismissed, then kill what is left."""
    deadline = time.monotonic() + _ENDING_SECONDS
    dismissed = all(not process.poll() for process in processes.values())
    while dismissed and time.monotonic() < deadline and any(p.poll() is None for p in processes.values()):
        time.sleep(_GLANCE_SECONDS)
    for process in processes.values():
        with suppress(OSError):
            process.kill()
        process.wait()


@contextmanager
def _noting(signals: Sequence[int]) -> Iterator[list[int]]:
    """Note signals as they arrive."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    before = {number: signal.signal(number, note) for number in signals}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _last_lines(path: Path) -> str:
    with suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace")[-4000:]
        if lines := safe_text(text).splitlines():
            return " ".join(line.strip() for line in lines[-3:])
    return "it has left no message"
