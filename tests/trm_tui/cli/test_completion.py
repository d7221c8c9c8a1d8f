"""What a shell offers behind a press of tab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trm_tui.cli import completion


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sessions = tmp_path / "sessions"
    for name, record in (
        ("20260101-000000-a-aaaa", json.dumps({"name": "first-try"})),
        ("20260102-000000-b-bbbb", json.dumps({"name": "two words"})),
        ("20260103-000000-c-cccc", "damaged"),
        ("20260104-000000-d-dddd", json.dumps({"name": "\x1b[31m"})),
        ("20260105-000000-e-eeee", "[]"),
        (".trash/20260106-000000-f-ffff", json.dumps({"name": "gone"})),
    ):
        (sessions / name).mkdir(parents=True)
        (sessions / name / "session.json").write_text(record)
    return sessions


def context(root: Path | None = None) -> Any:
    params = {"sessions_dir": root}
    return SimpleNamespace(find_root=lambda: SimpleNamespace(params=params))


def words(found: list[tuple[str, str]]) -> list[str]:
    return [word for word, _ in found]


def test_sessions_are_offered_by_name_and_id_the_newest_first(root: Path) -> None:
    assert words(completion.sessions(context(root), "")) == [
        "latest",
        "20260105-000000-e-eeee",
        "20260104-000000-d-dddd",
        "20260103-000000-c-cccc",
        "20260102-000000-b-bbbb",
        "first-try",
        "20260101-000000-a-aaaa",
    ]
    assert words(completion.sessions(context(), "f")) == ["first-try"]
    assert words(completion.deleted(context(root), "g")) == ["gone"]


def test_a_folder_that_is_none_offers_nothing_and_fails_nothing(tmp_path: Path) -> None:
    assert words(completion.sessions(context(tmp_path / "none"), "")) == ["latest"]


def test_presets_and_configuration_files_are_offered(root: Path) -> None:
    Path("sudoku-mine.toml").touch()
    Path("notes.txt").touch()
    Path("deep").mkdir()
    Path("deep/own.toml").touch()
    assert {"sudoku-4x4", "sudoku-mine.toml"} <= set(completion.presets("sudoku"))
    assert completion.presets("deep/") == ["deep/own.toml"]
    assert "notes.txt" not in completion.presets("")
    assert completion.presets("nowhere/") == []


def asked(line: str, folder: Path) -> list[str]:
    """Return what bash is told for a line with the cursor at its end."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "_TRM_TUI_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    program = "import sys; sys.argv[0] = 'trm-tui'; from trm_tui.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("trm-tui re", ["resume", "replay"]),
        ("trm-tui sessions re", ["rename", "restore"]),
        ("trm-tui resume fir", ["first-try"]),
        ("trm-tui --sessions-dir sessions sessions show 20260102", ["20260102-000000-b-bbbb"]),
    ],
)
def test_the_program_answers_bash(root: Path, line: str, some: list[str]) -> None:
    assert sorted(asked(line, root.parent)) == sorted(some)
