"""A real server on a free port of the loopback, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.serving import Oracle, add_session, service_of, small_config, sudoku_store
from trm_engine.hardware import Hardware
from trm_engine.serving.service import Service
from trm_engine.sessions import Store
from trm_tui.gateway.models.registry import Registry
from trm_tui.gateway.opening import open_gateway
from trm_tui.server.app import create_app
from trm_tui.server.launch import build_server, listen
from trm_tui.server.settings import Limits, ServerSettings


@dataclass
class Served:
    """A server that runs, and a client of it."""

    port: int
    client: httpx2.Client
    service: Service
    settings: ServerSettings
    stop: Callable[[], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def raw(self, data: bytes, *, seconds: float = 10.0) -> bytes:
        """Send bytes as they are and return everything that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as link:
            link.sendall(data)
            answer = b""
            try:
                while chunk := link.recv(65536):
                    answer += chunk
            except (ConnectionResetError, TimeoutError):
                pass
            return answer


@contextmanager
def running(
    store: Store,
    oracle=Oracle,
    *,
    service: Service | None = None,
    registry: Registry | None = None,
    docs: Path | None = None,
    **settings,
) -> Iterator[Served]:
    chosen = ServerSettings(port=0, **settings)
    service = service or service_of(store, oracle, most_open=chosen.limits.open_questions)
    bound = listen(chosen)
    ready = threading.Event()
    gateway = open_gateway(service, registry=registry, docs=docs, machine=Hardware)
    server = build_server(create_app(service, chosen, gateway), chosen, ready.set)
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
    thread.start()
    assert ready.wait(30)
    port = bound.getsockname()[1]

    def stop() -> None:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()

    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            yield Served(port, client, service, chosen, stop)
        finally:
            stop()
            bound.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a 4×4 and a 6×6 model, each of which solves at its third step."""
    store = sudoku_store(tmp_path_factory.mktemp("sessions"), (2, 2), (2, 3))
    with running(store, limits=Limits(requests_per_second=10_000)) as found:
        yield found


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[tuple[Served, threading.Semaphore, list[Oracle]]]:
    """A server whose model takes a step only when the gate is released."""
    gate = threading.Semaphore(0)
    made: list[Oracle] = []

    def oracle(config) -> Oracle:
        made.append(Oracle(config, at=999, gate=gate))
        return made[-1]

    with running(sudoku_store(tmp_path), oracle) as found:
        yield found, gate, made
        gate.release(100_000)


def events_of(response) -> Iterator[tuple[str, dict]]:
    """Yield the server-sent events of a streamed response."""
    import json

    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a good 4×4 model and a 6×6 model that solves only what begins with a clue."""

    def oracle(config) -> Oracle:
        return Oracle(config, at=3, lost=lambda puzzle: len(puzzle) == 36)

    store = sudoku_store(tmp_path_factory.mktemp("sessions"))
    add_session(store, small_config(2, 3), name="sudoku-6", score=0.5)
    with running(store, oracle, limits=Limits(requests_per_second=10_000)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A browser; imported here, so that tests without one run where there is none."""
    from tests.trm_tui.server.browser import launched

    with launched() as found:
        yield found


@pytest.fixture
def watched(browser, site: Served) -> Iterator:
    """The page, which must neither complain nor ask anybody else."""
    from tests.trm_tui.server.browser import Watched

    found = Watched(browser, site)
    yield found
    found.close()


@pytest.fixture
def page(watched):
    return watched.page
