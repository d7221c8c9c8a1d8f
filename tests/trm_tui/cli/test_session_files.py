"""Figures and curves of sessions on the command line: a file is what its name says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm
from tests.trm_tui.session_makers import make_session
from trm_engine.config import Config
from trm_engine.sessions import Store

ONE = "20260320-120000-sudoku-6x6-one1"


@pytest.fixture(autouse=True)
def session(tmp_path: Path, config: Config) -> None:
    make_session(Store(tmp_path / "sessions"), config, ONE, name="one")


def test_metrics_are_printed_as_a_table_as_csv_and_as_json(trm: Trm) -> None:
    (loss,) = [
        line.split() for line in trm("sessions", "metrics", "one").out.splitlines() if " loss " in line
    ]
    records = trm("sessions", "metrics", "one", "--json").objects[0]
    losses = [record["loss"] for record in records if "loss" in record]
    assert loss[:2] == ["loss", str(len(losses))]
    assert float(loss[2]) == pytest.approx(losses[0], rel=1e-5)
    assert float(loss[4]) == pytest.approx(min(losses), rel=1e-5)
    rows = list(csv.DictReader(io.StringIO(trm("sessions", "metrics", "latest", "--csv").out)))
    assert len(rows) == len(records)
    assert {row["session"] for row in rows} == {ONE}
    assert trm("sessions", "metrics", "one", "--csv", "--json").code == 2


@pytest.mark.parametrize(
    ("words", "name", "begins"),
    [
        (["out.zip"], "out.zip", b"PK"),
        ([], "one.zip", b"PK"),
        (["--svg"], "one-curves.svg", b"<?xml"),
        (["out.svg"], "out.svg", b"<?xml"),
        (["--png"], "one-curves.png", b"\x89PNG"),
        (["out.PNG", "--png"], "out.PNG", b"\x89PNG"),
        (["--csv"], "one-metrics.csv", b"session,"),
        (["--csv", "out.csv"], "out.csv", b"session,"),
    ],
)
def test_a_session_is_exported_in_the_form_asked_for(
    trm: Trm, tmp_path: Path, words: list[str], name: str, begins: bytes
) -> None:
    done = trm("sessions", "export", "one", *words)
    assert done.out.startswith(f"wrote {name} ("), done.err
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["out.jpg"], "must end in .zip, .csv, .svg or .png"),
        (["out"], "must end in .zip, .csv, .svg or .png"),
        (["out.svg", "--png"], "must end in .png"),
        (["out.zip", "--csv"], "must end in .csv"),
        (["--csv", "--png"], "give one at a time"),
        (["tiny.toml"], "must end in"),
    ],
)
def test_no_format_is_written_under_the_name_of_another(
    trm: Trm, tmp_path: Path, words: list[str], told: str
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    done = trm("sessions", "export", "one", *words)
    assert (done.code, told in done.err) == (2, True), done.err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_trash_is_purged_when_that_is_meant(trm: Trm) -> None:
    assert trm("sessions", "purge").out == "nothing in the trash\n"
    trm("sessions", "delete", "one")
    assert "1 session would go" in trm("sessions", "purge").out
    assert trm("sessions", "purge", "--older-than", "3650", "--yes").out == "nothing in the trash\n"
    told = trm("sessions", "purge", "--json").objects[0]
    assert (told["deleted"], list(told["sessions"])) == (False, [ONE])
    assert told["bytes"] > 1000
    assert "1 session deleted for good" in trm("sessions", "purge", ONE, "--yes").out
    assert trm("sessions", "list", "--trash", "--json").out == "[]\n"
    assert trm("sessions", "purge", ONE, "--yes").code == 3
