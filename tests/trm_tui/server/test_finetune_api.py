"""Fine-tuning over HTTP: own puzzles, a child process, an ordinary session; and what is refused."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.program import TINY, told
from tests.serving import PUZZLE, SOLUTION
from tests.trm_tui.server.conftest import Served, events_of, running
from trm_engine.config import loads
from trm_engine.sessions import Store
from trm_engine.tasks import build_puzzles


@pytest.fixture
def parent(tmp_path: Path) -> Store:
    (tmp_path / "tiny.toml").write_text(TINY)
    told(tmp_path, "sessions", "run", "tiny.toml", "--name", "parent")
    return Store(tmp_path / "sessions")


def puzzles(count: int) -> str:
    task = build_puzzles(loads(TINY.replace("train_size = 40", "train_size = 60"), "tiny").task)
    rows = task.train.take(slice(0, count))
    lines = [f"{task.line(a)},{task.line(b)}" for a, b in zip(rows.inputs, rows.labels, strict=True)]
    return "\n".join(["puzzle,solution", *lines])


def wait(served: Served, run: str) -> dict:
    for _ in range(1200):
        found = served.client.get(f"/api/finetune/{run}").json()
        if not found["running"]:
            return found
        threading.Event().wait(0.1)
    raise AssertionError(found)


def test_a_session_learns_from_own_puzzles(parent: Store) -> None:
    with running(parent, None, allow_training=True) as served:
        body = {"session": "parent", "data": puzzles(25), "steps": 8}
        begun = served.client.post("/api/finetune", json=body)
        assert begun.status_code == 202, begun.text
        assert begun.json()["puzzles"] == 25
        second = served.client.post("/api/finetune", json=body)
        assert second.json()["error"]["code"] == "training_already"
        found = wait(served, begun.json()["id"])
        assert found["exit_code"] == 0, found
        session = parent.get(found["session"])
        assert session.record.parent.how == "finetuned"
        assert session.record.status == "completed"
        assert loads(session.config_text, "").train.lr == pytest.approx(loads(TINY, "").train.lr / 4)
        with served.client.stream("GET", f"/api/sessions/{found['session']}/events") as response:
            (name, curve), *_ = events_of(response)
        assert name == "end"
        assert curve["session"]["parent"].startswith(session.record.parent.session)
        answer = served.client.post("/api/solve", json={"puzzle": PUZZLE, "model": found["session"]})
        assert answer.json()["title"] == "parent taught"
        assert served.client.get("/api/finetune").json()["runs"][0]["id"] == found["id"]


def test_one_that_is_stopped_or_killed_can_be_resumed(parent: Store, tmp_path: Path) -> None:
    with running(parent, None, allow_training=True) as served:
        body = {"session": "parent", "data": puzzles(25), "steps": 90_000}
        run = served.client.post("/api/finetune", json=body).json()["id"]
        started = until_it_trains(served, run)
        served.client.delete(f"/api/finetune/{run}")
        found = wait(served, run)
        assert found["error"] is None
        assert parent.get(started).status == "stopped"
        again = served.client.post("/api/finetune", json=body).json()["id"]
        killed = until_it_trains(served, again)
        os.kill(served_child(served), signal.SIGKILL)
        wait(served, again)
    assert parent.get(killed).status == "interrupted"
    told(tmp_path, "sessions", "resume", killed, "--steps", "2")
    with running(parent, None) as served:  # a server that starts again lists it
        assert killed in [one["id"] for one in served.client.get("/api/models").json()["models"]]


def until_it_trains(served: Served, run: str) -> str:
    for _ in range(1200):
        found = served.client.get(f"/api/finetune/{run}").json()
        assert found["running"], found
        if "Step" in found["message"]:
            return found["session"]
        threading.Event().wait(0.05)
    raise AssertionError(found)


def served_child(served: Served) -> int:
    import psutil

    (child,) = [one for one in psutil.Process().children() if "--from" in one.cmdline()]
    return child.pid


def test_a_server_that_ends_saves_what_trains(parent: Store) -> None:
    with running(parent, None, allow_training=True) as served:
        body = {"session": "parent", "data": puzzles(25), "steps": 90_000}
        run = served.client.post("/api/finetune", json=body).json()["id"]
        session = until_it_trains(served, run)
    assert parent.get(session).status == "stopped"


def test_it_is_off_unless_allowed(served: Served) -> None:
    answer = served.client.post("/api/finetune", json={"session": "sudoku-4", "data": "x", "steps": 1})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "training_not_allowed"
    assert "--allow-training" in answer.json()["error"]["hint"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PUZZLE, "puzzle 1: it has no solution"),
        (f"{PUZZLE},1234341221434321", "puzzle 1: its solution is not one"),
        (f"{PUZZLE},{SOLUTION}\nx,y", "puzzle 2: "),
        (f"{PUZZLE},{SOLUTION}", "too few"),
        ("", "no puzzle"),
    ],
)
def test_puzzles_that_cannot_be_learned_from_are_refused(tmp_path: Path, data: str, said: str) -> None:
    from tests.serving import sudoku_store

    with running(sudoku_store(tmp_path), allow_training=True) as served:
        answer = served.client.post("/api/finetune", json={"session": "sudoku-4", "data": data, "steps": 1})
        assert answer.status_code == 422
        assert said in answer.json()["error"]["message"]
        assert not (tmp_path / ".finetune").exists()
