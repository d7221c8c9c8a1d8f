"""The shipped presets are sound, say what to expect, and are found from a checkout and from a wheel."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import tomlkit

from trm_engine import paths
from trm_engine.config import (
    Preset,
    apply,
    as_variant,
    describe,
    dumps,
    find_preset,
    list_own,
    list_presets,
    loads,
)
from trm_engine.config.rules import rules
from trm_engine.errors import ConfigError, UsageError
from trm_engine.planning.costs import shape_of

PRESETS = list_presets()
(SMALLEST,) = (preset for preset in PRESETS if preset.name == "sudoku-4x4")
MINE = '[task]\nkind = "sudoku"\n[train]\nsteps = 7\n'


def test_the_presets_are_listed_by_name() -> None:
    names = [preset.name for preset in PRESETS]
    assert names == sorted(names)
    assert [name for name in names if name.startswith("sudoku")] == [
        "sudoku-16x16",
        "sudoku-4x4",
        "sudoku-6x6",
        "sudoku-9x9",
        "sudoku-9x9-36",
        "sudoku-9x9-hard",
        "sudoku-extreme",
        "sudoku-extreme-attention",
    ]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
class TestEveryPreset:
    def test_passes_the_rules(self, preset: Preset) -> None:
        assert rules(preset.config) == []

    def test_has_a_title_and_says_what_to_expect(self, preset: Preset) -> None:
        assert preset.config.title
        if preset.config.expect.startswith("Not measured yet."):
            return
        assert "%" in preset.config.expect or "loss" in preset.config.expect
        assert any(where in preset.config.expect.lower() for where in ("cores", "one nvidia", "published"))
        assert "\n" not in preset.config.expect

    def test_holds_only_what_differs_from_the_defaults(self, preset: Preset) -> None:
        defaults = {info.key: info.default for info in describe(type(preset.config.task))}
        tables = tomlkit.parse(preset.path.read_text(encoding="utf-8")).unwrap()
        for section in set(tables) - {"title", "expect"}:
            for name, value in tables[section].items():
                assert f"{section}.{name}" == "task.kind" or value != defaults[f"{section}.{name}"]

    def test_survives_writing_and_reading(self, preset: Preset) -> None:
        assert loads(dumps(preset.config), "written") == preset.config
        assert loads(dumps(preset.config, only_changed=True), "written") == preset.config

    def test_has_lines_that_fit_a_screen(self, preset: Preset) -> None:
        assert max(len(line) for line in preset.path.read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize(
    ("name", "mixer", "positions"),
    [("sudoku-extreme", "mlp_t", "none"), ("sudoku-extreme-attention", "attention", "rope")],
)
def test_the_published_settings_are_kept(name: str, mixer: str, positions: str) -> None:
    config = find_preset(name).config
    model, train = config.model, config.train
    assert (model.mixer, model.positions, model.hidden_size, model.layers, model.heads) == (
        mixer,
        positions,
        512,
        2,
        8,
    )
    assert (model.h_cycles, model.l_cycles, model.expansion, model.width_multiple) == (3, 6, 4.0, 256)
    assert (config.puzzle_emb_len, model.registers, model.states) == (16, 0, 2)
    assert shape_of(config).positions == 16 + config.task.seq_len
    assert (train.batch_size, train.optimizer, train.loss, train.halt_max_steps) == (
        768,
        "adam_atan2",
        "stablemax",
        16,
    )
    assert (train.lr, train.lr_min_ratio, train.warmup_steps, train.weight_decay) == (1e-4, 1.0, 2000, 1.0)
    assert (train.puzzle_emb_lr, train.puzzle_emb_weight_decay, train.ema) == (1e-4, 1.0, 0.999)
    assert train.steps == 50_000 * 1000 // 768


@pytest.mark.parametrize(
    "given", ["sudoku-4x4", "sudoku-4x4.toml", "presets/sudoku-4x4.toml", "./sudoku-4x4"]
)
def test_a_shipped_preset_is_found_from_any_folder(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_preset(given) == SMALLEST


@pytest.mark.parametrize("given", ["sudoku-4x4.toml", "presets/sudoku-4x4.toml", "other.toml"])
def test_an_existing_file_wins_over_the_shipped_preset(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("presets").mkdir()
    Path(given).write_text(MINE, encoding="utf-8")
    found = find_preset(given)
    assert (found.config.train.steps, found.path, found.name) == (7, Path(given), Path(given).stem)


def test_a_folder_or_file_without_the_ending_does_not_hide_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sudoku-4x4").mkdir()
    assert find_preset("sudoku-4x4") == SMALLEST


def test_a_file_with_problems_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE + "stepz = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml: \[train\] stepz"):
        find_preset(str(path))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sudoku-5x5", '"sudoku-5x5": no such preset. Did you mean "sudoku-9x9"?'),
        ("soduku-4x4", '"soduku-4x4": no such preset. Did you mean "sudoku-4x4"?'),
        ("mine/sudoku-4x4.toml", "no such file, and no preset of that name"),
        ("zzzz", "sudoku-4x4, sudoku-6x6"),
        ("", "no such preset"),
        ("a\0b.toml", "no such file"),
        ("x" * 5000, "no such preset"),
        ("\x1b[2J", "no such preset"),
        ("../presets", "no such preset"),
    ],
)
def test_an_unknown_preset_is_refused_with_the_nearest(
    given: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        find_preset(given)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_without_the_toml_ending_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(MINE, encoding="utf-8")
    with pytest.raises(UsageError, match=r"ends in \.toml"):
        find_preset(str(path))


def test_presets_are_found_inside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "trm_engine"
    (package / "presets").mkdir(parents=True)
    shutil.copy(PRESETS[0].path, package / "presets" / "only-here.toml")
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert [preset.name for preset in list_presets()] == ["only-here"]
    assert find_preset("only-here").config == PRESETS[0].config


def test_presets_are_found_in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trm_engine").mkdir()
    shutil.copytree(PRESETS[0].path.parent, tmp_path / "presets")
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "trm_engine")
    assert find_preset("sudoku-4x4").path == tmp_path / "presets" / "sudoku-4x4.toml"


def test_own_presets_are_found_by_name_the_last_saved_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRM_PRESETS_DIR", str(tmp_path))
    for age, name in enumerate(("old", "new")):
        path = tmp_path / f"{name}.toml"
        path.write_text(MINE, encoding="utf-8")
        os.utime(path, (age, age))
    (tmp_path / "odd.toml").write_text("[task]\nkind = 'chess'\n", encoding="utf-8")
    (tmp_path / "sudoku-4x4.toml").write_text(MINE, encoding="utf-8")
    presets, problems = list_own()
    assert [(preset.name, preset.group) for preset in presets] == [("new", "yours"), ("old", "yours")]
    assert len(problems) == 1
    assert "odd.toml" in problems[0]
    assert find_preset("old").config.train.steps == 7
    assert find_preset("sudoku-4x4") == SMALLEST, "a shipped name means the shipped preset"
    with pytest.raises(ConfigError, match="chess"):
        find_preset("odd")
    with pytest.raises(UsageError, match='Did you mean "old"'):
        find_preset("olt")


def test_a_variant_does_not_keep_the_claims_of_its_parent() -> None:
    parent = SMALLEST.config
    faster = as_variant(apply(parent, ["train.lr=0.002"]), parent)
    assert (faster.title, faster.expect, faster.train.lr) == ("", "", 0.002)
    own_words = as_variant(apply(parent, ["train.lr=0.002", "title=Mine"]), parent)
    assert (own_words.title, own_words.expect) == ("Mine", "")
    same = apply(parent, ["train.micro_batch=16", "runtime.threads=1"])
    assert as_variant(same, parent) == same, "what decides no result changes no claim"
