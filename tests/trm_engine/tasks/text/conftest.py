"""A folder of its own for everything that a text leaves on disk."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the cache and the data folder into the test's own folder."""
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path
