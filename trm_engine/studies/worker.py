"""One trial in a process of its own: a request on standard input, events as JSON lines on standard output.

`python -m trm_engine.studies.worker`. Signals stop it as they stop any run: saved, resumable. Whoever started
it may die: a trial that nobody listens to goes on to its end.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Any

from trm_engine.errors import TrmError
from trm_engine.json_text import to_json
from trm_engine.process_setup import prepare_process, take_stdout
from trm_engine.text import safe_text

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def main() -> int:
    """Run the trial that standard input asks for; return the exit code of a training command."""
    prepare_process()
    request = json.loads(sys.stdin.readline())
    out = take_stdout()
    try:
        return _run(request, out)
    except TrmError as error:
        _write(out, {"event": "error", **error.to_dict(), "message": safe_text(str(error))})
        return error.exit_code
    except Exception as error:  # a defect ends one trial, not the study: its reason is listed
        _write(
            out, {"event": "error", "message": f"unexpected {type(error).__name__}: {safe_text(str(error))}"}
        )
        return 1


def _run(request: Mapping[str, Any], out: IO[str]) -> int:
    from trm_engine.config import loads
    from trm_engine.sessions import Store
    from trm_engine.training.control import Control
    from trm_engine.training.run import Sitting
    from trm_engine.training.runs import resume, start

    control = Control()

    def stop(number: int, _frame: FrameType | None) -> None:
        control.stop_by_signal(number)

    for name in _SIGNALS:
        signal.signal(getattr(signal, name), stop)
    sitting = Sitting(control, [lambda event: _write(out, event.to_dict())])
    store = Store(Path(request["root"]))
    if request["resume"]:
        finished = resume(store, request["resume"], sitting, overrides=request["overrides"])
    else:
        config = loads(request["config"], request["name"])
        finished = start(store, config, sitting, preset=request["preset"], name=request["name"])
    return 128 + control.signal_number if control.signal_number else finished.exit_code


def _write(out: IO[str], event: Mapping[str, object]) -> None:
    try:
        out.write(to_json(event, ascii_only=True) + "\n")
    except (OSError, ValueError):
        return  # nobody listens any more


if __name__ == "__main__":
    sys.exit(main())
