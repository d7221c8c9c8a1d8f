"""Puzzles of the Hub from the command line: listed, fetched, trained on, and refused in a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import constants

from tests.trm_engine.tasks.loopback_hub import COMMIT, REPO, LoopbackHub, serving
from trm_engine.progress import silent
from trm_engine.tasks.hub.pinned import PINNED
from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.geometry import Geometry


def csv_of(seed: int) -> bytes:
    found = generate(Geometry(2, 2), 120, ClueRange(4, 10), np.random.default_rng(seed), silent).puzzles
    lines = ["source,question,answer,rating"]
    for clues, solution in zip(found.clues.tolist(), found.solutions.tolist(), strict=True):
        question, answer = ("".join(str(digit or ".") for digit in grid) for grid in (clues, solution))
        lines.append(f"made,{question},{answer},0")
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving(LoopbackHub({"train.csv": csv_of(0), "test.csv": csv_of(1)})) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def hub_toml(tmp_path: Path, tiny_toml: str) -> str:
    changed = tiny_toml.replace("[task]\n", f'[task]\ndata = "hub:{REPO}"\n')
    assert changed != tiny_toml
    (tmp_path / "hub.toml").write_text(changed)
    return "hub.toml"


def test_a_set_is_fetched_once_and_described(trm: Any, hub: LoopbackHub, hub_toml: str) -> None:
    done = trm("data", "fetch", hub_toml, "--json")
    (parts,) = done.objects if len(done.out.splitlines()) == 1 else (None,)
    assert done.code == 0
    assert [part["name"] for part in parts] == [f"{REPO} train.csv", f"{REPO} test.csv"]
    assert {part["commit"] for part in parts} == {COMMIT}
    assert "downloading" in done.err
    again = trm("data", "fetch", hub_toml)
    assert (again.code, len(hub.gets)) == (0, 2)
    assert "downloading" not in again.err


def test_a_run_on_the_hub_records_where_its_data_came_from(trm: Any, hub: LoopbackHub, hub_toml: str) -> None:
    done = trm("--no-ui", "run", hub_toml, "--json", "--name", "first", "--steps", "3")
    assert done.code == 0
    facts = trm("sessions", "show", "first", "--json").objects[0]["facts"]
    for split in ("train", "test"):
        assert (
            f"{split}.csv of {REPO} at commit {COMMIT}"
            in facts[{"train": "training file"}.get(split, "test file")]
        )
    assert f"hub:{REPO}" in facts["source"]


def test_a_session_goes_on_without_the_network(
    trm: Any, hub: LoopbackHub, hub_toml: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trm("--no-ui", "run", hub_toml, "--name", "first", "--steps", "3").code == 0
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert trm("--no-ui", "resume", "first").code == 0
    assert hub.requests == []


def test_other_data_under_the_same_name_are_refused(trm: Any, hub: LoopbackHub, hub_toml: str) -> None:
    assert trm("--no-ui", "run", hub_toml, "--name", "first", "--steps", "3").code == 0
    hub.commit = "e" * 40
    hub.files["train.csv"] = csv_of(2)
    hub.etags["train.csv"] = "other"
    done = trm("--no-ui", "resume", "first")
    assert done.code == 3
    assert "train data" in done.err


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("hub:nobody/nothing", "has no data set nobody/nothing"),
        (f"hub:{REPO}@v9", "has no revision v9"),
        ("hub:puzzles", "write hub:OWNER/NAME"),
    ],
)
def test_what_the_hub_lacks_is_exit_2_in_a_line(trm: Any, hub: LoopbackHub, data: str, words: str) -> None:
    done = trm("--no-ui", "run", "tiny.toml", "--set", f"task.data={data}")
    assert done.code == 2
    assert words in done.err
    assert len([line for line in done.err.splitlines() if line]) <= 2


def test_a_set_that_is_cut_short_is_exit_2_in_a_line(trm: Any, hub: LoopbackHub, hub_toml: str) -> None:
    hub.cut, hub.always_cut = 10, True
    done = trm("data", "fetch", hub_toml)
    assert done.code == 2
    assert "run it again, and it resumes from there" in done.err


def test_puzzles_of_the_hub_are_checked_like_a_file(trm: Any, hub: LoopbackHub) -> None:
    done = trm("data", "verify", "tiny.toml", f"hub:{REPO}", "--json")
    assert done.code == 0
    assert done.objects[0]["puzzles"] == hub.files["test.csv"].count(b"\n") - 1


def test_a_preset_without_data_has_nothing_to_fetch(trm: Any) -> None:
    done = trm("data", "fetch", "tiny.toml")
    assert done.code == 2
    assert "makes its own data" in done.err


def test_the_list_says_which_sets_are_here(
    trm: Any, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PINNED, "sapientinc/sudoku-extreme", "main")
    assert not here(trm)
    for name in ("train.csv", "test.csv"):
        folder = Path(constants.HF_HUB_CACHE) / "datasets--sapientinc--sudoku-extreme"
        (folder / "snapshots" / COMMIT).mkdir(parents=True, exist_ok=True)
        (folder / "snapshots" / COMMIT / name).write_bytes(b"")
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(COMMIT)
    assert here(trm)
    assert hub.requests == []


def here(trm: Any) -> bool:
    rows = trm("data", "list", "--json").objects
    rows = rows[0] if isinstance(rows[0], list) else rows
    return bool({row["preset"]: row["present"] for row in rows}["sudoku-extreme"])
