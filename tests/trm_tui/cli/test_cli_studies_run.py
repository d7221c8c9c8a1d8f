"""Studies run by the program: two at once, stopped and resumed; and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import begin
from tests.torture.killed_studies import plan_of, results, write_study
from tests.trm_tui.conftest import Trm
from trm_engine.sessions import Store


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def test_two_runners_on_one_folder_run_no_trial_twice(tmp_path: Path) -> None:
    study = write_study(tmp_path, rates=2, seeds=1)
    words = ("studies", "run", study.name, "--parallel", "2", "--json")
    with begin(tmp_path, "sessions", *words) as one, begin(tmp_path, "sessions", *words) as other:
        started = [e["trial"] for p in (one, other) for e in told(p) if e["event"] == "trial-started"]
    assert (one.returncode, other.returncode) == (0, 0)
    assert sorted(started) == ["ka-s0", "kb-s0"]
    assert {trial: len(ends) for trial, ends in results(tmp_path / "sessions").items()} == {
        trial.digest: 1 for trial in plan_of(study).trials
    }
    assert len(Store(tmp_path / "sessions").list()) == 2


def test_a_study_is_stopped_from_outside_and_resumed(tmp_path: Path, trm: Trm) -> None:
    study = write_study(tmp_path, rates=3, seeds=1)
    refused = trm("studies", "resume", study.name)
    assert refused.code == 3
    assert f"nothing of it is in {tmp_path / 'sessions'}" in refused.err
    with begin(tmp_path, "sessions", "studies", "run", study.name, "--parallel", "1", "--json") as process:
        for event in told(process):
            if event["event"] == "progress":
                unknown = trm("studies", "stop", study.name, "ka-s9")
                assert unknown.err.startswith(f'error: {study.name} has no trial "ka-s9".')
                done = trm("studies", "stop", study.name)
                assert done.out == f"{study.name}: asked 1 process to save and stop\n"
                break
        last = [*told(process)][-1]
    assert process.returncode == 143
    assert last["event"] == "study-finished"
    assert "kc-s0" in last["left"]
    assert all(record.status != "running" for record in Store(tmp_path / "sessions").list())
    assert trm("studies", "stop", study.name).code == 3
    with begin(tmp_path, "sessions", "studies", "resume", study.name, "--json") as process:
        last = [*told(process)][-1]
    assert (process.returncode, last["done"]) == (0, 3)
    assert [len(ends) for ends in results(tmp_path / "sessions").values()] == [1, 1, 1]


STUDY = """
title = "Wrong"
base = "sudoku-4x4"
[[part]]
name = "w"
[part.vary.train]
batch_size = [32, 64]
"""


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (STUDY, ("nothing",), "no such study or suite, and no file that ends in .toml"),
        (STUDY, ("laptop/exp99",), "no such study"),
        (STUDY, ("missing.toml",), "cannot be read"),
        (STUDY, ("wrong.toml", "--pattern", "x*"), "no experiment fits"),
        (STUDY + '[link.train]\nlr = "model.ema"\n', ("wrong.toml",), "model.ema is not a setting"),
        (
            STUDY.replace("[[part]]", '[link.train]\nsteps = "train.lr"\nlr = "train.steps"\n[[part]]'),
            ("wrong.toml",),
            "in a circle",
        ),
        (STUDY.replace("[32, 64]", "[32, 0]"), ("wrong.toml",), "train.batch_size"),
        (STUDY, ("wrong.toml", "-s", "memory.budget_gb=0.05"), "nothing was started"),
        (STUDY, ("wrong.toml", "--parallel", "many"), "a number from 1 to 1024"),
        (STUDY.replace("[[part]]", '[[part]]\nx = "train.colour"'), ("wrong.toml",), "train.colour"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line_and_nothing_starts(
    trm: Trm, tmp_path: Path, text: str, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    done = trm("studies", "run", *words)
    assert done.code != 0
    assert said in done.err
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert len(lines) <= 2, lines  # an invalid configuration is named on a line of its own
    assert not [path for path in (tmp_path / "sessions").glob("*") if path.name != ".studies"]


def test_a_full_disk_is_said_before_anything_starts(
    trm: Trm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.toml").write_text(STUDY)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    done = trm("studies", "run", "wrong.toml")
    assert done.code == 6
    assert "where 1.0 kB is free; nothing was started" in done.err
    assert not Store(tmp_path / "sessions").list()


def test_a_folder_that_cannot_be_written_is_said(trm: Trm, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(STUDY)
    (tmp_path / "file").write_text("")
    done = trm("--sessions-dir", tmp_path / "file" / "sessions", "studies", "run", "wrong.toml")
    assert done.code != 0
    assert done.err.startswith("error: ")
    assert len(done.err.splitlines()) == 1


def test_figures_without_their_extra_name_it(
    trm: Trm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.toml").write_text(STUDY)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = trm("studies", "report", "wrong.toml")
    assert done.code == 2
    assert "pip install 'trm-tui[studies]'" in done.err
    assert not (tmp_path / "studies-report").exists()
