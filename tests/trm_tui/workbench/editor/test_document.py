"""The configuration in the editor: texts, problems, what has changed, and a history that loses nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.config import Config, TaskConfig, apply, dumps, find_preset, flatten, loads
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.editor.document import Document
from trm_tui.workbench.editor.draft import Draft, Origin

PRESET = Origin("six", Config(title="Six", task=SudokuConfig(box_cols=3)))
OTHER = Origin("four", apply(Config(task=SudokuConfig()), ["train.lr=0.001", "train.steps=1500"]))
KEYS = list(PRESET.values)
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["1", "2", "0.5", "-3", "true", "attention", "nan", "1e999"])
)


@pytest.fixture
def document() -> Document:
    return Document(PRESET)


# --- a draft ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sudoku-4x4", "sudoku-6x6", "sudoku-9x9-hard", "sudoku-extreme-attention"])
def test_an_untouched_draft_is_the_configuration_itself(name: str) -> None:
    config = find_preset(name).config
    draft = Draft.of(Origin(name, config))
    assert draft.checked.config == config
    assert draft.changes == []


def test_a_changed_text_changes_the_configuration(document: Document) -> None:
    document.type("model.hidden_size", "128")
    assert document.draft.checked.config == apply(PRESET.config, ["model.hidden_size=128"])
    assert [(c.key, c.a, c.b) for c in document.draft.changes] == [("model.hidden_size", 64, 128)]


def test_another_way_to_write_the_same_value_is_no_change(document: Document) -> None:
    document.type("train.lr", "2.0e-3")
    assert not document.draft.has_changed("train.lr")
    assert not document.unsaved


def test_every_problem_stands_at_its_field(document: Document) -> None:
    document.change({"model.hidden_size": "x", "train.lr": "30", "train.micro_batch": "100"})
    checked = document.draft.checked
    assert checked.config is None
    assert set(checked.problems) == {"model.hidden_size", "train.lr", "train.micro_batch"}
    assert checked.count == len(checked.messages) == 3
    assert "whole number from 4 to 8192" in checked.problems["model.hidden_size"][0]


def test_a_rule_over_several_fields_names_one_of_them(document: Document) -> None:
    document.change({"model.mixer": "attention", "model.positions": "rope", "model.heads": "5"})
    assert list(document.draft.checked.problems) == ["model.hidden_size"]


def test_comparing_works_while_something_is_wrong(document: Document) -> None:
    document.change({"train.lr": "fast", "model.layers": "3"})
    changes = {c.key: (c.a, c.b) for c in document.draft.compare(PRESET.config)}
    assert changes == {"train.lr": (0.002, "fast"), "model.layers": (2, 3)}


def test_comparing_two_presets_is_their_difference() -> None:
    changes = Draft.of(PRESET).compare(OTHER.config)
    theirs, ours = flatten(OTHER.config), flatten(PRESET.config)
    assert {c.key for c in changes} == {key for key in ours if ours[key] != theirs[key]}


@given(st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=6))
def test_whatever_is_typed_is_a_sound_configuration_or_a_list_of_problems(texts: dict[str, str]) -> None:
    draft = Draft.of(PRESET).with_texts(texts)
    checked = draft.checked
    assert (checked.config is None) == (checked.count > 0)
    if checked.config is not None:
        assert {key: flatten(checked.config)[key] for key in draft.values} == dict(draft.values)
        assert loads(dumps(checked.config, only_changed=True), "saved") == checked.config


def test_another_kind_of_task_begins_with_its_defaults(counting: type[TaskConfig]) -> None:
    document = Document(PRESET)
    document.type("train.lr", "0.001")
    document.change({"task.kind": "counting"})
    draft = document.draft
    assert [key for key in draft.fields if key.startswith("task.")] == ["task.kind", "task.up_to"]
    assert draft.texts["task.up_to"] == "9"
    assert draft.texts["train.lr"] == "0.001"
    document.undo()
    assert document.draft.texts["task.box_cols"] == "3"


# --- its history ------------------------------------------------------------------------------------------


def test_typing_in_one_field_is_one_step(document: Document) -> None:
    for text in ("1", "12", "128"):
        document.type("model.hidden_size", text)
    document.undo()
    assert document.draft.texts["model.hidden_size"] == "64"
    document.redo()
    assert document.draft.texts["model.hidden_size"] == "128"


def test_typing_in_another_field_is_another_step(document: Document) -> None:
    document.type("model.hidden_size", "128")
    document.type("model.layers", "3")
    document.undo()
    assert (document.draft.texts["model.hidden_size"], document.draft.texts["model.layers"]) == ("128", "2")


def test_a_field_that_was_sealed_begins_a_new_step(document: Document) -> None:
    document.type("model.layers", "3")
    document.seal()
    document.type("model.layers", "4")
    document.undo()
    assert document.draft.texts["model.layers"] == "3"


def test_typing_back_to_what_it_was_leaves_no_step(document: Document) -> None:
    document.type("model.layers", "3")
    document.type("model.layers", "2")
    assert not document.can_undo
    assert not document.undo()


def test_cancel_takes_back_what_is_being_typed(document: Document) -> None:
    document.type("model.layers", "3")
    document.cancel()
    assert document.draft.texts["model.layers"] == "2"
    assert not document.can_redo


def test_cancel_does_nothing_when_nothing_is_being_typed(document: Document) -> None:
    document.type("model.layers", "3")
    document.seal()
    document.cancel()
    assert document.draft.texts["model.layers"] == "3"


def test_a_new_change_forgets_what_was_undone(document: Document) -> None:
    document.type("model.layers", "3")
    document.undo()
    document.type("model.layers", "4")
    assert not document.can_redo


@pytest.mark.parametrize(
    ("key", "reset", "default"),
    [("task.box_cols", "3", "2"), ("model.layers", "2", "2"), ("title", "Six", "")],
)
def test_a_field_goes_back_to_what_it_came_with_or_to_its_default(
    document: Document, key: str, reset: str, default: str
) -> None:
    document.type(key, "4")
    document.default(key)
    assert document.draft.texts[key] == default
    document.reset(key)
    assert document.draft.texts[key] == reset


def test_everything_can_go_back_at_once_and_come_again(document: Document) -> None:
    document.change({"model.layers": "3", "train.lr": "0.1"})
    document.reset_all()
    assert document.draft.changes == []
    document.undo()
    assert len(document.draft.changes) == 2


def test_loading_another_configuration_can_be_undone(document: Document) -> None:
    document.type("model.layers", "3")
    document.load(OTHER)
    assert document.draft.origin == OTHER
    document.undo()
    assert (document.draft.origin, document.draft.texts["model.layers"]) == (PRESET, "3")


def take(document: Document, step: str, key: str, text: str) -> None:
    """Do to a document what a person may do."""
    steps: dict[str, Callable[[], object]] = {
        "type": lambda: document.type(key, text),
        "seal": document.seal,
        "change": lambda: document.change({key: text, "model.layers": text}),
        "reset": lambda: document.reset(key),
        "default": lambda: document.default(key),
        "reset all": document.reset_all,
        "load": lambda: document.load(OTHER),
        "undo": document.undo,
        "redo": document.redo,
        "keep": document.keep,
    }
    steps[step]()


STEPS = ("type", "seal", "change", "reset", "default", "reset all", "load", "undo", "redo", "keep")


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(KEYS), TEXTS), max_size=20))
def test_undoing_everything_leads_to_the_beginning_and_redoing_it_to_the_end(
    steps: list[tuple[str, str, str]],
) -> None:
    document = Document(PRESET)
    for step, key, text in steps:
        take(document, step, key, text)
    while document.redo():
        pass
    end = document.draft
    while document.undo():
        pass
    assert document.draft == Draft.of(PRESET)
    while document.redo():
        pass
    assert document.draft == end


# --- what would be lost -----------------------------------------------------------------------------------


def test_edits_are_unsaved_until_they_are_kept_or_taken_back(document: Document) -> None:
    document.type("model.layers", "3")
    assert document.unsaved
    document.undo()
    assert not document.unsaved
    document.redo()
    document.keep()
    assert not document.unsaved
    document.type("model.layers", "4")
    assert document.unsaved
    document.type("model.layers", "3")
    assert not document.unsaved, "this stands in a run already"


def test_what_was_saved_is_what_later_changes_are_compared_with(document: Document) -> None:
    document.type("model.layers", "3")
    saved = document.draft.checked.config
    assert saved is not None
    document.saved_as(Origin("mine", saved))
    assert (document.unsaved, document.draft.changes, document.draft.origin.name) == (False, [], "mine")
    document.type("model.layers", "2")
    assert document.unsaved is False, "the preset holds this"
    assert [c.key for c in document.draft.changes] == ["model.layers"]
