from __future__ import annotations

import pytest

from trm_engine.config import Config, apply
from trm_engine.config.presets import find
from trm_engine.hardware.facts import Gpu
from trm_engine.planning.devices import device_of, on_device
from trm_engine.planning.estimate import estimate
from trm_engine.tuning.bench.shapes import SHAPES

H200 = Gpu(
    kind="cuda",
    usable=True,
    name="H200",
    memory_bytes=150_000_000_000,
    fp32_gflops=50_500,
    bf16_gflops=784_000,
    copy_gb_per_second=4177,
)
MEASURED = {
    "attention-512": (7409, 22.6e9),
    "mlp-512": (7250, 15.7e9),
}
"""Samples a second and bytes, batch 768 in bf16: `make bench-gpu` on an H200."""


def with_rows(config: Config, rows: int, precision: str = "auto") -> Config:
    return apply(config, [f"train.batch_size={rows}", f"runtime.precision={precision}"])


@pytest.mark.parametrize("shape", MEASURED)
def test_predictions_are_near_what_was_measured(shape: str) -> None:
    speed, held = MEASURED[shape]
    predicted = on_device(with_rows(SHAPES[shape], 768), H200)
    assert predicted.samples_per_second == pytest.approx(speed, rel=0.25)
    assert predicted.peak_bytes == pytest.approx(held, rel=0.15)


@pytest.mark.parametrize(
    ("rows", "precision", "speed"), [(768, "auto", 246_667), (768, "exact", 99_243), (64, "exact", 33_674)]
)
def test_predictions_of_small_models_count_what_lies_between_launches(
    rows: int, precision: str, speed: float
) -> None:
    predicted = on_device(with_rows(find("sudoku-9x9-hard").config, rows, precision), H200)
    assert predicted.samples_per_second == pytest.approx(speed, rel=0.25)


def test_what_a_card_cannot_hold_does_not_fit_and_less_is_named() -> None:
    config = with_rows(SHAPES["attention-512"], 768)
    fit = estimate(config, gpu=H200.model_copy(update={"memory_bytes": 8_000_000_000}))
    assert "H200 (cuda:0), which has 8" in fit.problems[0]
    assert fit.alternatives
    assert estimate(config, gpu=H200).fits


def test_a_card_leaves_the_machine_s_memory_alone() -> None:
    config = with_rows(SHAPES["attention-512"], 768)
    assert estimate(config, gpu=H200).peak_rss_bytes < 0.2 * estimate(config).peak_rss_bytes


def test_the_processor_computes_where_it_is_asked_to(monkeypatch) -> None:
    config = find("sudoku-4x4").config
    monkeypatch.delenv("TRM_DEVICE", raising=False)
    assert device_of(config, (H200,)) == H200
    assert device_of(apply(config, ["runtime.device=cpu"]), (H200,)) is None
    assert device_of(apply(config, ["runtime.device=cuda:1"]), (H200,)) is None
    monkeypatch.setenv("TRM_DEVICE", "cpu")
    assert device_of(config, (H200,)) is None
