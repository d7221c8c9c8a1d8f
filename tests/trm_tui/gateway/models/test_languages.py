"""The state of a language model, as health tells it: before, while and after its file is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.decisions import Decision
from trm_engine.language.model import LanguageError
from trm_tui.gateway.models.languages import Languages
from trm_tui.gateway.models.registry import GgufEntry, Registry

ENTRY = GgufEntry(path="/nowhere/model.gguf", context=512)


class Loader:
    """Stands for the class of a model in this process: notes the states that others see while it loads."""

    def __init__(self) -> None:
        self.languages: Languages | None = None
        self.seen: list[str] = []
        self.closed: list[str] = []
        self.error: LanguageError | None = None

    def __call__(self, name: str, path: Path, **_: object):
        assert self.languages is not None
        self.seen += [state.phase for state in self.languages.states()]
        if self.error is not None:
            raise self.error
        return Loaded(name, self)


class Loaded:
    bytes = 1000
    context = 512

    def __init__(self, name: str, loader: Loader) -> None:
        self.name, self.loader = name, loader

    def close(self) -> None:
        self.loader.closed.append(self.name)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def told() -> list[Decision]:
    return []


@pytest.fixture
def languages(tmp_path: Path, loader: Loader, told: list[Decision]) -> Languages:
    registry = Registry(tmp_path / "models.toml")
    registry.add("one", ENTRY)
    registry.add("two", ENTRY)
    made = Languages(registry, free=lambda: 10**9, tell=told.append, make_local=loader)
    loader.languages = made
    return made


def test_a_model_is_unloaded_then_loading_then_loaded(languages: Languages, loader: Loader) -> None:
    assert languages.state("one").phase == "unloaded"
    languages.get("one")
    assert loader.seen == ["loading", "unloaded"]
    found = languages.state("one")
    assert (found.phase, found.bytes, found.context) == ("loaded", 1000, 512)


def test_one_file_is_held_at_a_time(languages: Languages, loader: Loader, told: list[Decision]) -> None:
    first = languages.get("one")
    assert languages.get("one") is first
    languages.get("two")
    assert loader.closed == ["one"]
    assert [state.phase for state in languages.states()] == ["unloaded", "loaded"]
    assert [(one.subject, one.choice) for one in told] == [("one", "unloaded")]
    assert "two" in told[0].reason


def test_a_load_that_failed_is_told_until_one_succeeds(languages: Languages, loader: Loader) -> None:
    loader.error = LanguageError("load_failed", "it is too large", "Take a smaller one.")
    with pytest.raises(LanguageError):
        languages.get("one")
    found = languages.state("one")
    assert (found.phase, found.reason, found.code) == ("failed", "it is too large", "load_failed")
    loader.error = None
    languages.get("one")
    assert loader.seen == ["loading", "unloaded", "loading", "unloaded"]
    assert languages.state("one").phase == "loaded"


def test_an_entry_that_has_changed_is_loaded_anew(languages: Languages, loader: Loader) -> None:
    languages.get("one")
    languages.registry.add("one", GgufEntry(path="/nowhere/other.gguf", context=512), replace=True)
    assert languages.state("one").phase == "unloaded"
    languages.get("one")
    assert loader.closed == ["one"]


def test_one_that_is_not_registered_is_no_model(languages: Languages) -> None:
    assert languages.state("three").phase == "none"
    with pytest.raises(LanguageError, match="no language model"):
        languages.get("three")
