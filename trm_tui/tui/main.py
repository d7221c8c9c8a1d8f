"""The one function that opens the app. Textual is imported inside it, after the terminal is prepared."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from trm_engine.errors import UsageError
from trm_engine.text import safe_text
from trm_tui.shared.starting import clear
from trm_tui.tui.gil import Interpreter
from trm_tui.tui.terminal import StrayOutput

if TYPE_CHECKING:
    from trm_engine.hardware import Hardware
    from trm_engine.sessions import Store
    from trm_tui.workbench.workbench import Workbench

_TOO_PLAIN = ("dumb", "unknown")


def open_app(
    store: Store,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    name: str = "",
    resume: str | None = None,
    checkpoint: int | None = None,
    ranks: int = 1,
    hardware: Hardware | None = None,
) -> int:
    """Open the app, train `preset` or go on with `resume` if given, and return the exit code.

    `overrides` are `section.key=value`; `hardware` is a machine to plan for instead of this one. Raises the
    errors of `find_preset`, `apply` and `Store.get` before anything is shown, and `UsageError` where stdin or
    stderr is no terminal. Whatever happens, runs are saved and their threads ended when this returns.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("the app needs a terminal; without one: trm-tui --no-ui run sudoku-4x4")
    if os.environ.get("TERM") in _TOO_PLAIN:
        raise UsageError(
            f"the app cannot draw on this terminal (TERM={safe_text(os.environ['TERM'])}); "
            "without it: trm-tui --no-ui run sudoku-4x4"
        )
    from trm_tui.workbench.local_workbench import LocalWorkbench

    opening = _opening(store, preset, overrides, name, resume, checkpoint, ranks)
    workbench = LocalWorkbench(store, hardware, measures=True)
    with StrayOutput() as stray, Interpreter() as interpreter:
        from trm_tui.tui.app import TrmApp
        from trm_tui.tui.failure import Failure

        clear()
        app = TrmApp(workbench, opening=opening, stray=stray, interpreter=interpreter)
        failure = Failure(app)
        workbench.open()
        try:
            result = app.run()
        finally:
            if app.leaving.abandoned:
                os._exit(130)  # a person could not wait; the checkpoints on disk are whole
            workbench.close()
    if failure.cause:
        with suppress(OSError):
            os.write(2, f"error: the app has failed, and saved its runs: {failure.cause}\n".encode())
    with suppress(OSError):  # the terminal may be gone, and buffered text would raise later
        os.write(1, "".join(f"{line}\n" for line in _farewell(workbench)).encode())
    return result if result is not None else int(app.return_code or 0)


def _opening(
    store: Store,
    preset: str | None,
    overrides: Sequence[str],
    name: str,
    resume: str | None,
    checkpoint: int | None,
    ranks: int,
) -> Callable[[Workbench], object] | None:
    if resume is not None:
        session = store.get(resume).id
        return lambda bench: bench.resume(session, checkpoint=checkpoint, overrides=overrides, ranks=ranks)
    if preset is not None:
        from trm_engine.config import apply, as_variant, find_preset

        found = find_preset(preset)
        config = as_variant(apply(found.config, overrides), found.config)
        return lambda bench: bench.start(config, preset=found.name, name=name, ranks=ranks)
    return None


def _farewell(workbench: Workbench) -> list[str]:
    """Return what became of each run that was open, to stand in the terminal afterwards."""
    slots = [slot for slot in workbench.slots() if slot.session]
    lines = [f"{slot.title}: {slot.state} · session {slot.session}" for slot in slots]
    lines += [f"resume with: trm-tui resume {slot.session}" for slot in slots if slot.state != "completed"][
        -1:
    ]
    return [safe_text(line) for line in lines]
