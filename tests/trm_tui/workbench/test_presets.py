"""Own presets, recent configurations and shipped presets in one list, and what each would take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import LAPTOP
from trm_engine.config import Preset, apply, dumps, find_preset
from trm_engine.sessions import Store
from trm_tui.workbench.editor.machine import Machine, Rate
from trm_tui.workbench.presets import about, list_all, place, prospect, prospects, recent

FOUR = find_preset("sudoku-4x4")
FASTER = apply(FOUR.config, ["train.lr=0.002"])
TINY_STORE = Machine(LAPTOP, Rate(100.0, "as measured"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Sessions: the preset itself, a variant twice, and another."""
    store = Store(tmp_path / "sessions")
    longer = apply(FOUR.config, ["train.steps=900"])
    for config, name in ((FOUR.config, ""), (FASTER, "fast"), (longer, "long"), (FASTER, "fast again")):
        with store.create(dumps(config), "sudoku-4x4", name=name):
            pass
    return store


def test_recent_ones_are_the_newest_once_each_without_known_presets(store: Store) -> None:
    found = recent(store, [FOUR])
    assert [(preset.name, preset.origin) for preset in found] == [
        ("fast again", "sudoku-4x4"),
        ("long", "sudoku-4x4"),
    ]
    assert recent(store, [FOUR, Preset("mine", Path("mine.toml"), FASTER)], most=1)[0].name == "long"


def test_own_ones_come_first_then_recent_ones_then_light_to_heavy(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRM_PRESETS_DIR", str(tmp_path))
    (tmp_path / "mine.toml").write_text(dumps(FASTER, only_changed=True))
    found, problems = list_all(store)
    assert problems == []
    assert [preset.name for preset in found[:3]] == ["mine", "long", "sudoku-4x4"]
    assert [preset.group for preset in found[:3]] == ["yours", "recent", "shipped"]
    assert len({place(preset) for preset in found}) == len(found)


def test_a_prospect_says_what_it_takes_here() -> None:
    found = prospect(FOUR.config, TINY_STORE)
    assert found.parameters == 41_090
    assert found.seconds
    assert (found.fits, found.at_most, found.data.ready) == (True, False, True)
    assert found.basis == "with 100 GFLOP/s, as measured"
    large = prospect(find_preset("maze-hard").config, TINY_STORE)
    assert not large.fits
    assert prospect(FOUR.config, Machine(LAPTOP)).seconds is None
    assert list(prospects([FOUR], TINY_STORE)) == [("shipped", "sudoku-4x4")]


def test_without_a_title_it_is_described_by_its_settings() -> None:
    assert about(FOUR) == "Sudoku 4×4"
    variant = apply(FASTER, ["title=", "model.layers=1"])
    assert about(replace(FOUR, config=variant)) == "4×4 Sudoku, 1 layer of 64, 600 steps"
    assert about(replace(FOUR, group="recent")).startswith("4×4 Sudoku, 2 layers"), (
        "a parent's title may not hold"
    )
