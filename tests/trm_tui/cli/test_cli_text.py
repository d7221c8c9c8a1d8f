"""Text on the command line: runs on a file, figures, what a model writes, words for what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TOML = """
[task]
kind = "text"
context = 8
[model]
architecture = "text"
hidden_size = 8
heads = 2
mixer = "attention"
positions = "rope"
[train]
batch_size = 4
steps = 6
warmup_steps = 2
log_every = 2
[eval]
every = 3
[runtime]
threads = 1
"""


@pytest.fixture
def verse(tmp_path: Path, trm: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a text in the working folder, beside `text.toml`; the names hold what must be quoted."""
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "text.toml").write_text(TOML)
    name = 'a "verse" \\ of = 1.txt'
    (tmp_path / name).write_text("the quick brown fox jumps over the lazy dog\n" * 8)
    return name


@pytest.fixture
def written(trm: Any, verse: str) -> str:
    """Return the name of a finished session."""
    assert trm("--no-ui", "run", "text.toml", "--data", verse, "--quiet", "--name", "poet").code == 0
    return "poet"


def test_run_takes_a_file_and_tells_the_loss(trm: Any, verse: str) -> None:
    done = trm("--no-ui", "run", "text.toml", "--data", verse)
    assert done.code == 0
    assert "held-out windows" in done.err
    assert "bits per character" in done.out
    assert "accuracy" not in done.out + done.err
    assert "puzzles" not in done.out + done.err


def test_events_in_json_have_no_accuracy(trm: Any, verse: str) -> None:
    objects = trm("--no-ui", "run", "text.toml", "--data", verse, "--json").objects
    assert objects[0]["config"]["task"]["data"] == str(Path(verse).absolute())
    figures = [one for one in objects if one["event"] == "eval"]
    assert all({"val_loss", "bits_per_character"} <= set(one) for one in figures)
    assert not any("exact_accuracy" in one for one in figures)
    assert objects[-1]["eval"]["val_loss"] == figures[-1]["val_loss"]


def test_eval_measures_held_out_text_and_another(trm: Any, written: str, tmp_path: Path) -> None:
    held_out = trm("eval", written, "--json").objects[0]
    assert held_out["val_loss"] == pytest.approx(held_out["bits_per_character"] * 0.693147, rel=1e-4)
    (tmp_path / "other.txt").write_text("a lazy dog 123 and a quick fox")
    other = trm("eval", written, "--data", "other.txt", "--json").objects[0]
    assert other["characters"] < 8 * other["windows"], "characters that it does not know are not scored"
    assert "held-out loss" in trm("eval", written).out


def test_generate_writes_as_much_as_asked_and_the_same_again(trm: Any, written: str) -> None:
    words = ("generate", written, "--start", "the ", "--max-tokens", "30", "--seed", "7", "--samples", "2")
    done, again = trm(*words), trm(*words)
    assert done.out == again.out
    assert "sample 1 of 2" in done.err
    objects = trm(*words, "--json").objects
    assert [len(one["text"]) for one in objects] == [30, 30]
    assert objects[0]["text"] != objects[1]["text"]
    assert done.out == "".join(f"the {one['text']}\n" for one in objects)


def test_generate_takes_a_checkpoint_and_greedy_choice(trm: Any, written: str) -> None:
    words = ("generate", written, "--temperature", "0", "--max-tokens", "9", "--json")
    best = trm(*words, "--checkpoint", "best").objects[0]
    assert best["step"] in (3, 6)
    assert best["start"] == "\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("generate", "poet", "--start", "fox☃é"), 'never seen: "☃", "é"'),
        (("generate", "poet", "--temperature", "-1"), "temperature"),
        (("generate", "poet", "--top-k", "x"), "top-k"),
        (("generate", "poet", "--max-tokens", "0"), "max-tokens"),
        (("generate", "poet", "--checkpoint", "first"), 'its step or "best"'),
        (("solve", "poet", "123"), "trm-tui generate"),
        (("eval", "poet", "--early-halt"), "only --data and --checkpoint"),
        (("eval", "poet", "--data", "none.txt"), "there is no text file none.txt"),
        (("eval", "poet", "--data", "short.txt"), "too few"),
        (("eval", "poet", "--data", "broken.txt"), "is not UTF-8 text (byte 3)"),
        (("--no-ui", "run", "text.toml"), "trm-tui data fetch tinyshakespeare"),
        (("--no-ui", "run", "text.toml", "--data", "empty.txt"), "is empty"),
        (("--no-ui", "run", "text.toml", "-s", "model.mixer=mlp_t"), 'needs "attention"'),
        (("data", "fetch", "tinyshakespeer"), "tinyshakespeare"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_a_line(
    trm: Any, written: str, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "short.txt").write_text("short")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "broken.txt").write_bytes(b"abc\xff")
    done = trm(*words)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""


def test_generate_refuses_a_session_of_puzzles(trm: Any, trained: str) -> None:
    done = trm("generate", trained)
    assert done.code == 2
    assert "has learned puzzles; trm-tui solve asks it for answers" in done.err


def test_sessions_show_the_loss(trm: Any, written: str) -> None:
    assert "loss 3." in trm("sessions", "list").out
    assert "held-out loss" in trm("sessions", "show", written).out


def test_a_resumed_run_goes_on(trm: Any, written: str) -> None:
    done = trm("--no-ui", "resume", written, "--set", "train.steps=8", "--json")
    assert done.code == 0
    assert done.objects[-1]["steps"] == 8
