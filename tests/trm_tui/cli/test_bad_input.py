"""Wrong input of every kind: an exit code, and a message of a line or two that names what is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Settings given to `run tiny.toml --set …`, and what the message must name.
SETTINGS = [
    ("train.lr=0", "train.lr"),
    ("train.lr=-1", "train.lr"),
    ("train.lr=nan", "train.lr"),
    ("train.lr=fast", "train.lr"),
    ("train.steps=0", "train.steps"),
    ("train.steps=1.5", "train.steps"),
    ("train.stepz=5", "train.steps"),
    ("trian.steps=5", "train.steps"),
    ("steps=5", "train.steps"),
    ("train.steps", "train.steps"),
    ("", "section.key=value"),
    ("train.batch_size=0", "train.batch_size"),
    ("train.micro_batch=7", "train.micro_batch"),
    ("train.optimizer=adam", "adamw"),
    ("train.decay_steps=5", "wsd"),
    ("train.recursion_start_h=9", "h_cycles"),
    ("eval.depths=4 deep", "whole numbers"),
    ("eval.depths=0", "whole numbers"),
    ("eval.halt_thresholds=nan", "numbers from"),
    ("task.train_pool=1", "train_size"),
    ("task.images=-1", "task.images"),
    ("train.loss=stable-max", "stablemax"),
    ("train.beta2=1", "train.beta2"),
    ("train.ema=1.0", "train.ema"),
    ("train.seed=-1", "train.seed"),
    ("model.mixer=conv", "mlp_t"),
    ("model.states=7", "model.states"),
    ("model.hidden_size=0", "model.hidden_size"),
    ("model.hidden_size=true", "model.hidden_size"),
    ("model.layers=[2]", "model.layers"),
    ("model.puzzle_emb_len=4", "puzzle_emb_ndim"),
    ("model.expansion=0.0", "model.expansion"),
    ("task.kind=sudoko", "sudoku"),
    ("task.clues=17", "task.clues"),
    ("task.clues_max=3", "task.clues_max"),
    ("task.box_rows=9", "task.box_rows"),
    ("task.test_data=x.txt", "task.test_data"),
    ("task.data=nowhere.txt", "task.data"),
    ("task.data=hub:nowhere", "hub:OWNER/NAME"),
    ("task.data=hub:a/b/c", "[task] data"),
    ("task.data=hub:a/b@../c", "[task] data"),
    ("eval.target_accuracy=95", "eval.target_accuracy"),
    ("checkpoint.keep=1", "checkpoint.keep"),
    ("memory.budget_gb=-1", "memory.budget_gb"),
    ("runtime.threads=-2", "runtime.threads"),
]


@pytest.mark.parametrize(("setting", "named"), SETTINGS)
def test_a_wrong_setting_is_exit_2_and_names_the_field(trm: Any, setting: str, named: str) -> None:
    done = trm("--no-ui", "run", "tiny.toml", "--set", setting)
    assert done.code == 2
    assert_clear(done, named)


def test_two_heads_that_do_not_divide_the_width(trm: Any) -> None:
    settings = ["--set", "model.mixer=attention", "--set", "model.positions=rope", "--set", "model.heads=3"]
    done = trm("--no-ui", "run", "tiny.toml", *settings)
    assert done.code == 2
    assert_clear(done, "model.hidden_size", "heads = 3")


# Contents of bad.toml, and what the message must name.
FILES = [
    ("[task\nkind = 1", "bad.toml"),
    ("", "task"),
    ("[task]\n", "kind"),
    ('[task]\nkind = "sudoku"\n[trian]\nlr = 1e-3\n', "train"),
    ('[task]\nkind = "sudoku"\n[train]\nlr = "fast"\nsteps = -1\n', "steps"),
    ('[task]\nkind = "sudoku"\n[train]\nlr = 1e-3\nlr = 2e-3\n', "line 5"),
    ("\x00\x01\x02", "bad.toml"),
    ("x" * 200_000, "bad.toml"),
]


@pytest.mark.parametrize(("text", "named"), FILES)
def test_a_wrong_file_is_exit_2_and_says_where(trm: Any, tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    done = trm("--no-ui", "run", "bad.toml")
    assert done.code == 2
    assert_clear(done, "bad.toml", named)


# Contents of a list of 4×4 puzzles, and what the message must name.
PUZZLES = [
    ("12341234\n", "line 1"),
    (".321..3..4..21..\n.321..3..4..21.\n", "line 2"),
    ("5321..3..4..21..\n", "5"),
    ("1.1...3..4..21..\n", "line 1"),
    ("................\n", "line 1"),
    (".321..3..4..21.. 1111111111111111\n", "line 1"),
    ("", "list.txt"),
    ("# nothing but a comment\n", "list.txt"),
    ("puzzle,solution\n.321..3..4..21..\n", "line 2"),
    ("\x1b[31m\n", "line 1"),
]


@pytest.mark.parametrize(("text", "named"), PUZZLES)
def test_wrong_puzzles_are_exit_2_and_say_which_line(trm: Any, tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    done = trm("data", "verify", "tiny.toml", "list.txt", "--unique")
    assert done.code == 2
    assert_clear(done, "list.txt", named)


ROW = "made,.321..3..4..21..,4321123434122143,0\n"

# Contents of a CSV in the Hub's layout, 4×4, and what the message must name.
TABLES = [
    ("source,quest,rating\nmade,1,0\n", "table.csv"),
    ("source,question,answer,rating\n" + ROW + "made,.321..3..4..21..\n", "line 3"),
    ("source,question,answer,rating\n" + ROW + ROW[:20], "line 3"),
    ("source,question,answer,rating\n" + ROW.replace("4321", "432", 1), "line 2"),
    ("source,question,answer,rating\n" + ROW + ROW.replace("4321", "432x", 1), "line 3"),
    ("source,question,answer,rating\n" + ROW * 99 + ROW.replace("4321", "3421", 1), "line 101"),
    ("source,question,answer,rating\n" + ROW + "x" * 5000 + ROW, "line 3"),
    ("source,question,answer,rating\n", "table.csv"),
    ("source,question,answer,rating\n" + ROW + '"' + ROW * 9000, "line"),
]


@pytest.mark.parametrize(("text", "named"), TABLES, ids=range(len(TABLES)))
def test_a_wrong_csv_is_exit_2_and_says_which_line(trm: Any, tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    done = trm("data", "verify", "tiny.toml", "table.csv")
    assert done.code == 2
    assert_clear(done, "table.csv", named)


NPY = b"\x93NUMPY\x01\x00"

# A file of a dataset folder, what it holds instead, and what the message must name.
FOLDERS = [
    ("dataset.json", None, "dataset.json"),
    ("dataset.json", b"{", "dataset.json"),
    ("dataset.json", b" " * 2_000_000, "dataset.json"),
    ("dataset.json", b'{"pad_id": 0}', "dataset.json"),
    ("all__inputs.npy", None, "all__inputs.npy"),
    ("all__inputs.npy", b"", "all__inputs.npy"),
    ("all__inputs.npy", b"PK\x03\x04 no archive is opened", "all__inputs.npy"),
    ("all__inputs.npy", NPY + b"\xff\xff" + b"{" * 70_000, "all__inputs.npy"),
    ("all__labels.npy", "half", "all__labels.npy"),
    ("all__labels.npy", "flat", "all__labels.npy"),
    ("all__labels.npy", "floats", "all__labels.npy"),
    ("all__puzzle_indices.npy", "flat", "all__puzzle_indices.npy"),
    ("all__group_indices.npy", "floats", "all__group_indices.npy"),
]


@pytest.mark.parametrize(("name", "content", "named"), FOLDERS, ids=range(len(FOLDERS)))
def test_a_wrong_dataset_folder_is_exit_2_and_names_the_file(
    trm: Any, tmp_path: Path, name: str, content: bytes | str | None, named: str
) -> None:
    assert trm("data", "build", "tiny.toml", "set", "--format", "published").code == 0
    path = tmp_path / "set" / "test" / name
    whole = path.read_bytes()
    path.unlink()
    if content == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "flat":
        np.save(path, np.load(io.BytesIO(whole)).ravel()[:-1])
    elif content == "floats":
        np.save(path, np.load(io.BytesIO(whole)).astype(np.float64))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    done = trm("data", "verify", "tiny.toml", "set")
    assert done.code == 2
    assert_clear(done, named)


# Whole command lines: their exit code, and what the message must name.
COMMANDS = [
    (["--no-ui", "run"], 2, "PRESET"),
    (["--no-ui", "run", "sudoku-4x5"], 2, "sudoku-4x4"),
    (["--no-ui", "run", "nothing.toml"], 2, "nothing.toml"),
    (["--no-ui", "runn", "x"], 2, "run"),
    (["--no-ui", "run", "tiny.toml", "--step", "3"], 2, "--step"),
    (["--no-ui", "run", "tiny.toml", "--steps", "-3"], 2, "--steps"),
    (["--no-ui", "run", "tiny.toml", "--seconds", "soon"], 2, "--seconds"),
    (["--no-ui", "run", "tiny.toml", "--name", "x" * 200], 2, "80"),
    (["--no-ui", "resume", "latest"], 3, "no session"),
    (["--no-ui", "resume", "first", "--checkpoint", "5"], 3, "5"),
    (["--no-ui", "resume", "fist"], 3, "first"),
    (["--no-ui", "resume", "../../etc"], 3, "etc"),
    (["--no-ui", "resume", "first", "--set", "model.layers=3"], 2, "model.layers"),
    (["--no-ui", "replay", "nobody"], 3, "nobody"),
    (["eval", "first", "--checkpoint", "99"], 3, "99"),
    (["eval", "first", "--checkpoint", "last"], 2, "best"),
    (["eval", "first", "--data", "missing.csv"], 2, "missing.csv"),
    (["solve", "first", "12"], 2, "16"),
    (["solve", "first", "11.............."], 2, "1"),
    (["--no-ui", "run", "tiny.toml", "--set", "memory.budget_gb=0.1"], 4, "memory"),
    (["--hardware", "macbok-pro-2018-i5", "check", "tiny.toml"], 2, "macbook-pro-2018-i5"),
    (["presets", "sudoku"], 2, "sudoku"),
    (["sessions", "show", "\x1b[2J"], 3, "no session"),
    (["sessions", "tag", "first", "two words"], 2, "two words"),
    (["sessions", "rename", "first", "latest"], 2, "latest"),
    (["sessions", "restore", "nothing"], 3, "nothing"),
    (["sessions", "import", "tiny.toml"], 3, "tiny.toml"),
    (["sessions", "export", "first", "tiny.toml"], 2, "tiny.toml"),
    (["data", "build", "tiny.toml", "tiny.toml"], 2, "tiny.toml"),
    (["data", "build", "tiny.toml", "out", "--format", "parquet"], 2, "parquet"),
]


@pytest.mark.parametrize(("words", "code", "named"), COMMANDS)
def test_a_wrong_command_says_what_and_how(
    trm: Any, request: pytest.FixtureRequest, words: list[str], code: int, named: str
) -> None:
    if "first" in words or "fist" in words:
        request.getfixturevalue("trained")
    done = trm(*words)
    assert done.code == code
    assert_clear(done, named)


def test_a_session_in_use_is_exit_3_and_says_by_whom(trm: Any, trained: str, tmp_path: Path) -> None:
    from trm_engine.sessions import Store

    with Store(tmp_path / "sessions").open(trained):
        done = trm("--no-ui", "resume", trained)
    assert done.code == 3
    assert_clear(done, "process")


def assert_clear(done: Any, *named: str) -> None:
    """A message on stderr alone: `error:`, short, harmless, and naming what it must."""
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert len(done.err.splitlines()) <= 4
    assert "\x1b" not in done.err
    for words in named:
        assert words in done.err
