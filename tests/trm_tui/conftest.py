"""The program, run in this process from an empty folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import TINY
from trm_tui.cli.main import main


@dataclass
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


Trm = Callable[..., Done]


@pytest.fixture
def tiny_toml() -> str:
    return TINY


@pytest.fixture
def trm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trm:
    """Run the program in an empty folder that holds a configuration file `tiny.toml`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRM_SESSIONS_DIR", str(tmp_path / "sessions"))
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "tiny.toml").write_text(TINY)

    def run(*words: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def trained(trm: Trm) -> str:
    """Return the id of a finished session named `first`."""
    done = trm("--no-ui", "run", "tiny.toml", "--json", "--name", "first")
    assert done.code == 0
    return str(done.objects[-1]["session"])
