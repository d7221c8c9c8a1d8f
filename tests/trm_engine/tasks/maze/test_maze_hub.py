"""Mazes of the Hub: a file is checked against the Hub's checksum before it is trusted, and recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from tests.trm_engine.tasks.loopback_hub import COMMIT, REPO, LoopbackHub, serving
from trm_engine.errors import UsageError
from trm_engine.progress import silent
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.data import build_data

TRAIN = b"source,question,answer,rating\n,  S ##  G,ooSo##ooG,7\n"
TEST = b"source,question,answer,rating\n,S       G,S  o  ooG,5\n"
HUB_MAZES = MazeConfig(rows=3, cols=3, data=f"hub:{REPO}", train_size=1, test_size=1, min_path=3)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving(LoopbackHub({"train.csv": TRAIN, "test.csv": TEST})) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
        huggingface_hub.close_session()


def test_files_of_the_hub_are_described_with_their_checksums(hub: LoopbackHub) -> None:
    facts = build_data(HUB_MAZES, silent).facts
    assert facts["training file"] == (
        f"train.csv of {REPO} at commit {COMMIT}, {len(TRAIN)} bytes, sha256 {hub.etags['train.csv']}"
    )
    assert hub.etags["test.csv"] in facts["test file"]


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_a_file_changed_in_the_cache_is_refused(hub: LoopbackHub, tmp_path: Path, name: str) -> None:
    build_data(HUB_MAZES, silent)
    (cached,) = (tmp_path / "hub").rglob(f"snapshots/*/{name}")
    blob = Path(os.path.realpath(cached))
    blob.write_bytes(blob.read_bytes().replace(b",7\n", b",8\n").replace(b",5\n", b",6\n"))
    with pytest.raises(UsageError, match=r"is damaged: its sha256 is not the Hub's; delete .*fetched again"):
        build_data(HUB_MAZES, silent)
