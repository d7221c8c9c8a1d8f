"""Errors of the engine as clients get them: a stable code, words, and remedies as data."""

from __future__ import annotations

import json

from trm_engine.errors import ResourceError, TrmError, UsageError
from trm_engine.remedies import Advice, ChangeSettings
from trm_tui.server.errors import api_error, error_response


def body(error: TrmError) -> dict:
    return json.loads(bytes(error_response(api_error(error)).body))["error"]


def test_remedies_go_along_as_data() -> None:
    told = body(UsageError("too wide", remedies=[ChangeSettings((("model.layers", "1"),))]))
    assert told["code"] == "unreadable_puzzle"
    assert told["remedies"] == [{"code": "change-settings", "settings": {"model.layers": "1"}}]


def test_what_only_who_runs_the_server_can_do_is_in_the_servers_words() -> None:
    told = body(ResourceError("four needs 3 GB", remedies=[Advice.GIVE_MODELS_MEMORY]))
    assert told["code"] == "no_room"
    assert told["message"] == "four needs 3 GB; start the server with a larger --memory"
    assert told["remedies"] == [{"code": "model-memory"}]


def test_without_remedies_there_is_no_list_of_them() -> None:
    assert body(UsageError("no puzzle")) == {"code": "unreadable_puzzle", "message": "no puzzle"}
