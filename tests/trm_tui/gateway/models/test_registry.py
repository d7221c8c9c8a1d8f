"""One settings file: what is in it counts at once, holds no token, and is kept through changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.language.model import LanguageError
from trm_tui.gateway.models.registry import GgufEntry, OllamaEntry, OpenAIEntry, Registry, TrmEntry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "deep" / "models.toml")


def test_what_is_added_is_read_again_by_another(registry: Registry) -> None:
    entries = {
        "file": GgufEntry(path="/models/a.gguf", context=2048),
        "lab": OpenAIEntry(url="http://127.0.0.1:1234/v1", model="m", token_variable="LAB_TOKEN"),
        "ol": OllamaEntry(model="llama3"),
        "mine": TrmEntry(path="20260101-x"),
    }
    for name, entry in entries.items():
        registry.add(name, entry)
    registry.select("lab")
    other = Registry(registry.path).read()
    assert (other.models, other.selected_model) == (entries, "lab")
    assert list(other.languages) == ["file", "lab", "ol"]


def test_a_change_by_another_counts_at_once(registry: Registry) -> None:
    registry.add("a", GgufEntry(path="a.gguf"))
    assert registry.read().selected_model == "auto"
    Registry(registry.path).select("a")
    assert registry.read().selected_model == "a"
    registry.path.unlink()
    assert registry.read().models == {}


def test_comments_and_unknown_entries_stay(registry: Registry) -> None:
    registry.path.parent.mkdir()
    registry.path.write_text(
        '# mine\nselected_model = "auto"\nnewer = 1\n[models.a]\nkind = "gguf"\npath = "x"\n'
    )
    registry.add("b", GgufEntry(path="y"))
    registry.remove("a")
    text = registry.path.read_text()
    assert "# mine" in text
    assert "newer = 1" in text
    assert "models.a" not in text


def test_removing_what_is_selected_selects_auto(registry: Registry) -> None:
    registry.add("a", GgufEntry(path="x"))
    registry.select("a")
    registry.remove("a")
    assert registry.read().selected_model == "auto"


@pytest.mark.parametrize("name", ["", "auto", "../x", "a b", "x" * 81, "-x"])
def test_what_is_no_name_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError):
        registry.add(name, GgufEntry(path="x"))


def test_a_taken_name_and_a_token_in_a_url_are_refused(registry: Registry) -> None:
    registry.add("a", GgufEntry(path="x"))
    with pytest.raises(UsageError):
        registry.add("a", GgufEntry(path="y"))
    with pytest.raises(LanguageError):
        registry.add("b", OpenAIEntry(url="https://me:secret@host/v1", model="m"))
    with pytest.raises(UsageError):
        registry.remove("c")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense = ",
        '[models.a]\nkind = "shell"\n',
        '[models.a]\nkind = "gguf"\n',
        "models = 3",
        '[models.a]\nkind = "gguf"\npath = "x"\ntoken = "secret"\n',
    ],
)
def test_a_broken_file_is_named_and_not_written_over(registry: Registry, text: str) -> None:
    registry.path.parent.mkdir()
    registry.path.write_text(text)
    for change in (registry.read, lambda: registry.select("auto")):
        with pytest.raises(UsageError, match=r"models\.toml"):
            change()
    assert registry.path.read_text() == text
