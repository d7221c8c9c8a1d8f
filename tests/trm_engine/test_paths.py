from __future__ import annotations

from pathlib import Path

import pytest

import trm_engine.paths
from trm_engine.paths import shipped


def test_shipped_files_are_found() -> None:
    assert shipped("presets", "hardware", "macbook-pro-2018-i5.toml").is_file()


def test_a_wheel_carries_them_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site/trm_engine/presets").mkdir(parents=True)
    monkeypatch.setattr(trm_engine.paths, "_PACKAGE", tmp_path / "site/trm_engine")
    assert shipped("presets", "x.toml") == tmp_path / "site/trm_engine/presets/x.toml"


def test_a_checkout_has_them_beside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trm_engine").mkdir()
    monkeypatch.setattr(trm_engine.paths, "_PACKAGE", tmp_path / "trm_engine")
    assert shipped("presets", "x.toml") == tmp_path / "presets/x.toml"
