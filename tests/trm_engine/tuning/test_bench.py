import math

import pytest

from trm_engine.planning.costs import shape_of
from trm_engine.tuning.bench.compare import compare
from trm_engine.tuning.bench.shapes import SHAPES


def test_the_standard_shapes_are_those_that_are_compared_everywhere():
    sizes = {
        name: (c.model.mixer, c.model.hidden_size, c.model.h_cycles, c.model.l_cycles, c.train.batch_size)
        for name, c in SHAPES.items()
    }
    assert sizes == {
        "attention-512": ("attention", 512, 3, 6, 16),
        "attention-128": ("attention", 128, 2, 3, 64),
        "mlp-512": ("mlp_t", 512, 3, 6, 16),
        "mlp-256": ("mlp_t", 256, 2, 3, 32),
        "mlp-64": ("mlp_t", 64, 2, 2, 64),
    }
    lengths = {name: shape_of(c).positions for name, c in SHAPES.items()}
    assert list(lengths.values()) == [97, 97, 97, 82, 37]


def test_a_comparison_holds_figures_that_agree_with_each_other():
    heard = []
    measured = compare(
        "mlp-64", precision="exact", rounds=2, progress=lambda *said: heard.append(said), seconds=600
    )
    assert heard[-1] == ("steps of mlp-64", 2, 2)
    assert 1 <= measured.rows <= SHAPES["mlp-64"].train.batch_size
    assert measured.speedup == pytest.approx(measured.samples_per_second / measured.plain_samples_per_second)
    assert measured.share_of_gemm_rate == pytest.approx(measured.gflops / measured.gemm_gflops["step"])
    assert {"step", "default"} <= measured.gemm_gflops.keys() <= {"step", "default", "onednn", "bf16"}
    assert any("bf16" in word for word in measured.skipped) == ("bf16" not in measured.gemm_gflops)
    assert measured.solving is not None
    assert all(math.isfinite(value) and value > 0 for value in measured.gemm_gflops.values())
    assert measured.solving["fixed"] > 0
    assert measured.solving["early"] > 0
    assert 1 <= measured.solving["ran_steps"] <= measured.solving["steps"] == 8
    assert measured.to_dict()["shape"] == "mlp-64"
