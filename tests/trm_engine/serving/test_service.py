"""Models that are found, loaded, chosen, replaced and dropped; and a queue that has an end."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest

from tests.serving import (
    PUZZLE,
    SOLUTION,
    Oracle,
    add_session,
    residents_of,
    save,
    service_of,
    small_config,
    sudoku_store,
)
from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.serving.answers import answer_json
from trm_engine.serving.catalogue import Catalogue, Named
from trm_engine.serving.neighbours import Neighbours
from trm_engine.serving.puzzles import Asked, question_of
from trm_engine.serving.service import BusyError, NoModelError, Service
from trm_engine.serving.solving import Done, Effort, Failed
from trm_engine.sessions import Store

FOUR, SIX = Asked(text=PUZZLE), Asked(text="." * 36)


@pytest.fixture
def closing():
    services: list[Service] = []
    yield services.append
    for service in services:
        service.residents.close(5)


def test_only_puzzle_sessions_with_a_checkpoint_are_served(tmp_path: Path) -> None:
    store = sudoku_store(tmp_path)
    store.create("[task]\nkind = 'sudoku'\n", preset="empty").close()
    store.create("[task]\nkind = 'text'\ndata = 'x'\n[model]\narchitecture='text'\n", preset="text").close()
    assert [served.title for served in Catalogue(store).list()] == ["sudoku-4"]


def test_a_choice_does_not_read_the_folder_at_every_question(tmp_path: Path) -> None:
    store, now = sudoku_store(tmp_path), [0.0]
    catalogue = Catalogue(store, clock=lambda: now[0])
    assert len(catalogue.recent()) == 1
    add_session(store, small_config(2, 3), name="new")
    assert (len(catalogue.recent()), len(catalogue.list())) == (1, 2)
    now[0] = 2.5
    assert len(catalogue.recent()) == 2


def test_a_session_named_is_the_only_one_served(tmp_path: Path) -> None:
    store = sudoku_store(tmp_path, (2, 2), (2, 3))
    catalogue = Catalogue(store, [Named.parse("sudoku-6:5")])
    assert [served.title for served in catalogue.list()] == ["sudoku-6"]
    with pytest.raises(SessionError, match="not one of those"):
        catalogue.get("sudoku-4")
    with pytest.raises(SessionError):
        Catalogue(store, [Named.parse("nothing")])


def test_auto_takes_the_best_model_that_reads_the_puzzle(tmp_path: Path, closing) -> None:
    store = Store(tmp_path)
    add_session(store, small_config(), name="poor", score=0.2)
    good = add_session(store, small_config(), name="good", score=0.8)
    add_session(store, small_config(2, 3), name="other", score=0.99)
    service = service_of(store)
    closing(service)
    assert service.choose("auto", FOUR).served.session == good
    assert service.choose("auto", SIX).served.title == "other"
    with pytest.raises(UsageError, match="cells"):
        service.choose("auto", Asked(text="123"))


def test_without_a_model_it_says_so(tmp_path: Path, closing) -> None:
    service = service_of(Store(tmp_path))
    closing(service)
    with pytest.raises(NoModelError):
        service.choose("auto", FOUR)
    with pytest.raises(SessionError):
        service.choose("20200101-000000-x-abcd", FOUR)


def test_a_better_checkpoint_is_served_once_there_is_one(tmp_path: Path) -> None:
    store, now = Store(tmp_path), [0.0]
    session = add_session(store, small_config(), score=0.5)
    residents = residents_of(store, clock=lambda: now[0])
    first = residents.get(session)
    with store.open(session) as opened:
        save(opened, small_config(), 9, 0.9)
    assert residents.get(session) is first  # looked a moment ago
    now[0] = 10.0
    second = residents.get(session)
    assert (first.trained.step, second.trained.step) == (5, 9)
    first.batcher.join(10)
    assert residents.held() == [second]
    residents.close(5)


def test_the_least_recently_used_model_goes_when_memory_is_short(tmp_path: Path) -> None:
    store, now = sudoku_store(tmp_path, (2, 2), (2, 3), (3, 3)), [0.0]
    told: list = []
    one = residents_of(store).get("sudoku-4").bytes
    residents = residents_of(store, budget=2 * one + 100, clock=lambda: now[0], tell=told.append)
    for name in ("sudoku-4", "sudoku-6", "sudoku-9"):
        now[0] += 5
        residents.get(name)
    assert [resident.served.title for resident in residents.held()] == ["sudoku-6", "sudoku-9"]
    assert [decision.choice for decision in told] == ["unloaded"]
    now[0] += 100
    residents.drop_idle(50)
    assert residents.held() == []
    with pytest.raises(ResourceError, match="let models have more memory"):
        residents_of(store, budget=10).get("sudoku-4")
    residents.close(5)


def test_the_queue_has_an_end(tmp_path: Path, closing) -> None:
    gate = threading.Semaphore(0)
    service = service_of(sudoku_store(tmp_path), lambda config: Oracle(config, gate=gate), most_open=3)
    closing(service)
    resident = service.choose("auto", FOUR)
    question = question_of(resident.task, FOUR)
    told: queue.Queue = queue.Queue()
    jobs = [service.ask(resident, question, Effort(), told.put) for _ in range(3)]
    with pytest.raises(BusyError) as busy:
        service.ask(resident, question, Effort(), told.put)
    assert busy.value.retry_after >= 1
    service.abandon(jobs[0])
    service.abandon(jobs[0])  # a second time means nothing
    assert service.open == 2
    gate.release(100)
    ends = 0
    while ends < 2:
        ends += isinstance(told.get(timeout=30), (Done, Failed))
    assert (service.open, service.answered, service.cancelled) == (0, 2, 1)


def test_an_answer_as_json(tmp_path: Path, closing) -> None:
    service = service_of(sudoku_store(tmp_path))
    closing(service)
    asked = Asked(text=PUZZLE, truth=SOLUTION)
    resident = service.choose("auto", asked)
    told: queue.Queue = queue.Queue()
    service.ask(resident, question_of(resident.task, asked), Effort("checked", 8), told.put)
    end = told.get(timeout=30)
    while not isinstance(end, (Done, Failed)):
        end = told.get(timeout=30)
    found = answer_json(resident, end.answer, steps=True)
    assert found["status"] == "solved"
    assert found["grid"] == [[1, 3, 2, 4], [2, 4, 1, 3], [3, 1, 4, 2], [4, 2, 3, 1]]
    assert found["compared"] == {"right": 11, "of": 11, "exact": True, "wrong": []}
    assert found["steps"][0]["changed"] == []
    assert len(found["confidence"]) == 4


def test_beside_a_run_one_thread_computes(tmp_path: Path) -> None:
    store, now = sudoku_store(tmp_path), [0.0]
    neighbours = Neighbours(store, 4, clock=lambda: now[0])
    assert neighbours.threads() == 4
    with store.open("sudoku-4") as session:
        session.update(status="running")
        assert neighbours.threads() == 4  # looked a moment ago
        now[0] = 60.0
        assert neighbours.threads() == 1
    now[0] = 120.0
    assert neighbours.threads() == 4
