"""The presets that the app offers: read, and their cost predicted, beside its own thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import App

from trm_engine.config import Preset
from trm_engine.hardware import Hardware
from trm_tui.tui.host import host_of

if TYPE_CHECKING:
    from trm_tui.workbench.presets import Place, Prospect

_GROUP = "presets"


class Shelf:
    """Fills `presets` and `prospects` of the app."""

    def __init__(self, app: App[Any]) -> None:
        self._app, self._host = app, host_of(app)
        self._planned: object = None
        self._told: set[str] = set()

    def read(self) -> None:
        """Read presets and recent configurations anew, then predict."""
        self._app.run_worker(self._read, thread=True, exclusive=True, group=_GROUP, exit_on_error=False)

    def take(self, presets: Sequence[Preset], problems: Sequence[str] = ()) -> None:
        """Take over what was read; what is wrong with a preset is said once."""
        self._host.presets = list(presets)
        for problem in problems:
            if problem not in self._told:
                self._told.add(problem)
                self._host.say(problem, "warning")
        self._planned = None
        self._host.refresh_now()

    def follow(self) -> None:
        """Predict again where presets or what is known of the machine have changed."""
        presets, hardware = self._host.presets, self._host.workbench.hardware()
        known = (id(presets), len(presets), hardware is not None and hardware.gemm_gflops)
        if hardware is None or not presets or known == self._planned:
            return
        self._planned = known

        def work() -> None:
            self._predict(presets, hardware)

        self._app.run_worker(work, thread=True, exclusive=True, group="prospects", exit_on_error=False)

    def _read(self) -> None:
        from trm_tui.workbench.presets import list_all

        presets, problems = list_all(self._host.store)
        self._app.call_from_thread(self.take, presets, problems)

    def _predict(self, presets: Sequence[Preset], hardware: Hardware) -> None:
        from trm_tui.workbench.editor.machine import rate_of_sessions, this_machine
        from trm_tui.workbench.presets import prospects

        host = self._host
        observed = None if hardware.gemm_gflops else rate_of_sessions(host.store, hardware)
        found = prospects(presets, this_machine(hardware, host.workbench.machine(), observed))
        self._app.call_from_thread(self._show, found)

    def _show(self, found: Mapping[Place, Prospect]) -> None:
        self._host.prospects = found
        self._host.refresh_now()
