"""The one writer of JSON: any reader takes it, and it drives no terminal."""

from __future__ import annotations

import json
import math

import pytest

from trm_engine.json_text import to_json


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("nested", [lambda v: v, lambda v: [v], lambda v: {"a": ({"b": v},)}])
def test_numbers_that_are_none_become_null(value: float, nested) -> None:
    assert json.loads(to_json(nested(value))) == json.loads(json.dumps(nested(None)))


@pytest.mark.parametrize("sign", ["\x1b", "\x7f", "\x9b", "\x85", "\u202e", "\u2066", "\u2028", "\ud800"])
def test_what_drives_a_terminal_is_escaped(sign: str) -> None:
    text = to_json({f"a{sign}": f"b{sign}"})
    assert sign not in text
    assert json.loads(text) == {f"a{sign}": f"b{sign}"}
    text.encode("utf-8")


def test_other_characters_stand_as_they_are() -> None:
    assert to_json({"größe": "4×4 ≤ π"}) == '{"größe": "4×4 ≤ π"}'
    assert to_json("4×4", ascii_only=True) == '"4\\u00d74"'
