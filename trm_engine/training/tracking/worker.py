"""One tracker in a process of its own, so that nothing that it does can reach the training.

`python -m trm_engine.training.tracking.worker`: a request as a line of JSON on standard input, which stays
open as long as the run goes on; problems as lines on standard output. However the run ends, also by a kill,
the input ends with it: then what is left is passed on, and the tracker is closed.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Mapping
from contextlib import suppress
from json import loads
from pathlib import Path
from typing import Any

from filelock import FileLock

from trm_engine.process_setup import take_stdout
from trm_engine.text import one_line
from trm_engine.training.tracking import tensorboard, wandb
from trm_engine.training.tracking.follower import Follower, Passed
from trm_engine.training.tracking.sink import Sink

_SECONDS = 1.0
_NICE = 10
_STATE = "passed.json"
_LOCK = ".lock"


def main() -> int:
    """Follow the session that standard input asks for until that ends."""
    request = loads(sys.stdin.buffer.readline())
    out = take_stdout()
    os.nice(_NICE)
    try:
        _follow(request)
    except (Exception, SystemExit) as error:  # whatever it is: it must be told, and nothing waits for it
        with suppress(OSError):
            out.write(f"{type(error).__name__}: {one_line(str(error))}"[:300] + "\n")
        return 1
    return 0


def _follow(request: Mapping[str, Any]) -> None:
    session = Path(request["session"])
    own = session / request["tracker"]
    own.mkdir(exist_ok=True)
    # One at a time: the tracker of the sitting before may still be on its way to a slow server.
    with FileLock(own / _LOCK, poll_interval=_SECONDS):
        passed = Passed(own / _STATE)
        sink = _open(session, request, passed)
        follower = Follower(session, sink, passed)
        while not _ended():
            follower.advance()
        follower.advance()
        sink.close()


def _open(session: Path, request: Mapping[str, Any], passed: Passed) -> Sink:
    if request["tracker"] == tensorboard.FOLDER:
        return tensorboard.TensorBoard(session, passed.step)
    return wandb.WeightsAndBiases(session, request)


def _ended() -> bool:
    """Wait a while; return whether the run is over."""
    ready, _, _ = select.select([0], [], [], _SECONDS)
    return bool(ready) and not os.read(0, 4096)


if __name__ == "__main__":
    sys.exit(main())
