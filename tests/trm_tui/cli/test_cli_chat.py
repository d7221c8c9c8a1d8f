"""`models`, `chat` and `mcp` on the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.serving import PUZZLE, sudoku_store
from trm_tui.cli.main import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command, and returns its exit code, stdout and stderr."""
    monkeypatch.setenv("TRM_MODELS_FILE", str(tmp_path / "models.toml"))
    sudoku_store(tmp_path / "sessions")

    def command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--no-ui", "--sessions-dir", str(tmp_path / "sessions"), *words])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


def test_models_are_added_listed_selected_checked_and_removed(run, tmp_path: Path) -> None:
    assert run("models", "add", "file", str(tmp_path / "m.gguf"), "--context", "512")[0] == 0
    assert run("models", "add", "lab", "http://127.0.0.1:9", "--ollama", "--model", "llama3")[0] == 0
    assert run("models", "add", "mine", "sudoku-4")[0] == 0
    assert run("models", "select", "lab")[0] == 0
    found = json.loads(run("models", "list", "--json")[1])
    assert found["selected"] == "lab"
    assert {"auto", "trm", "file", "lab", "mine"} <= {one["id"] for one in found["models"]}
    code, out, _ = run("models", "check")
    assert code != 0
    assert "cannot be reached" in out
    assert "mine: well" in out
    assert run("models", "remove", "lab")[0] == 0
    assert json.loads(run("models", "list", "--json")[1])["selected"] == "auto"


@pytest.mark.parametrize(
    "words",
    [
        ("add", "x", "http://127.0.0.1:9"),
        ("add", "x", "http://me:secret@host", "--model", "m"),
        ("add", "auto", "m.gguf"),
        ("add", "x", "no-such-session"),
        ("remove", "x"),
        ("select", "/etc/passwd"),
        ("check", "nobody"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run, words: tuple[str, ...]) -> None:
    code, _, err = run("models", *words)
    assert code in (1, 2, 3)
    assert err.startswith("error: ")


def test_one_message_is_answered(run) -> None:
    code, out, _ = run("chat", "--json", "sudoku 12..34....1.....")
    assert code == 0
    assert json.loads(out)["route"] == "question"
    assert "more than one solution" in run("chat", "sudoku 12..34....1.....")[1]
    assert run("chat", "  ")[0] == 2
    assert run("chat", "--model", "nobody", "hi")[0] == 3


def test_mcp_speaks_over_stdin_and_stdout(run, monkeypatch: pytest.MonkeyPatch) -> None:
    call = {"name": "check_answer", "arguments": {"puzzle": PUZZLE, "answer": "1324241331424231"}}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    code, out, _ = run("mcp")
    assert code == 0
    assert json.loads(out)["result"]["structuredContent"]["solved"] is True
