"""A server that is stopped ends within seconds, whatever is open, and says no word of Python."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.serving import PUZZLE, sudoku_store
from tests.trm_tui.server.test_cancelling import ask, until
from trm_tui.server.settings import Limits


@pytest.fixture
def program(tmp_path: Path):
    """Start `trm-tui serve` and return the process and its port."""
    begun: list[subprocess.Popen] = []

    def start(*words: str, **environment: str) -> tuple[subprocess.Popen, int, str]:
        command = [
            sys.executable,
            "-m",
            "trm_tui",
            "--sessions-dir",
            str(tmp_path / "sessions"),
            "serve",
            "--port",
            "0",
        ]
        process = subprocess.Popen(
            [*command, *words],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[3]),
                "OMP_NUM_THREADS": "1",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/(\S*)", line)
        assert found, line + process.communicate()[1]
        return process, int(found[1]), line

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_spite_of_open_connections(program, tmp_path: Path, sign: int) -> None:
    sudoku_store(tmp_path / "sessions")
    process, port, line = program()
    assert "serving 1 model at" in line
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert client.post("/api/solve", json={"puzzle": PUZZLE}).status_code == 200
        session = client.get("/api/sessions").json()["sessions"][0]["id"]
    idle = socket.create_connection(("127.0.0.1", port))
    stream = socket.create_connection(("127.0.0.1", port))
    stream.sendall(f"GET /api/sessions/{session}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b"200" in stream.recv(1024)
    process.send_signal(sign)
    _, errors = process.communicate(timeout=10)
    assert process.returncode in (0, 128 + sign, -sign)
    assert "Traceback" not in errors
    idle.close()
    stream.close()


def test_without_a_model_it_says_how_to_make_one(program) -> None:
    process, port, line = program()
    assert "serving 0 models" in line
    assert httpx2.get(f"http://127.0.0.1:{port}/health").json()["model_loaded"] is False
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert "run sudoku-4x4" in errors


def test_a_checkpoint_is_served_by_its_path(program, tmp_path: Path) -> None:
    store = sudoku_store(tmp_path / "elsewhere")
    session = store.list()[0].id
    path = tmp_path / "elsewhere" / session / "checkpoints" / "000000005"
    assert path.is_dir()
    _, port, line = program(TRM_CHECKPOINT_PATH=str(path))
    assert "serving 1 model" in line
    models = httpx2.get(f"http://127.0.0.1:{port}/api/models").json()["models"]
    assert [one["id"] for one in models] == [session]


def test_a_drawn_token_is_in_the_address_it_prints(program, tmp_path: Path) -> None:
    sudoku_store(tmp_path / "sessions")
    _, port, line = program("--token", "auto")
    token = re.search(r"#token=(\S+)", line)
    assert token
    url = f"http://127.0.0.1:{port}/api/models"
    assert httpx2.get(url).status_code == 401
    assert httpx2.get(url, headers={"authorization": f"Bearer {token[1]}"}).status_code == 200


def test_answers_under_way_are_told_that_the_server_ends(tmp_path: Path) -> None:
    import threading

    from tests.serving import Oracle
    from tests.trm_tui.server.conftest import running

    gate = threading.Semaphore(0)
    limits = Limits(grace_seconds=0.2)
    store = sudoku_store(tmp_path)
    with running(store, lambda config: Oracle(config, gate=gate), limits=limits) as served:
        link = ask(served, stream=True)
        until(lambda: served.service.open == 1)
        stopping = threading.Thread(target=served.stop)
        stopping.start()
        link.settimeout(20)
        text = b""
        # The step under way ends when the gate lets it; its row then fails, because the server is ending.
        (resident,) = served.service.residents.held()
        until(lambda: resident.batcher.closed)
        gate.release(5)
        while chunk := link.recv(65536):
            text += chunk
        link.close()
        stopping.join(20)
        assert not stopping.is_alive()
    assert b"event: error" in text
    assert b'"closing"' in text
