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
from trm_tui.cli.hints import SYNONYMS
from trm_tui.cli.lazy import COMMANDS, load
from trm_tui.cli.main import app
from trm_tui.cli.terminal.context import user_path
from trm_tui.cli.words import FLAGS, OPTIONS, arranged
from trm_tui.tui.main import open_app


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("sessions compare a b", "No such command 'compare'. Did you mean trm-tui sessions diff?"),
        ("compare a b", "Did you mean trm-tui sessions diff?"),
        ("data generate", "Did you mean trm-tui data build?"),
        ("data check", "Did you mean trm-tui data verify?"),
        ("train sudoku-4x4", "Did you mean trm-tui run?"),
        ("evl latest", "Did you mean trm-tui eval?"),
        ("sessions lst", "Did you mean trm-tui sessions list?"),
        ("qqq", "trm-tui --help lists the commands"),
        ("models qqq", "There are: list, select, add, remove, check."),
        ("sessions list --jsn", "No such option: --jsn. Did you mean --json?"),
        ("run sudoku-4x4 --lr 1", "No such option: --lr. A setting is changed by --set train.lr=VALUE"),
        ("run sudoku-4x4 --batch-size=1", "--set train.batch_size=VALUE"),
        ("sessions list --qqq", "trm-tui sessions list --help lists the options"),
        ("--no-ui run sudoku-4x4 train.lr=1e-4", "write --set train.lr=1e-4"),
        ("check sudoku-4x4 train.lr=1e-4 model.layers=3", "write --set train.lr=1e-4 --set model.layers=3"),
    ],
)
def test_an_unknown_word_is_answered_by_what_was_meant(trm: Trm, words: str, hint: str) -> None:
    done = trm(*words.split())
    assert done.code == 2
    assert hint in done.err


def test_what_is_offered_for_a_word_exists() -> None:
    for name in {name for names in SYNONYMS.values() for name in names}:
        group, _, command = name.partition(" ")
        assert group in COMMANDS
        assert not command or command in load(group).commands


@pytest.mark.parametrize(
    ("given", "put"),
    [
        ("run x --no-ui", "--no-ui run x"),
        ("run x --no-ui --set a.b=1 --debug", "--no-ui --debug run x --set a.b=1"),
        ("sessions list --sessions-dir x --json", "--sessions-dir x sessions list --json"),
        ("sessions --sessions-dir=x list", "--sessions-dir=x sessions list"),
        ("--json sessions list", "sessions list --json"),
        ("--no-ui --json run x", "--no-ui run x --json"),
        ("check x --hardware", "--hardware check x"),
        ("sessions note x -- --no-ui", "sessions note x -- --no-ui"),
        ("--json sessions note x -- --debug", "sessions note x --json -- --debug"),
        ("", ""),
    ],
)
def test_global_options_may_stand_anywhere(given: str, put: str) -> None:
    assert arranged(given.split()) == put.split()


def test_the_words_that_are_moved_are_the_programs_own_options() -> None:
    root = typer.main.get_command(app)
    own = {name for parameter in root.params for name in parameter.opts if name.startswith("--")}
    completing = {"--install-completion", "--show-completion"}
    assert own - completing == {*FLAGS, *OPTIONS}
    for command in commands_of(root):
        names = {name for parameter in command.params for name in parameter.opts}
        assert command is root or not names & {*FLAGS, *OPTIONS}


def test_options_behind_the_command_are_heard(trm: Trm, tmp_path: Path) -> None:
    assert trm("sessions", "list", "--sessions-dir", tmp_path / "x").out.endswith(f"in {tmp_path / 'x'}\n")
    assert trm("--json", "sessions", "list").out == "[]\n"
    assert trm("sessions", "list", "--version").out.startswith("trm-tui ")


@pytest.mark.parametrize("words", ["-h", "run -h", "sessions -h", "sessions list -h", "sessions", "data"])
def test_help_is_shown_where_it_is_asked_for(trm: Trm, words: str) -> None:
    done = trm(*words.split())
    assert "Usage: " in done.out + done.err
    assert "unexpected" not in done.err
    assert "error: Usage" not in done.err


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
