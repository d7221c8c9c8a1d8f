"""How fast this machine multiplies matrices: the rate that times are planned with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from trm_engine.compute.gemm import exact_libraries, use_gemm
from trm_engine.hardware import Hardware
from trm_engine.tuning.cache import GEMM_RATE, Trial, TuningCache, at_rate, machine_key
from trm_engine.tuning.choices import choose_threads
from trm_engine.tuning.device_rate import with_device_rates

_ROWS, _INNER, _COLUMNS = 1552, 512, 1536  # of the published model's step: 97 positions of 16 rows
_SECONDS = 0.1
UNDISTURBED = 0.8
"""Share of its threads' time from which on a measurement had the cores to itself, its set-up counted."""


def with_gemm_rate(
    hardware: Hardware,
    cache: TuningCache | None = None,
    *,
    libraries: Callable[[], Sequence[str]] = exact_libraries,
    measure: Callable[[], float] | None = None,
    share: Callable[[float, float, int], float] | None = None,
) -> Hardware:
    """Return the machine with the rate of its products, which is measured where it is not known yet.

    Measures with as many threads as a run would take where nothing in the environment limits them, in the
    calling thread, for a fraction of a second; graphics processors too. What was measured while other
    programs took the cores is measured again, and the higher rate kept: disturbance only slows. The rate of a
    profile stands. `measure` returns the rate in GFLOP/s of the library in force, by default that of some
    products; `libraries` names those to compare, and `share` tells how much of the cores the measurement had.
    """
    hardware = with_device_rates(hardware, cache)
    if hardware.gemm_gflops or hardware.profile:
        return hardware
    cache, key = cache or TuningCache(), machine_key(hardware, GEMM_RATE)
    trial = cache.find(key)
    if trial is None or trial.share < UNDISTURBED:
        threads = choose_threads(0, hardware, {})[0]
        wall, cpu = time.perf_counter(), time.process_time()
        rates = _rates(threads, libraries(), measure or _gflops)
        had = (share or _share)(time.perf_counter() - wall, time.process_time() - cpu, threads)
        shape = f"{_ROWS} × {_INNER} times {_INNER} × {_COLUMNS}"
        again = Trial.now(shape, GEMM_RATE, rates, unit="GFLOP/s", share=had)
        trial = again if trial is None or max(rates.values()) >= max(trial.rates.values()) else trial
        cache.put(key, trial)
    return at_rate(hardware, trial)


def _share(wall: float, cpu: float, threads: int) -> float:
    """Return the share of CPU time that a number of threads got."""
    return min(max(cpu / (wall * threads), 0.01), 1.0) if wall > 0 else 1.0


def _rates(threads: int, libraries: Sequence[str], measure: Callable[[], float]) -> dict[str, float]:
    """Return the rate of each library."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rates = {}
        for library in libraries:
            use_gemm(library)
            rates[library] = measure()
    finally:
        use_gemm("default")
        torch.set_num_threads(before)
    return rates


def _gflops() -> float:
    """Return the best rate of some products."""
    a, b = torch.randn(_ROWS, _INNER), torch.randn(_INNER, _COLUMNS)
    out = a @ b
    fastest, until = float("inf"), time.perf_counter() + _SECONDS
    while (started := time.perf_counter()) < until:
        torch.mm(a, b, out=out)
        fastest = min(fastest, time.perf_counter() - started)
    return 2 * _ROWS * _INNER * _COLUMNS / fastest / 1e9
