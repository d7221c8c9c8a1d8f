"""Solving over HTTP: one answer, a stream of steps, the cache, and what is said of models and puzzles."""

from __future__ import annotations

import pytest

from tests.serving import PUZZLE, SOLUTION, Oracle, sudoku_store
from tests.trm_tui.server.conftest import Served, events_of, running
from trm_engine.sessions import Store


def solve(served: Served, **body):
    return served.client.post("/api/solve", json={"puzzle": PUZZLE, **body})


def test_a_puzzle_is_solved(served: Served) -> None:
    found = solve(served, truth=SOLUTION, max_steps=7).json()
    assert found["answer"] == SOLUTION
    assert (found["status"], found["ended"], found["steps_used"]) == ("solved", "checked", 3)
    assert found["compared"]["exact"] is True
    assert [step["step"] for step in found["steps"]] == [1, 2, 3]
    assert found["faults"] == []
    assert found["grid"][0] == [1, 3, 2, 4]
    assert found["cached"] is False
    assert found["milliseconds"] > 0
    assert len(found["confidence"]) == 4


def test_an_answer_that_breaks_rules_says_which(served: Served) -> None:
    found = solve(served, until="all", max_steps=1, views=0).json()
    assert found["status"] == "wrong"
    assert found["faults"]
    assert all(set(fault) == {"cells", "reason"} for fault in found["faults"])
    assert any(fault["cells"] for fault in found["faults"])


def test_a_grid_is_as_good_as_text_and_the_answer_comes_from_the_cache(served: Served) -> None:
    grid = [[1, 0, 0, 4], [0, 0, 0, 0], [0, 0, 4, 0], [0, 2, 3, 0]]
    solve(served, max_steps=6)
    again = served.client.post("/api/solve", json={"grid": grid, "max_steps": 6}).json()
    assert again["cached"] is True
    assert again["answer"] == SOLUTION
    other = served.client.post("/api/solve", json={"grid": grid, "max_steps": 5}).json()
    assert other["cached"] is False


def test_steps_can_be_left_out(served: Served) -> None:
    assert "steps" not in solve(served, steps=False).json()


@pytest.mark.parametrize("cached", [False, True])
def test_a_stream_tells_of_every_step(served: Served, cached: bool) -> None:
    body = {"puzzle": PUZZLE, "stream": True, "until": "all", "max_steps": 4 + cached, "views": 0}
    if cached:
        served.client.post("/api/solve", json={**body, "stream": False})
    with served.client.stream("POST", "/api/solve", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = list(events_of(response))
    names = [name for name, _ in events]
    assert names == ["accepted", *["step"] * (4 + cached), "done"]
    assert events[0][1]["question"][0] == ["1", ".", ".", "4"]
    assert events[-1][1]["cached"] is cached


def test_views_are_told_in_the_stream(tmp_path) -> None:
    def oracle(config):
        return Oracle(config, at=1, lost=lambda puzzle: list(puzzle[:2]) == [2, 1])

    with running(sudoku_store(tmp_path), oracle) as served:
        body = {"puzzle": PUZZLE, "stream": True, "max_steps": 2, "views": 6}
        with served.client.stream("POST", "/api/solve", json=body) as response:
            events = list(events_of(response))
    assert "view" in [name for name, _ in events]
    assert events[-1][1]["solved"]
    assert events[-1][1]["views_used"] >= 2


def test_invocations_are_answered_as_solve_is(served: Served) -> None:
    assert served.client.post("/invocations", json={"puzzle": PUZZLE}).json()["answer"] == SOLUTION
    assert served.client.get("/ping").status_code == 200


def test_the_model_is_chosen_by_the_puzzle_or_named(served: Served) -> None:
    assert served.client.post("/api/solve", json={"puzzle": "." * 36}).json()["title"] == "sudoku-6"
    assert solve(served, model="sudoku-4").json()["title"] == "sudoku-4"
    wrong = solve(served, model="sudoku-6")
    assert wrong.status_code == 422
    assert "16 cells" in wrong.json()["error"]["message"]


def test_models_are_listed_and_described(served: Served) -> None:
    models = served.client.get("/api/models").json()["models"]
    assert {one["title"] for one in models} == {"sudoku-4", "sudoku-6"}
    info = served.client.get("/api/model-info", params={"model": "sudoku-4"}).json()
    assert info["architecture"]["hidden_size"] == 8
    assert info["accuracy"] == 0.9
    assert info["loaded"] is True
    assert len(info["weights"]) == 64


def test_health_tells_what_is_loaded(served: Served) -> None:
    solve(served)
    for path in ("/health", "/api/health"):
        found = served.client.get(path).json()
        assert (found["status"], found["model_loaded"], found["device"]) == ("ok", True, "cpu")
    assert served.client.get("/health", params={"ready": "1"}).status_code == 200


def test_figures_for_prometheus(served: Served) -> None:
    solve(served)
    text = served.client.get("/metrics").text
    assert "# TYPE trm_answers_total counter" in text
    assert 'trm_http_responses_total{status="200"}' in text
    for line in text.splitlines():
        assert line.startswith(("#", "trm_"))


def test_held_out_puzzles_come_with_their_solutions(served: Served) -> None:
    found = served.client.get("/api/examples", params={"model": "sudoku-4", "n": 3}).json()["examples"]
    assert len(found) == 3
    one = served.client.get("/api/task/2", params={"model": "sudoku-4"}).json()
    assert one["puzzle"] == found[2]["puzzle"]
    answer = served.client.post("/api/solve", json={"puzzle": one["puzzle"], "truth": one["solution"]}).json()
    assert answer["compared"]["exact"]
    assert served.client.get("/api/task/99999").status_code == 404
    assert served.client.get("/api/task/00d62c1b").json()["error"]["code"] == "no_such_puzzle"


def test_there_are_examples_without_a_model(tmp_path) -> None:
    with running(Store(tmp_path)) as served:
        found = served.client.get("/api/examples").json()
        assert {"sudoku", "maze", "arc", "futoshiki", "light-up"} == set(found["kinds"])
        refused = served.client.post("/api/solve", json={"puzzle": PUZZLE})
        assert refused.status_code == 404
        assert refused.json()["error"]["code"] == "no_model"
        assert "trm-tui run" in refused.json()["error"]["hint"]
        assert "trm-tui run" in served.client.get("/api/models").json()["hint"]


@pytest.mark.parametrize(
    ("puzzle", "readable", "solutions"),
    [
        (PUZZLE, True, None),
        (SOLUTION, True, 1),
        ("." * 16, True, 2),
        ("11" + "." * 14, False, None),
        ("1x", False, None),
        ("S.#.\n..G.", True, 2),
        ("S#\n#G", False, None),
    ],
)
def test_a_puzzle_is_validated(served: Served, puzzle: str, readable: bool, solutions: int | None) -> None:
    found = served.client.post("/api/validate", json={"puzzle": puzzle}).json()
    assert found["readable"] is readable
    assert found["reason"]
    if solutions is not None:
        assert found["solutions"] == solutions


def test_an_answer_is_judged(served: Served) -> None:
    body = {"puzzle": PUZZLE, "answer": SOLUTION}
    assert served.client.post("/api/validate", json=body).json()["answer"]["solved"]
    wrong = {"puzzle": "." * 16, "answer": SOLUTION[:-1] + "."}
    judged = served.client.post("/api/validate", json=wrong).json()["answer"]
    assert not judged["solved"]
    assert judged["faults"]


def test_sessions_and_their_curves(served: Served) -> None:
    listed = served.client.get("/api/sessions").json()["sessions"]
    assert len(listed) == 2
    curve = served.client.get(f"/api/sessions/{listed[0]['id']}/curve").json()
    assert curve["steps"] == []
    assert curve["going"] is False
    with served.client.stream("GET", f"/api/sessions/{listed[0]['id']}/events") as response:
        assert [name for name, _ in events_of(response)] == ["end"]
    assert served.client.get("/api/sessions/nothing/events").status_code == 404


def test_the_description_names_every_address(served: Served) -> None:
    paths = served.client.get("/openapi.json").json()["paths"]
    for path in ("/health", "/api/solve", "/api/batch", "/api/validate", "/api/models", "/api/model-info"):
        assert path in paths
    body = served.client.get("/openapi.json").json()["components"]["schemas"]["SolveBody"]
    assert body["examples"]
