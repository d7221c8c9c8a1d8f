"""Configurations taken from presets, sessions and files, and saved as files of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.config import Config, Preset, apply, dumps, find_preset, list_own, list_presets, load
from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.files import Disk
from trm_engine.paths import presets_folder
from trm_engine.sessions import Store
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.editor.saving import path_of, problem_with, run_words, save, suggestion
from trm_tui.workbench.editor.sources import Source, of_path, of_presets, of_sessions, open_source

CONFIG = apply(Config(task=SudokuConfig(box_cols=3)), ["model.layers=3"])


def test_a_saved_configuration_reads_as_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    save(CONFIG, path)
    assert load(path) == CONFIG
    assert "# Blocks in the one network" in path.read_text()
    assert "h_cycles" not in path.read_text(), "only what differs from the defaults"


def test_a_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        save(CONFIG, path)
    assert path.read_text() == "precious"
    save(CONFIG, path, replace=True)
    assert load(path) == CONFIG


def test_a_save_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    class Full(Disk):
        def sync(self, path: Path) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(TrmError, match="No space left"):
        save(CONFIG, tmp_path / "mine.toml", storage=Full())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot save"):
        save(CONFIG, tmp_path / "none" / "mine.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "give it a name"),
        ("   ", "give it a name"),
        ("a\x1b[2Jb", "give it a name"),
        ("notes.txt", "ends in .toml"),
        ("no-such-folder/mine.toml", "no folder"),
        ("x" * 300, "cannot be a file"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(text: str, problem: str) -> None:
    assert problem in problem_with(text)


def test_a_name_means_a_preset_and_a_path_means_a_file(tmp_path: Path) -> None:
    assert problem_with(str(tmp_path / "mine")) == ""
    assert path_of(str(tmp_path / "mine")) == tmp_path / "mine.toml"
    assert path_of("mine.toml") == Path("mine.toml")
    assert path_of("mine") == presets_folder() / "mine.toml"


def test_the_command_that_is_told_works_in_a_shell() -> None:
    assert run_words("mine") == "trm-tui run mine"
    assert run_words("My Test Preset!") == "trm-tui run 'My Test Preset!'"
    assert run_words("./my test.toml") == "trm-tui run 'my test.toml'"


def test_a_preset_of_that_name_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRM_PRESETS_DIR", str(tmp_path / "presets"))
    assert "shipped preset" in problem_with("sudoku-4x4")
    save(CONFIG, path_of("mine"))
    found = find_preset("mine")
    assert (found.config, found.group) == (CONFIG, "yours")
    assert [preset.name for preset in list_own()[0]] == ["mine"]


@given(st.text(max_size=30))
def test_any_typed_name_is_judged_and_not_followed(text: str) -> None:
    assert isinstance(problem_with(text), str)


@given(st.text(max_size=40))
def test_the_suggested_name_is_one_that_can_be_saved(name: str) -> None:
    suggested = suggestion(name, Path())
    assert problem_with(suggested) == ""
    assert not path_of(suggested).exists()
    assert Path(suggested).name == suggested


def test_the_suggested_name_is_free(tmp_path: Path) -> None:
    (tmp_path / "sudoku-4x4-2.toml").touch()
    assert suggestion("sudoku-4x4", tmp_path) == "sudoku-4x4-3"


def test_presets_sessions_and_files_can_be_opened(tmp_path: Path) -> None:
    store = Store(tmp_path / "sessions")
    with store.create(dumps(CONFIG), "sudoku-6x6", name="mine") as session:
        found = session.id
    save(CONFIG, tmp_path / "file.toml")
    (of_session,) = of_sessions(store.list())
    of_file = of_path(str(tmp_path / "file.toml"))
    assert of_file is not None
    assert (of_session.ref, of_session.name) == (found, "mine")
    assert open_source(of_session, store).config == CONFIG
    assert (open_source(of_file, store).config, open_source(of_file, store).name) == (CONFIG, "file")
    (preset,) = (source for source in of_presets(list_presets()) if source.ref == "sudoku-6x6")
    assert open_source(preset, store).config == find_preset("sudoku-6x6").config


def test_what_cannot_be_opened_is_an_error_for_people(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for source in (
        Source("session", "20260101-000000-none-aaaa", "gone"),
        Source("file", str(tmp_path / "gone.toml"), "gone"),
        Source("file", "~nobody-of-that-name/x.toml", "gone"),
        Source("preset", "gone", "gone"),
    ):
        with pytest.raises(TrmError):
            open_source(source, store)


@pytest.mark.parametrize("text", ["sudoku", "", "4x4"])
def test_a_word_is_no_path(text: str) -> None:
    assert of_path(text) is None


def test_hostile_names_are_made_harmless(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    preset = Preset("x", path, CONFIG.model_copy(update={"title": "a\x1b]0;b\x07c"}))
    assert of_presets([preset])[0].about == "a]0;bc"
