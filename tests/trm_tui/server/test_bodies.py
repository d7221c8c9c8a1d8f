"""Bodies from nowhere: whatever is sent is answered, in the one form that errors have, and never with 5xx."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving import PUZZLE
from tests.trm_tui.server.conftest import Served

JSON = {"content-type": "application/json"}
NASTY = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "NaN": b'{"puzzle": NaN}',
    "NaN for steps": b'{"puzzle": "1", "max_steps": NaN}',
    "Infinity": b'{"puzzle": "1", "max_steps": Infinity}',
    "1e999": b'{"puzzle": "1", "max_steps": 1e999}',
    "a number of 5000 digits": b'{"puzzle": "1", "max_steps": ' + b"9" * 5000 + b"}",
    "a lone surrogate": b'{"puzzle": "\\ud800"}',
    "a surrogate as model": b'{"puzzle": "1", "model": "\\udfff"}',
    "a surrogate as field": b'{"\\ud800": 1}',
    "a surrogate in a task": b'{"task": {"train": "\\ud800", "test": []}}',
    "a surrogate in a grid": b'{"grid": [["\\ud800"]]}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep task": b'{"task": {"train": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
    "deep objects": b'{"task":' * 20_000 + b"1" + b"}" * 20_000,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no UTF-8": b'{"puzzle": "\xff\xfe"}',
    "UTF-16": '{"puzzle": "1"}'.encode("utf-16"),
    "twice the same field": b'{"puzzle": "1", "puzzle": "2"}',
    "half": b'{"puzzle": "1',
    "NUL": b'{"puzzle": "\\u0000"}',
    "escapes": b'{"puzzle": "\\u001b[31m\\u202e"}',
    "two puzzles": b'{"puzzle": "1", "grid": [[1]]}',
    "an unknown field": b'{"puzzle": "1", "path": "/etc/passwd"}',
    "a ragged grid": b'{"grid": [[1, 2], [3]]}',
    "a huge cell": b'{"grid": [[170]]}',
    "a boolean cell": b'{"grid": [[true]]}',
    "a float cell": b'{"grid": [[1.5]]}',
    "a wide grid": json.dumps({"grid": [[1] * 31]}).encode(),
    "a long puzzle": json.dumps({"puzzle": "1" * 20_001}).encode(),
    "steps below one": b'{"puzzle": "1", "max_steps": 0}',
    "steps as text": b'{"puzzle": "1", "max_steps": "3"}',
    "an until that is none": b'{"puzzle": "1", "until": "never"}',
    "an empty task": b'{"task": {}}',
    "a task without tests": b'{"task": {"train": [], "test": []}}',
    "a test that is not there": json.dumps(
        {"task": {"train": [{"input": [[1]], "output": [[1]]}], "test": [{"input": [[1]]}]}, "test": 99}
    ).encode(),
    "a message of surrogates": b'{"message": "\\ud800"}',
    "a history of a tool": b'{"message": "hi", "history": [{"role": "tool", "content": "x"}]}',
    "a temperature of NaN": b'{"message": "hi", "temperature": NaN, "messages": []}',
    "no message": b'{"message": "", "messages": []}',
    "a long message": json.dumps({"message": "1" * 100_001}).encode(),
    "parts of surrogates": b'{"messages": [{"role": "user", "content": [{"text": "\\ud800"}]}]}',
    "a truth that is none": json.dumps({"puzzle": PUZZLE, "truth": "?"}).encode(),
}
PATHS = ("/api/solve", "/api/validate", "/api/batch", "/invocations", "/api/chat", "/v1/chat/completions")


def sound(answer) -> None:
    """An answer below 500, and if it is an error, in the form that errors have."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["code"]
        assert error["message"]
        assert "\x1b" not in error["message"]
        assert len(error["message"]) <= 600


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_body_is_answered(served: Served, path: str, name: str) -> None:
    sound(served.client.post(path, content=NASTY[name], headers=JSON))


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00",
        b'"',
        b'a,"b\nc',
        b"puzzle\n" * 5000,
        b"," * 1000,
        b"\x00,\x00\n",
        b"puzzle," + b"x" * 200_000,
    ],
)
def test_a_nasty_list_is_answered(served: Served, text: bytes) -> None:
    sound(served.client.post("/api/batch", content=text, headers={"content-type": "text/csv"}))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_fields = st.dictionaries(
    st.sampled_from(
        ["puzzle", "grid", "task", "test", "model", "max_steps", "views", "until", "steps", "truth"]
    ),
    _json,
    max_size=5,
)
_quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_quick
@given(body=_fields | _json)
def test_any_json_is_answered(served: Served, body) -> None:
    sound(served.client.post("/api/solve", content=json.dumps(body).encode(), headers=JSON))


@_quick
@given(data=st.binary(max_size=200))
def test_any_bytes_are_answered(served: Served, data: bytes) -> None:
    sound(served.client.post("/api/validate", content=data, headers=JSON))


@_quick
@given(text=st.text(max_size=120))
def test_any_text_is_answered_as_a_puzzle(served: Served, text: str) -> None:
    body = json.dumps({"puzzle": text}).encode()
    sound(served.client.post("/api/validate", content=body, headers=JSON))


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", "not_found"),
        ("PUT", "/api/solve", "method_not_allowed"),
        ("GET", "/api/solve", "method_not_allowed"),
        ("GET", "/api/examples?n=0", "invalid"),
        ("GET", "/api/examples?n=x", "invalid"),
        ("GET", "/api/model-info?model=nothing", "no_such_model"),
        ("GET", "/api/sessions/nothing/curve", "no_such_model"),
        ("DELETE", "/api/solve/nothing", "no_such_question"),
        ("DELETE", "/api/batch/nothing", "no_such_batch"),
    ],
)
def test_every_error_has_a_code(served: Served, method: str, path: str, code: str) -> None:
    answer = served.client.request(method, path)
    sound(answer)
    assert answer.json()["error"]["code"] == code
