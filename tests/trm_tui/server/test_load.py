"""Many clients at once: the same answers as alone, shared steps, a bounded queue, and memory that stays."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest

from tests.program import TINY, told
from tests.serving import Oracle, sudoku_store
from tests.trm_tui.server.conftest import Served, running
from trm_engine.inference import verified
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.sessions import Store
from trm_tui.server.settings import Limits

FREE = Limits(requests_per_second=1e6)


def held_out(served: Served, model: str, count: int) -> list[dict]:
    parts = [served.client.get(f"/api/task/{n}", params={"model": model}).json() for n in range(count)]
    assert all("puzzle" in part for part in parts)
    return parts


async def crowd(served: Served, bodies: list[dict], clients: int) -> tuple[list[dict], list[float]]:
    """Send all bodies from so many clients at once; return the answers in order, and seconds each took."""
    answers: list[dict] = [{}] * len(bodies)
    seconds: list[float] = []
    numbers = iter(range(len(bodies)))

    async def one() -> None:
        async with httpx2.AsyncClient(base_url=served.url, timeout=120) as client:
            for number in numbers:
                began = time.perf_counter()
                response = await client.post("/api/solve", json=bodies[number])
                while response.status_code == 429:
                    await asyncio.sleep(0.05)
                    response = await client.post("/api/solve", json=bodies[number])
                seconds.append(time.perf_counter() - began)
                assert response.status_code == 200, response.text
                answers[number] = response.json()

    await asyncio.gather(*(one() for _ in range(clients)))
    return answers, seconds


def same_answers(folder: Path, session: str, crowds: list[int]) -> None:
    """Demand the grids that refinement alone computes, and the exact accuracy that `eval` prints.

    Puzzles are asked one by one, from crowds of clients, and as one batch.
    """
    store = Store(folder / "sessions")
    model = load(store, session, "best", expect=PuzzleModel)
    task = model.task()
    examples = task.test.head(500)
    wanted = [
        task.line([*model.refine(puzzle, max_steps=model.config.eval_steps)][-1].answer)
        for puzzle in examples.inputs
    ]
    measured = told(folder, "sessions", "eval", session, "--checkpoint", "best", "--json")[-1]
    asked = {"until": "all", "views": 0, "model": session}
    lines = [(task.line(a), task.line(b)) for a, b in zip(examples.inputs, examples.labels, strict=True)]
    for clients in crowds:
        with running(store, None, limits=FREE, cache_bytes=0) as served:
            bodies = [{"puzzle": puzzle, "truth": truth, **asked} for puzzle, truth in lines]
            answers, _ = asyncio.run(crowd(served, bodies, clients))
        assert [answer["answer"] for answer in answers] == wanted
        exact = float(np.mean([answer["compared"]["exact"] for answer in answers]))
        assert exact == pytest.approx(measured["exact_accuracy"])
    with running(store, None, limits=FREE, cache_bytes=0) as served:
        batch = served.client.post(
            "/api/batch", json={"puzzles": [puzzle for puzzle, _ in lines], **asked}, timeout=600
        ).json()
    assert [row["answer"] for row in batch["rows"]] == wanted


def test_answers_are_those_of_eval_alone_and_in_a_crowd(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    session = told(tmp_path, "sessions", "run", "tiny.toml")[-1]["session"]
    same_answers(tmp_path, session, [1, 8])


@pytest.mark.torture
def test_five_hundred_answers_are_those_of_eval(tmp_path: Path) -> None:
    session = told(tmp_path, "sessions", "run", "sudoku-6x6", "--steps", "300")[-1]["session"]
    same_answers(tmp_path, session, [1, 50])


@pytest.mark.torture
def test_five_hundred_outcomes_are_those_of_eval_with_views(tmp_path: Path) -> None:
    """With default settings the server solves what `eval --views` proves, in as many looks and steps."""
    session = told(tmp_path, "sessions", "run", "sudoku-6x6", "--steps", "300")[-1]["session"]
    store = Store(tmp_path / "sessions")
    model = load(store, session, "best", expect=PuzzleModel)
    task = model.task()
    rows = task.test.head(500)
    solved = verified.solve(model.network, task, rows.inputs, rows.puzzle_ids, model.looking(), batch_size=64)
    wanted = {outcome.puzzle: outcome for outcome in solved}
    with running(store, None, limits=FREE, cache_bytes=0) as served:
        bodies = [{"puzzle": task.line(row), "model": session} for row in rows.inputs]
        answers, _ = asyncio.run(crowd(served, bodies, 50))
    for number, answer in enumerate(answers):
        outcome = wanted[number]
        assert answer["answer"] == task.line(outcome.answer)
        assert (answer["solved"], answer["views_used"], answer["steps_used"]) == (
            outcome.proven,
            outcome.looks,
            outcome.steps,
        )


def test_those_who_come_together_share_steps(tmp_path: Path) -> None:
    made: list[Oracle] = []

    def oracle(config) -> Oracle:
        made.append(Oracle(config, at=999))
        return made[-1]

    with running(sudoku_store(tmp_path), oracle, limits=FREE, cache_bytes=0) as served:
        puzzles = [one["puzzle"] for one in held_out(served, "sudoku-4", 12)]
        bodies = [{"puzzle": puzzle, "until": "all", "max_steps": 40, "views": 0} for puzzle in puzzles * 3]
        answers, _ = asyncio.run(crowd(served, bodies, 36))
        assert all(answer["steps_used"] == 40 for answer in answers)
        batcher = served.service.residents.held()[0].batcher
        assert batcher.rows_run == 36 * 40
        assert batcher.steps_run < batcher.rows_run / 2


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    import threading

    gate = threading.Semaphore(0)
    limits = Limits(requests_per_second=1e6, open_questions=4)
    with running(sudoku_store(tmp_path), lambda config: Oracle(config, gate=gate), limits=limits) as served:
        from tests.trm_tui.server.test_cancelling import ask, until

        links = [ask(served, max_steps=90 + number) for number in range(4)]
        until(lambda: served.service.open == 4)
        refused = served.client.post("/api/solve", json={"puzzle": "." * 16, "max_steps": 7})
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "busy"
        assert int(refused.headers["retry-after"]) >= 1
        assert served.client.get("/health").status_code == 200
        for link in links:
            link.close()
        until(lambda: served.service.open == 0)
        gate.release(100_000)


@pytest.mark.torture
def test_fifty_clients_for_a_minute(tmp_path: Path) -> None:
    """50 clients, 60 s, no error but 429; p95 at most half of, and throughput 2.5 times, one at a time."""
    store, session = trained(tmp_path)
    with running(store, None, limits=FREE, cache_bytes=0) as served:
        puzzles = [one["puzzle"] for one in held_out(served, session, 200)]
        bodies = [{"puzzle": puzzle, "until": "all", "views": 0, "steps": False} for puzzle in puzzles]
        joined = measure(served, bodies, 50, 60.0)
    serial_limits = Limits(requests_per_second=1e6, open_questions=1)
    with running(store, None, limits=serial_limits, cache_bytes=0) as served:
        serial = measure(served, bodies, 50, 30.0)
    told_figures = {"joined": joined, "serial": serial}
    print(json.dumps(told_figures))  # noqa: T201
    assert joined["per_second"] >= 2.5 * serial["per_second"], told_figures
    assert joined["p95"] <= 0.5 * serial["p95"], told_figures


@pytest.mark.torture
def test_memory_is_flat_over_ten_thousand_requests(tmp_path: Path) -> None:
    with running(sudoku_store(tmp_path), limits=FREE) as served:
        puzzles = [one["puzzle"] for one in held_out(served, "sudoku-4", 12)]

        def some(number: int) -> list[dict]:
            return [{"puzzle": p, "max_steps": 8 + n % 100} for n in range(number // 12) for p in puzzles]

        asyncio.run(crowd(served, some(2000), 16))
        before = psutil.Process().memory_info().rss
        for _ in range(5):
            asyncio.run(crowd(served, some(2000), 16))
        grown = psutil.Process().memory_info().rss - before
    assert grown < 40_000_000, f"{grown:,} bytes more than after the first 2000"


def trained(folder: Path) -> tuple[Store, str]:
    """Return a store with sudoku-6x6, trained a little: what it answers does not matter here."""
    session = told(folder, "sessions", "run", "sudoku-6x6", "--steps", "20")[-1]["session"]
    return Store(folder / "sessions"), str(session)


def measure(served: Served, bodies: list[dict], clients: int, seconds: float) -> dict[str, float]:
    """Ask for so long; return answers a second, and the 95th percentile of seconds for one, with retries."""
    end, done, took = time.monotonic() + seconds, 0, []

    async def one(first: int) -> None:
        nonlocal done
        number = first
        async with httpx2.AsyncClient(base_url=served.url, timeout=120) as client:
            while time.monotonic() < end:
                began = time.perf_counter()
                response = await client.post("/api/solve", json=bodies[number % len(bodies)])
                while response.status_code == 429:
                    await asyncio.sleep(0.005)
                    response = await client.post("/api/solve", json=bodies[number % len(bodies)])
                assert response.status_code == 200, response.text
                took.append(time.perf_counter() - began)
                done += 1
                number += clients

    async def everyone() -> None:
        await asyncio.gather(*(one(number) for number in range(clients)))

    asyncio.run(everyone())
    return {"per_second": done / seconds, "p95": float(np.quantile(took, 0.95)), "answers": done}
