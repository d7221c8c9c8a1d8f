"""Words where people put them: a hint says where they belong."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from tests.trm_tui.conftest import Trm
from trm_engine.errors import UsageError
from trm_engine.sessions import Store
from trm_tui.cli.main import app
from trm_tui.cli.terminal.context import user_path
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


def test_the_home_folder_is_meant_wherever_a_path_stands(
    trm: Trm, trained: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for words in (
        ("sessions", "export", trained, "~/out.zip"),
        ("--sessions-dir", "~/other", "sessions", "import", "~/out.zip"),
        ("data", "build", "tiny.toml", "~/list.csv", "--format", "csv"),
        ("data", "verify", "tiny.toml", "~/list.csv"),
        ("data", "describe", "tiny.toml", "--data=~/list.csv"),
        ("eval", trained, "--data", "~/list.csv"),
        ("studies", "new", "~/study.toml"),
        ("studies", "plan", "~/study.toml"),
    ):
        done = trm(*words)
        assert done.code == 0, (words, done.err)
    assert {"out.zip", "list.csv", "study.toml", "other"} <= {p.name for p in home.iterdir()}
    assert not (tmp_path / "~").exists()


def commands_of(command: Any) -> Iterator[Any]:
    """Yield a command and all below it."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from commands_of(below)


def test_every_path_of_a_command_is_read_in_one_way() -> None:
    """A parameter that is a path by its annotation alone would not know the home folder."""
    plain = [
        f"{callback.__name__} {name}"
        for callback in {command.callback for command in commands_of(typer.main.get_command(app))} - {None}
        for name, hint in get_type_hints(inspect.unwrap(callback), include_extras=True).items()
        if Path in (get_args(hint) and {get_args(hint)[0], *get_args(get_args(hint)[0])})
        and get_args(hint)[1].parser is not user_path
    ]
    assert plain == []


@pytest.mark.parametrize(
    "words", [("sessions", "import"), ("--hardware", "hardware"), ("data", "verify", "tiny.toml")]
)
def test_the_home_of_nobody_is_a_path_like_any_other(trm: Trm, words: tuple[str, ...]) -> None:
    nowhere = "~nobody-of-that-name/x.toml"
    done = trm(words[0], nowhere, *words[1:]) if words[0].startswith("--") else trm(*words, nowhere)
    assert done.code in (2, 3)
    assert "unexpected" not in done.err


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_the_app_is_refused_where_nothing_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(sys, "stderr", _Terminal())
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


def test_with_json_an_error_is_an_object_on_stderr(
    trm: Trm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path / "data"))
    for words, code, remedies in (
        (("run", "tiny.toml", "--data", "nowhere.csv"), 2, ["name-data"]),
        (("run", "shakespeare-char-laptop"), 2, ["fetch-data", "name-data"]),
        (("sessions", "show", "nothing"), 3, []),
        (("sessions", "list", "--no-such-option"), 2, []),
    ):
        done = trm("--no-ui", *words, "--json")
        told = json.loads(done.err)["error"]
        assert (done.code, told["exit_code"]) == (code, code), done.err
        assert told["message"]
        assert [remedy["code"] for remedy in told["remedies"]] == remedies
