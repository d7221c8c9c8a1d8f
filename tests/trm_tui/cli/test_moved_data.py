"""Data that are elsewhere than they were, or than one stands: found again, and known by their fingerprint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm

SET = [f"--set=task.{setting}" for setting in ("data=p4.csv", "train_size=20", "test_size=3")]
ENDS = ("--json", "--steps", "2")


@pytest.fixture
def rows(trm: Trm, tmp_path: Path) -> Path:
    """Return a list of puzzles in the working folder."""
    assert trm("data", "build", "tiny.toml", "p4.csv", "--format", "csv", "--part", "train").code == 0
    return tmp_path / "p4.csv"


@pytest.fixture
def begun(trm: Trm, rows: Path) -> str:
    done = trm("--no-ui", "run", "tiny.toml", *SET, *ENDS, "--name", "rel")
    assert done.code == 0, done.err
    return "rel"


def test_a_run_goes_on_from_any_folder(trm: Trm, begun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert trm("--no-ui", "resume", begun, *ENDS).code == 0
    assert trm("eval", begun, "--json").code == 0


def test_moved_data_are_known_again(trm: Trm, begun: str, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    rows.rename(tmp_path / "there" / "other.csv")
    missing = trm("--no-ui", "resume", begun, *ENDS)
    assert missing.code == 2
    assert f"there is no {rows}" in missing.err
    for command in (("--no-ui", "resume"), ("--no-ui", "replay"), ("eval",)):
        assert "; say where they are now with --data PATH" in trm(*command, begun).err
    held_out = trm("eval", begun, "--data", "there/other.csv", "--json")
    assert (held_out.code, held_out.objects[0]["puzzles"]) == (0, 3)
    assert trm("--no-ui", "resume", begun, "--data", "there/other.csv", *ENDS).code == 0
    assert trm("--no-ui", "resume", begun, *ENDS).code == 0  # the new place is kept
    assert trm("--no-ui", "replay", begun, "--json").objects[0]["agrees"]


def test_a_setting_says_it_too(trm: Trm, begun: str, rows: Path, tmp_path: Path) -> None:
    rows.rename(tmp_path / "moved.csv")
    place = f"task.data={tmp_path / 'moved.csv'}"
    assert trm("--no-ui", "resume", begun, "--set", place, *ENDS).code == 0
    (tmp_path / "moved.csv").rename(tmp_path / "again.csv")
    replayed = trm("--no-ui", "replay", begun, "--data", tmp_path / "again.csv", "--json")
    assert replayed.objects[0]["agrees"], replayed.err


def test_other_data_are_refused(trm: Trm, begun: str, rows: Path, tmp_path: Path) -> None:
    lines = rows.read_text().splitlines(keepends=True)
    (tmp_path / "fewer.csv").write_text("".join(lines[:-1]))
    for command in ("resume", "replay"):
        done = trm("--no-ui", command, begun, "--data", "fewer.csv", "--json")
        assert done.code == 3, done.err
        assert "data (task.data or its files) are not those that it was" in done.err
        assert json.loads(done.err)["error"]["remedies"] == [{"code": "moved-data"}]


@pytest.mark.parametrize("command", [("data", "describe"), ("check",)])
def test_data_beside_a_configuration_are_found(
    trm: Trm, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    text = (tmp_path / "tiny.toml").read_text().replace("[task]", '[task]\ndata = "p4.csv"')
    (tmp_path / "rel.toml").write_text(text.replace("test_size = 12", "test_size = 3"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = trm(*command, "../rel.toml")
    assert done.code == 0, done.err


def test_where_it_was_looked_is_said(trm: Trm, tmp_path: Path) -> None:
    done = trm("--no-ui", "run", "tiny.toml", "--data", "nowhere.csv")
    assert done.code == 2
    assert f"there is no nowhere.csv in {tmp_path}" in done.err
