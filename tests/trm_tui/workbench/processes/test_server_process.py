"""The puzzle server that the app starts beside itself."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

import pytest

from tests.serving import sudoku_store
from trm_engine.errors import TrmError
from trm_tui.workbench.processes.server_process import ServerProcess


def test_it_is_started_and_stopped(tmp_path: Path) -> None:
    sudoku_store(tmp_path)
    server = ServerProcess(tmp_path)
    assert not server.running
    said = server.toggle()
    assert server.address in said
    with urllib.request.urlopen(f"{server.address}health") as answer:
        assert answer.status == 200
    assert server.running
    assert server.toggle() == "the puzzle server has stopped"
    assert not server.running
    server.close()


def test_why_it_does_not_start_is_told(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "import sys; sys.exit('error: no such thing')"]
    server = ServerProcess(tmp_path, program)
    with pytest.raises(TrmError, match="did not start: error: no such thing"):
        server.toggle()
    assert not server.running
