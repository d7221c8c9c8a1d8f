"""Requests made from the API's own description: no server error, and the server stays well."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from tests.serving import PUZZLE, sudoku_store
from tests.trm_tui.server.conftest import Served, running
from trm_tui.server.settings import Limits

_STREAMS = ("/api/sessions/{session_id}/events",)


def attack(served: Served, examples: int) -> int:
    """Send generated requests, valid and invalid, to every address; return how many were sent."""
    schema = schemathesis.openapi.from_dict(served.client.get("/openapi.json").json())
    sent = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in _STREAMS:
            continue  # a session that runs would keep it open
        for mode in schemathesis.GenerationMode:
            sent += _requests(served, operation, mode, examples)
    return sent


def _requests(served: Served, operation, mode, examples: int) -> int:
    sent = 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def one(case) -> None:
        nonlocal sent
        response = case.call(base_url=served.url, timeout=60)
        sent += 1
        assert response.status_code < 500 or response.json()["error"]["code"] == "closing", response.text
        if response.status_code >= 400 and response.content:
            assert set(response.json()["error"]) <= {"code", "message", "hint", "remedies"}

    # An address without parameters has no unsound requests.
    with warnings.catch_warnings(), suppress(Unsatisfiable):
        warnings.simplefilter("ignore")  # what a generator of requests warns of is not the server's
        one()
    return sent


@pytest.fixture
def target(tmp_path: Path):
    limits = Limits(requests_per_second=1e6, batch_puzzles=20, solve_seconds=5)
    with running(sudoku_store(tmp_path, (2, 2), (2, 3)), limits=limits, allow_training=False) as served:
        yield served
        assert served.client.get("/health", params={"ready": "1"}).status_code == 200
        assert served.client.post("/api/solve", json={"puzzle": PUZZLE}).json()["solved"]


def test_a_few_requests_of_every_kind(target: Served) -> None:
    assert attack(target, 5) > 80


@pytest.mark.torture
def test_thousands_of_requests(target: Served) -> None:
    assert attack(target, 150) > 2500
