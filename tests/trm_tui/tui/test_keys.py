"""The key table: complete, free of clashes, pressable on every terminal; and a person's own keymap."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from trm_tui.tui.bindings import sign, signs
from trm_tui.tui.keymap import KEYMAP, load_keymap
from trm_tui.tui.keys import TABLE, WHERE_TITLES, Key, is_allowed, keys_of, names

ROWS = [pytest.param(key, id=key.id) for key in TABLE]


@pytest.mark.parametrize("key", ROWS)
def test_every_binding_has_a_label_and_help(key: Key) -> None:
    assert key.label.strip()
    assert key.help[:1].isupper(), "help is a sentence"
    assert not key.help.endswith("."), "the help screen shows no full stops"
    assert len(key.help) <= 75, "help fits on a line of the help screen"


@pytest.mark.parametrize("key", ROWS)
def test_every_key_is_one_that_all_terminals_send(key: Key) -> None:
    assert [name for name in names(key.keys) if not is_allowed(name)] == []


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(key.id for key in TABLE).items() if count > 1] == []


@pytest.mark.parametrize("where", [where for where in WHERE_TITLES if where not in ("app", "dialog")])
def test_no_key_does_two_things_on_a_screen(where: str) -> None:
    """A screen may give a key of the app another meaning, but not one key two meanings of its own."""
    counted = Counter(name for key in keys_of(where) for name in names(key.keys))  # type: ignore[arg-type]
    assert [name for name, count in counted.items() if count > 1] == []


def test_the_app_gives_no_key_two_meanings() -> None:
    counted = Counter(name for key in keys_of("app") for name in names(key.keys))
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("key", ["alt+x", "ctrl+shift+x", "f11", "meta+a", "ctrl+1", "super+q", "insert"])
def test_keys_that_some_terminals_keep_for_themselves_are_refused(key: str) -> None:
    assert not is_allowed(key)


@pytest.mark.parametrize(
    ("key", "written"),
    [("ctrl+p", "ctrl+p"), ("question_mark", "?"), ("X", "shift+x"), ("f1", "F1"), ("shift+left", "shift+←")],
)
def test_keys_are_written_for_people(key: str, written: str) -> None:
    assert sign(key) == written


def test_several_keys_are_written_in_a_row() -> None:
    assert signs("plus,equals_sign") == "+ ="


def test_without_a_keymap_the_table_stands(tmp_path: Path) -> None:
    keymap = load_keymap(tmp_path)
    assert (keymap.keys, keymap.problems) == ({}, ())
    assert keymap.shown(TABLE[0]) == TABLE[0].keys


def test_a_keymap_changes_keys(tmp_path: Path) -> None:
    (tmp_path / KEYMAP).write_text('"run.pause" = "f5, space"\n')
    assert load_keymap(tmp_path).keys == {"run.pause": "f5,space"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"run.pauze" = "p"', 'did you mean "run.pause"'),
        ('"run.pause" = "alt+p"', '"alt+p" is not a key'),
        ('"run.pause" = 3', "write its keys as text"),
        ("not toml", KEYMAP),
    ],
)
def test_what_is_wrong_in_a_keymap_is_named_and_passed_over(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / KEYMAP).write_text(line + "\n")
    keymap = load_keymap(tmp_path)
    assert keymap.keys == {}
    assert re.search(re.escape(said), " ".join(keymap.problems))
