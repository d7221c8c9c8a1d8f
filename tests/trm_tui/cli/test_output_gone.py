"""Output is best effort: what goes wrong behind stdout or stderr never reaches a run."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import TINY, begin
from tests.trm_tui.cli.broken_output import Broken, ran
from trm_engine.sessions import Store


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return str(path)


def the_only(sessions: Path) -> str:
    (record,) = Store(sessions).list()
    return record.status


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ENOSPC])
@pytest.mark.parametrize("once", [True, False], ids=["once", "for good"])
@pytest.mark.parametrize("form", [("--json",), ()], ids=["json", "text"])
@pytest.mark.parametrize("stream", ["out", "err"])
def test_a_run_whose_output_is_lost_trains_on(
    tmp_path: Path, tiny: str, monkeypatch, code: int, once: bool, form: tuple[str, ...], stream: str
) -> None:
    broken = Broken(2, code, once=once)
    assert ran(monkeypatch, tmp_path / "s", "run", tiny, *form, **{stream: broken}) == 0
    assert the_only(tmp_path / "s") == "completed"


def test_a_full_disk_behind_stdout_is_told_on_stderr(tmp_path: Path, tiny: str, monkeypatch) -> None:
    err = Broken(1 << 30)
    ran(monkeypatch, tmp_path / "s", "run", tiny, "--json", out=Broken(1, errno.ENOSPC), err=err)
    assert "warning: stdout could not be written (No space left on device)" in err.text


@pytest.mark.parametrize(("code", "ends"), [(errno.EPIPE, 141), (errno.ENOSPC, 6), (errno.EIO, 1)])
@pytest.mark.parametrize("words", [("presets",), ("presets", "--json"), ("presets", "sudoku-4x4")])
def test_a_command_whose_result_is_lost_says_so(
    tmp_path: Path, monkeypatch, code: int, ends: int, words: tuple[str, ...]
) -> None:
    err = Broken(1 << 30)
    assert ran(monkeypatch, tmp_path, *words, out=Broken(0, code), err=err) == ends
    assert err.text == "" if ends == 141 else f"cannot be written: {os.strerror(code)}" in err.text


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
@pytest.mark.parametrize("words", [("presets",), ("presets", "sudoku-4x4"), ("data", "list")])
def test_what_an_encoding_lacks_is_replaced(tmp_path: Path, monkeypatch, encoding: str, words) -> None:
    out = Broken(1 << 30, encoding=encoding)
    assert ran(monkeypatch, tmp_path, *words, out=out) == 0
    assert "sudoku" in out.text


def test_a_run_on_a_latin_1_terminal_is_completed(tmp_path: Path, tiny: str, monkeypatch) -> None:
    out = Broken(1 << 30, encoding="latin-1")
    assert ran(monkeypatch, tmp_path / "s", "run", tiny, out=out) == 0
    assert the_only(tmp_path / "s") == "completed"
    assert "completed" in out.text


def test_json_loses_nothing_in_a_poor_encoding(tmp_path: Path, tiny: str, monkeypatch) -> None:
    out = Broken(1 << 30, encoding="ascii")
    assert ran(monkeypatch, tmp_path / "s", "presets", "--json", out=out) == 0
    assert "Sudoku 4×4" in {preset["title"] for preset in json.loads(out.text)}


def test_closed_streams_are_no_reason_to_fail(tmp_path: Path, tiny: str) -> None:
    shell = 'exec "$@" <&- >&- 2>&-'
    words = [sys.executable, "-m", "trm_tui", "--no-ui", "--sessions-dir", str(tmp_path / "s"), "run", tiny]
    done = subprocess.run(["sh", "-c", shell, "sh", *words], check=False, cwd=Path(__file__).parents[3])
    assert (done.returncode, the_only(tmp_path / "s")) == (0, "completed")


def test_a_reader_that_leaves_takes_nothing_with_it(tmp_path: Path, tiny: str) -> None:
    long = ("--set", "train.steps=40", "--set", "train.log_every=1")
    with begin(tmp_path, "s", "run", tiny, *long, "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 0
    assert the_only(tmp_path / "s") == "completed"
