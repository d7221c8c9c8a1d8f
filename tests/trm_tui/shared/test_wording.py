"""Errors carry what would help as data; the command line words it as options and commands of its own."""

from __future__ import annotations

import json

import pytest

from trm_engine.config import Config, apply
from trm_engine.errors import ConfigError, FitError, UsageError
from trm_engine.remedies import Advice, ChangeSettings, FetchData, NameData, Remedy
from trm_tui.shared.wording import command_text, command_words

SMALLER = ChangeSettings((("train.micro_batch", "1"), ("eval.batch_size", "2")))


def test_each_alternative_is_a_line_of_options() -> None:
    error = FitError("too large", remedies=[SMALLER, ChangeSettings((("model.layers", "1"),))])
    assert command_text(error).splitlines() == [
        "too large",
        "try: --set train.micro_batch=1 --set eval.batch_size=2",
        "try: --set model.layers=1",
    ]


def test_data_are_named_or_fetched_by_commands() -> None:
    error = UsageError("plays is not here", remedies=[FetchData("plays", "1 MB"), NameData(what="your own")])
    assert command_text(error) == (
        "plays is not here; `trm-tui data fetch plays` downloads it (1 MB), "
        "or name your own with --set task.data=PATH"
    )


def test_the_engine_itself_names_no_option() -> None:
    error = UsageError("nothing there", remedies=[SMALLER, FetchData("plays"), NameData()])
    assert str(error) == (
        "nothing there; train.micro_batch = 1, eval.batch_size = 2, or download plays, "
        "or name data of your own in task.data"
    )


def test_settings_that_were_given_one_by_one_are_named_by_their_option() -> None:
    with pytest.raises(ConfigError) as caught:
        apply(Config.model_validate({"task": {"kind": "sudoku"}}), ["train.steps=0"])
    assert command_text(caught.value).startswith("--set: train.steps: ")
    assert str(caught.value).startswith("overrides: train.steps: ")


@pytest.mark.parametrize("remedy", [SMALLER, FetchData("plays", "1 MB"), NameData(), *Advice])
def test_every_remedy_is_json_with_a_code(remedy: Remedy) -> None:
    told = json.loads(json.dumps(remedy.to_dict()))
    assert told["code"] == remedy.code
    assert len(told) > 1 or isinstance(remedy, Advice)


@pytest.mark.parametrize("advice", Advice)
def test_every_advice_has_words_of_the_command_line(advice: Advice) -> None:
    assert command_words(advice) != str(advice)
    assert "--" in command_words(advice) or "trm-tui" in command_words(advice)


def test_an_error_is_an_object_with_its_remedies() -> None:
    told = UsageError("plays is not here", remedies=[FetchData("plays")]).to_dict()
    assert told == {
        "message": "plays is not here; download plays",
        "exit_code": 2,
        "remedies": [{"code": "fetch-data", "name": "plays"}],
    }
