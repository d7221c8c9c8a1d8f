"""Puzzles and figures on the command line: stdin, pipes, names of files, what figures are over."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trm_tui.cli.test_cli_text import TOML as TEXT
from tests.trm_tui.cli.test_cli_vote import SOLVED, TINY_ARC

PUZZLES = ["1234.31...4..42.", "..1.1..3.1.44..1"]
TWO_ANSWERS = "423131421.2.2.1."
BOARD = "1..4......4..23."
QUIET = ("--no-ui", "run")


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


# --- data verify ---------------------------------------------------------------------------------------


def test_a_list_comes_through_stdin_or_a_pipe(trm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "\n".join(PUZZLES).encode()
    pipe_in(monkeypatch, lines)
    assert trm("data", "verify", "sudoku-4x4", "-").out.startswith("-: 2 valid puzzles")
    reading, writing = os.pipe()
    os.write(writing, lines)
    os.close(writing)
    try:
        assert trm("data", "verify", "sudoku-4x4", f"/dev/fd/{reading}", "--json").objects == [
            {
                "file": f"/dev/fd/{reading}",
                "puzzles": 2,
                "unique": None,
                "several_solutions": 0,
                "looked_at": 2,
            }
        ]
    finally:
        os.close(reading)


def test_puzzles_with_several_solutions_are_counted(trm: Any) -> None:
    Path("two.csv").write_text(f"puzzle,solution\n{TWO_ANSWERS},4231314214232314\n")
    assert trm("data", "verify", "sudoku-4x4", "two.csv").out == (
        "two.csv: 1 valid puzzle; it has several solutions\n"
    )
    (told,) = trm("data", "verify", "sudoku-4x4", "two.csv", "--json").objects
    assert (told["several_solutions"], told["looked_at"]) == (1, 1)
    assert trm("data", "verify", "sudoku-4x4", "two.csv", "--unique").code == 2


def test_what_has_no_rule_says_that_uniqueness_was_not_looked_at(trm: Any) -> None:
    Path("tasks").mkdir()
    Path("tasks/aaa.json").write_text(json.dumps(SOLVED))
    Path("arc.toml").write_text(TINY_ARC)
    assert "uniqueness was not checked" in trm("data", "verify", "arc.toml", "tasks").out


def test_how_a_zero_was_read_is_told(trm: Any) -> None:
    digits = "0123456789abcdef"
    rows = [digits[4 * (row % 4) + row // 4 :] + digits[: 4 * (row % 4) + row // 4] for row in range(16)]
    Path("hex.txt").write_text("." + "".join(rows)[1:] + "\n")
    words = ("sudoku-9x9", "--set", "task.box_rows=4", "--set", "task.box_cols=4", "hex.txt")
    done = trm("data", "verify", *words)
    assert done.code == 0
    assert "0 is read as a digit (0–F): it stands beside . for blanks, and no G occurs" in done.err
    assert trm("data", "verify", *words, "--set", "task.zero=digit").err == ""


# --- solve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + BOARD.encode() + b"\r\n",
        BOARD.encode("utf-16"),
        BOARD.replace(".", "-").encode(),
        "\r".join(" ".join(BOARD[first : first + 4]) for first in range(0, 16, 4)).encode(),
    ],
    ids=["a byte order mark", "UTF-16", "dashes", "rows of an old Mac"],
)
def test_a_puzzle_comes_through_stdin(
    trm: Any, trained: str, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    pipe_in(monkeypatch, content)
    (told,) = trm("solve", trained, "-", "--json").objects
    assert len(told["answer"]) == 16


def test_the_name_of_a_file_is_no_puzzle(trm: Any, trained: str) -> None:
    Path("p4.csv").write_text("puzzle\n" + "\n".join(PUZZLES))
    done = trm("solve", "first", "p4.csv")
    assert done.code == 2
    assert "There is a file p4.csv: trm-tui solve first - < p4.csv solves the puzzle in it" in done.err
    assert "trm-tui eval first --data p4.csv measures on a list" in done.err
    assert "There is a file" not in trm("solve", "first", "nowhere.csv").err


# --- eval ----------------------------------------------------------------------------------------------


def test_sudoku_counts_any_answer_that_the_rules_accept(trm: Any, trained: str) -> None:
    Path("two.csv").write_text(f"puzzle,solution\n{TWO_ANSWERS},4231314214232314\n")
    assert "by the label or any other right answer" in trm("eval", trained, "--data", "two.csv").out
    (told,) = trm("eval", trained, "--data", "two.csv", "--json").objects
    assert told["valid_accuracy"] >= told["exact_accuracy"]


@pytest.fixture
def poet(trm: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    Path("text.toml").write_text(TEXT)
    Path("plain.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 8)
    assert trm(*QUIET, "text.toml", "--data", "plain.txt", "--quiet", "--name", "poet").code == 0
    return "poet"


def test_text_of_unknown_characters_is_no_measurement(trm: Any, poet: str) -> None:
    Path("other.txt").write_text("的一是不了" * 20)
    done = trm("eval", poet, "--data", "other.txt")
    assert done.code == 2
    assert "none of its 100 characters is known to the model" in done.err


def test_text_of_some_unknown_characters_says_over_how_many(trm: Any, poet: str) -> None:
    Path("upper.txt").write_text("THE quick BROWN fox\n" * 5)
    (told,) = trm("eval", poet, "--data", "upper.txt", "--json").objects
    scored, unknown = told["characters"], told["unknown_characters"]
    assert (scored + unknown, told["text_characters"]) == (12 * 8, 100)
    said = f"over {scored} of 100 characters; {unknown} are unknown to the model"
    assert said in trm("eval", poet, "--data", "upper.txt").out


def test_a_run_warns_of_text_that_has_no_token(trm: Any, poet: str) -> None:
    done = trm(*QUIET, "text.toml", "--data", "plain.txt", "--set", "task.max_vocabulary=9")
    assert "are neither learned nor scored" in done.err
    assert "raise task.max_vocabulary" in done.err
    warnings = [
        event["message"]
        for event in trm(
            *(*QUIET, "text.toml", "--data", "plain.txt", "--json", "--set", "task.max_vocabulary=9")
        ).objects
        if event["event"] == "warning"
    ]
    assert any("task.max_vocabulary" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Well, said the fox.".encode("utf-16-le"), "is UTF-16LE text: make it UTF-8 (iconv -f UTF-16LE"),
        (b"\x92Well,\x92 said the fox.", "is not UTF-8 text (byte 0): make it UTF-8 (iconv -f CP1252"),
    ],
)
def test_text_that_is_no_utf8_is_not_trained_on(trm: Any, content: bytes, said: str) -> None:
    Path("text.toml").write_text(TEXT)
    Path("odd.txt").write_bytes(content)
    done = trm(*QUIET, "text.toml", "--data", "odd.txt")
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert "is a folder; name one text file" in trm(*QUIET, "text.toml", "--set", "task.data=.").err


# --- ARC -----------------------------------------------------------------------------------------------


@pytest.fixture
def asked(trm: Any) -> Any:
    """Run the program beside Kaggle's files, of which one task has no room on the canvas."""
    large = {"train": SOLVED["train"], "test": [{"input": [[1] * 9]}, {"input": [[2] * 9]}]}
    bare = {**SOLVED, "test": [{"input": pair["input"]} for pair in SOLVED["test"]]}
    Path("kaggle").mkdir()
    Path("kaggle/arc-agi_test_challenges.json").write_text(json.dumps({"aaa": bare, "large": large}))
    Path("kaggle/arc-agi_training_challenges.json").write_text(json.dumps({"ttt": bare}))
    Path("kaggle/arc-agi_training_solutions.json").write_text(json.dumps({"ttt": [[[6, 5]], [[7]]]}))
    Path("arc.toml").write_text(TINY_ARC.replace('"tasks"', '"kaggle"'))
    return trm


def test_nothing_with_a_known_output_is_no_measurement(asked: Any) -> None:
    words = (*QUIET, "arc.toml", "--set", "task.test_set=test", "--name", "asked")
    done = asked(*words)
    assert done.code == 0
    assert "no held-out input has a known output: nothing is measured" in done.err
    assert "unseen puzzles" not in done.out + done.err
    assert "0.00%" not in done.out + done.err
    ended = asked("eval", "asked")
    assert ended.code == 2
    assert "nothing to measure; eval --vote --submission FILE answers them" in ended.err
    assert asked(*words[:-2], "--json").objects[-1]["eval"] == {}


def test_a_submission_has_every_task(asked: Any) -> None:
    assert asked(*QUIET, "arc.toml", "--set", "task.test_set=test", "--name", "asked", "--quiet").code == 0
    done = asked("eval", "asked", "--vote", "--submission", "all.json")
    assert "1 task did not fit the canvas (task.size)" in done.out
    nothing = {"attempt_1": [[0]], "attempt_2": [[0]]}
    submission = json.loads(Path("all.json").read_text())
    assert submission.keys() == {"aaa", "large"}
    assert submission["large"] == [nothing, nothing]
    (told,) = asked("eval", "asked", "--vote", "--json").objects
    assert told["tasks_too_large"] == 1
