"""How many ranks are fastest: which numbers are tried, and what is chosen of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.config import Config
from trm_engine.hardware import Cpu, Hardware
from trm_engine.training.ranks.trial import candidates, fastest_ranks
from trm_engine.tuning.cache import TuningCache


@pytest.mark.parametrize(
    ("cores", "rows", "reduction", "tried"),
    [
        (1, 64, "fast", [1]),
        (2, 64, "fast", [1, 2]),
        (6, 64, "fast", [1, 2, 4, 6]),
        (16, 64, "fast", [1, 2, 4, 8, 16]),
        (16, 3, "fast", [1, 2, 3]),
        (16, 64, "exact", [1, 2, 4, 8]),
        (6, 64, "exact", [1, 2, 4]),
    ],
)
def test_numbers_up_to_cores_and_rows_are_tried(
    make_config, cores: int, rows: int, reduction: str, tried: list[int]
) -> None:
    config = make_config(f"train.batch_size={rows}", f"runtime.reduction={reduction}")
    assert candidates(config, cores) == tried


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ({1: 100.0, 2: 190.0, 4: 250.0}, 4),
        ({1: 100.0, 2: 104.0, 4: 90.0}, 1),
        ({1: 100.0, 2: 120.0, 4: 0.0}, 2),
    ],
)
def test_the_fastest_is_chosen_if_it_is_worth_it_and_remembered(
    tmp_path: Path, make_config, rates: dict[int, float], chosen: int
) -> None:
    machine = Hardware(cpu=Cpu(usable_cores=4, usable_physical_cores=4))
    measured: list[int] = []

    def rate_of(_config: Config, count: int) -> float:
        measured.append(count)
        return rates[count]

    for _ in range(2):
        cache = TuningCache(tmp_path / "tuning.json")
        count, why = fastest_ranks(make_config(), machine, cache=cache, rate_of=rate_of)
        assert count == chosen
        assert "2 " in why
        assert "samples/s" in why
    assert measured == [1, 2, 4], "once"


def test_one_core_has_nothing_to_share(make_config) -> None:
    machine = Hardware(cpu=Cpu(usable_cores=1, usable_physical_cores=1))
    assert fastest_ranks(make_config(), machine, rate_of=lambda *_: 1.0)[0] == 1
