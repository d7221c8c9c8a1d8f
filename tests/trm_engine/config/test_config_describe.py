"""One declaration of each setting serves help, comments and messages."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import trm_engine.config
from trm_engine.config import Config, FieldInfo, TaskConfig, describe, flatten
from trm_engine.tasks.sudoku.config import SudokuConfig

FIELDS = {info.key: info for info in describe(SudokuConfig)}


@pytest.mark.parametrize("info", FIELDS.values(), ids=lambda info: info.key)
def test_every_field_has_one_or_two_sentences_of_help(info: FieldInfo) -> None:
    assert info.help.endswith(".")
    assert 1 <= len(re.findall(r"[.?!](?:\s|$)", info.help)) <= 2
    assert len(info.help) <= 200


def test_every_section_says_what_it_is() -> None:
    for name in type(Config(task=SudokuConfig())).model_fields:
        holder = getattr(Config(task=SudokuConfig()), name)
        if name not in {"title", "expect"}:
            assert type(holder).__doc__.endswith(".")


def test_fields_come_in_the_order_of_the_file() -> None:
    keys = list(FIELDS)
    assert keys[:3] == ["title", "expect", "task.kind"]
    sections = [key.partition(".")[0] for key in keys[2:]]
    assert list(dict.fromkeys(sections)) == [
        "task",
        "model",
        "train",
        "eval",
        "checkpoint",
        "memory",
        "runtime",
        "track",
    ]
    assert sections == sorted(sections, key=list(dict.fromkeys(sections)).index)


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("model.hidden_size", "a whole number from 4 to 8192"),
        ("model.mixer", '"attention" or "mlp_t"'),
        ("model.positions", '"rope", "learned" or "none"'),
        ("model.states", "1 or 2"),
        ("model.rope_theta", "a number above 1"),
        ("train.lr", "a number above 0, at most 10"),
        ("train.ema", "a number of at least 0, below 1"),
        ("eval.target_accuracy", "a number from 0 to 1"),
        ("train.continue_loss", "true or false"),
        ("title", "text of at most 200 characters"),
    ],
)
def test_what_is_allowed_is_said_in_words(key: str, allowed: str) -> None:
    assert FIELDS[key].allowed == allowed


def test_types_are_named() -> None:
    names = {
        key: FIELDS[key].type_name for key in ("model.mixer", "model.states", "train.lr", "task.augment")
    }
    assert names == {"model.mixer": "str", "model.states": "int", "train.lr": "float", "task.augment": "bool"}


def test_the_kinds_of_task_are_choices() -> None:
    assert "sudoku" in FIELDS["task.kind"].choices


def test_without_a_kind_the_task_has_only_its_kind() -> None:
    assert [info.name for info in describe() if info.section == "task"] == ["kind"]


def test_defaults_are_what_an_empty_section_gives() -> None:
    values = flatten(Config(task=SudokuConfig()))
    assert values == {key: info.default for key, info in FIELDS.items()}


def test_a_field_that_toml_cannot_hold_is_a_programming_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskConfig, "kinds", dict(TaskConfig.kinds))

    class OddConfig(TaskConfig, kind="odd"):
        """A task whose author chose a type that has no TOML form here."""

        sizes: tuple[int, ...] = ()
        """Some sizes."""

    with pytest.raises(TypeError, match=r"task\.sizes"):
        describe(OddConfig)


def test_the_public_names_exist_and_are_sorted() -> None:
    assert trm_engine.config.__all__ == sorted(trm_engine.config.__all__)
    assert all(hasattr(trm_engine.config, name) for name in trm_engine.config.__all__)


def test_importing_configuration_loads_nothing_heavy() -> None:
    code = "import sys, trm_engine.config; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "numpy", "typer", "rich", "textual"} & set(loaded)
