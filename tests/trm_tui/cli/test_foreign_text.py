"""Text from files and names reaches the terminal through one boundary, and drives nothing there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm
from trm_engine.sessions import Store

DRIVES = "\x1b]0;PWNED\x07\x1b[31m\x9b31m\u202e[/boo]x"
SHOWN = "]0;PWNED[31m31m[/boo]x"
SIGNS = ("\x1b", "\x07", "\x9b", "\u202e")


@pytest.fixture
def odd(tmp_path: Path) -> str:
    """Return the id of a session whose every foreign text would drive a terminal."""
    with Store(tmp_path / "sessions").create(
        "", DRIVES, facts={DRIVES: DRIVES}, versions={DRIVES: "1"}
    ) as made:
        made.update(note=DRIVES, name=DRIVES, tags=["a"], summary={"reason": DRIVES})
    return made.id


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_session_that_is_shown_drives_nothing(trm: Trm, odd: str, form: tuple[str, ...]) -> None:
    for words in (("sessions", "show", odd), ("sessions", "list")):
        done = trm(*words, *form)
        assert done.code == 0, done.err
        assert not any(sign in done.out + done.err for sign in SIGNS)
        assert "PWNED" in done.out


def test_names_of_facts_are_shown_as_they_are(trm: Trm, odd: str) -> None:
    assert SHOWN in trm("sessions", "show", odd).out


def test_names_of_files_in_headings_drive_nothing(trm: Trm, trained: str, tmp_path: Path) -> None:
    file = tmp_path / "\x1b[31m[bold]\u202ex.toml"
    file.write_text((tmp_path / "tiny.toml").read_text().replace("steps = 6", "steps = 7"))
    for words in (("sessions", "diff", trained, file.name), ("check", file.name)):
        done = trm(*words)
        assert done.code == 0, done.err
        assert not any(sign in done.out + done.err for sign in SIGNS)
        assert "[bold]x" in done.out


def test_bytes_that_are_no_text_can_be_noted_and_exported_to(trm: Trm, trained: str, tmp_path: Path) -> None:
    assert trm("sessions", "note", trained, os.fsdecode(b"a\xff")).code == 0
    assert trm("sessions", "show", trained, "--json").objects[0]["note"] == "a\\udcff"
    assert trm("sessions", "export", trained, tmp_path / os.fsdecode(b"out\xff.zip")).code == 0
    assert len(list(tmp_path.glob("*.zip"))) == 1


@pytest.mark.parametrize("words", [("check", "sudoku-4x4"), ("hardware",)])
def test_a_pipe_is_not_waited_for(trm: Trm, tmp_path: Path, words: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "machine.toml")
    done = trm("--hardware", tmp_path / "machine.toml", *words)
    assert done.code == 2
    assert "plain file" in done.err


def test_presets_are_one_screen(trm: Trm) -> None:
    done = trm("presets")
    assert done.code == 0
    assert len(done.out.splitlines()) <= 24
    assert all(len(line) <= 160 for line in done.out.splitlines())
    assert json.loads(trm("presets", "--json").out)[0]["expect"]
