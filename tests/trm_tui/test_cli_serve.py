"""What `serve` refuses before it listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7"])
def test_an_open_server_others_can_reach_is_refused(trm: Trm, host: str) -> None:
    done = trm("serve", "--host", host)
    assert done.code == 2
    assert "--token" in done.err
    assert "--insecure" in done.err


@pytest.mark.parametrize("token", ["short", "with a space", "ümläutümläut"])
def test_a_token_that_is_none_is_refused(trm: Trm, token: str) -> None:
    assert trm("serve", "--token", token).code == 2


def test_a_token_comes_from_one_place(trm: Trm, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert "empty" in trm("serve", "--token-file", "empty").err
    assert trm("serve", "--token-file", "missing").code == 2
    assert "not both" in trm("serve", "--token-file", "empty", "--token", "x" * 10).err


def test_a_port_that_is_taken_is_told(trm: Trm) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = trm("serve", "--port", taken.getsockname()[1])
    assert done.code == 2
    assert "--port" in done.err


def test_a_session_that_is_not_there_is_told(trm: Trm) -> None:
    assert trm("serve", "nothing").code == 3


def test_a_checkpoint_path_that_is_none_is_told(trm: Trm, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TRM_CHECKPOINT_PATH", str(tmp_path))
    assert "neither a session" in trm("serve").err
    (tmp_path / "file.pt").write_bytes(b"nothing")
    monkeypatch.setenv("TRM_CHECKPOINT_PATH", str(tmp_path / "file.pt"))
    assert trm("serve").code == 2


def test_without_the_extra_it_says_what_to_install(trm: Trm, monkeypatch: pytest.MonkeyPatch) -> None:
    from trm_tui.cli import serve

    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    done = trm("serve")
    assert done.code == 2
    assert 'pip install "trm-tui[serve]"' in done.err
