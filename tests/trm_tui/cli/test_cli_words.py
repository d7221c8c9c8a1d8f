"""Words where people put them: a hint says where they belong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm
from trm_engine.errors import UsageError
from trm_engine.sessions import Store
from trm_tui.cli.hints import with_home
from trm_tui.tui.main import open_app


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("run sudoku-4x4 --no-ui", "--no-ui stands before the command: trm-tui --no-ui run sudoku-4x4"),
        ("sessions list --sessions-dir x", "trm-tui --sessions-dir x sessions list"),
        ("sessions list --sessions-dir=x", "trm-tui --sessions-dir=x sessions list"),
        ("check sudoku-4x4 --hardware y", "trm-tui --hardware y check sudoku-4x4"),
        ("--no-ui run sudoku-4x4 train.lr=1e-4", "write --set train.lr=1e-4"),
        ("check sudoku-4x4 train.lr=1e-4 model.layers=3", "write --set train.lr=1e-4 --set model.layers=3"),
    ],
)
def test_a_word_in_the_wrong_place_is_shown_the_right_one(trm: Trm, words: str, hint: str) -> None:
    done = trm(*words.split())
    assert done.code == 2
    assert hint in done.err


@pytest.mark.parametrize("words", ["-h", "run -h", "sessions -h", "sessions list -h", "sessions", "data"])
def test_help_is_shown_where_it_is_asked_for(trm: Trm, words: str) -> None:
    done = trm(*words.split())
    assert "Usage: " in done.out + done.err
    assert "unexpected" not in done.err


def test_the_home_folder_is_meant_by_its_sign() -> None:
    words = ["--sessions-dir=~/t", "--name=a~", "~", "--x=~", "--x=~other/t", "say=~/t"]
    assert with_home(words, "/home/me") == [
        "--sessions-dir=/home/me/t",
        "--name=a~",
        "~",
        "--x=/home/me",
        "--x=~other/t",
        "say=~/t",
    ]


@pytest.mark.parametrize("given", ["--sessions-dir=~/t", "--sessions-dir ~/t", "TRM_SESSIONS_DIR"])
def test_sessions_in_the_home_folder_are_there(
    trm: Trm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if given.isupper():
        monkeypatch.setenv(given, "~/t")
    options = [] if given.isupper() else given.split()
    assert trm(*options, "sessions", "list").out.strip() == f"no sessions in {tmp_path / 'home' / 't'}"
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_the_app_is_refused_where_nothing_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdin", _Terminal())
    monkeypatch.setattr("sys.stderr", _Terminal())
    with pytest.raises(UsageError, match=f"cannot draw on this terminal \\(TERM={term}\\)"):
        open_app(Store(tmp_path))


class _Terminal:
    def isatty(self) -> bool:
        return True


def test_a_file_named_engine_breaks_nothing(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "engine.py").write_text("raise SystemExit('imported')\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-m", "trm_tui", "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "trm-tui"), done.stderr
