"""The rate of matrix products is measured once; a profile's stands."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from trm_engine.compute.gemm import onednn_problem, use_gemm
from trm_engine.hardware import Hardware
from trm_engine.tuning.cache import TuningCache
from trm_engine.tuning.gemm_rate import with_gemm_rate

HERE = Hardware.model_validate({"cpu": {"model": "here", "usable_cores": 1, "usable_physical_cores": 1}})


@pytest.fixture
def cache(tmp_path) -> TuningCache:
    return TuningCache(tmp_path / "tuning.json")


def test_a_rate_is_measured_once_and_then_known(cache) -> None:
    rates = iter([100.0, 250.0])
    measured = partial(
        with_gemm_rate,
        HERE,
        cache,
        libraries=lambda: ("default", "onednn"),
        measure=lambda: next(rates),
        share=lambda *_: 1.0,
    )
    assert measured().gemm_gflops == 250
    assert measured().gemm_gflops == 250
    (trial,) = cache.trials()
    assert str(trial) == "default 100 GFLOP/s, onednn 250 GFLOP/s"


def test_what_is_measured_is_a_rate_and_leaves_torch_as_it_was(cache) -> None:
    torch.set_num_threads(1)
    precision = torch.get_float32_matmul_precision()
    rate = with_gemm_rate(HERE, cache).gemm_gflops
    assert rate is not None
    assert rate > 0
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (1, precision)


def test_the_rate_of_a_profile_stands(cache) -> None:
    profile = HERE.model_copy(update={"gemm_gflops": 7.0, "profile": "mine"})
    assert with_gemm_rate(profile, cache) == profile
    assert cache.trials() == []


def test_where_nothing_can_be_remembered_the_rate_is_measured_all_the_same(tmp_path) -> None:
    (tmp_path / "taken").write_text("")
    assert with_gemm_rate(HERE, TuningCache(tmp_path / "taken" / "tuning.json")).gemm_gflops


def test_a_library_that_computes_with_fewer_digits_is_not_exact() -> None:
    errors = {"default": 1e-7, "onednn": 1e-3}
    problem = partial(onednn_problem, lambda library, *_: errors[library])
    assert problem() == "oneDNN rounds 10000 times as much on this processor"
    errors["onednn"] = 2e-7
    assert problem() is None


def test_a_library_that_fails_is_not_used() -> None:
    def error(library: str, *_: int) -> float:
        if library == "onednn":
            raise RuntimeError("could not create a primitive")
        return 1e-7

    assert onednn_problem(error) == "oneDNN does not work here: could not create a primitive"


def test_asking_leaves_the_library_in_force() -> None:
    use_gemm("onednn")
    try:
        onednn_problem()
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        use_gemm("default")


def measuring(cache, rates: list[float], shares: list[float]) -> partial[Hardware]:
    """Return what measures these rates one after the other, with these shares of the machine."""
    coming, free = iter(rates), iter(shares)
    return partial(
        with_gemm_rate,
        HERE,
        cache,
        libraries=lambda: ("default",),
        measure=lambda: next(coming),
        share=lambda *_: next(free),
    )


def test_what_was_measured_on_a_busy_machine_is_measured_again(cache) -> None:
    measured = measuring(cache, [15.0, 40.0, 99.0], [0.3, 0.95])
    busy, quiet = measured(), measured()
    assert (busy.gemm_gflops, busy.gemm_share) == (15, 0.3)
    assert (quiet.gemm_gflops, quiet.gemm_share) == (40, 0.95)
    assert measured().gemm_gflops == 40, "what was undisturbed stands"


def test_a_slower_second_measurement_does_not_lower_the_rate(cache) -> None:
    measured = measuring(cache, [40.0, 15.0], [0.3, 0.3])
    assert [measured().gemm_gflops, measured().gemm_gflops] == [40, 40]
