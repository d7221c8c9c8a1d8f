"""How many threads compute, and why."""

from __future__ import annotations

import pytest

from trm_engine.hardware import Hardware
from trm_engine.hardware.facts import Cpu
from trm_engine.tuning.choices import choose_threads


@pytest.mark.parametrize(
    ("asked", "told", "count", "reason"),
    [
        (0, None, 4, "the physical cores this process may use"),
        (0, "1", 1, "OMP_NUM_THREADS is set in the environment"),
        (0, "3,2", 3, "OMP_NUM_THREADS is set in the environment"),
        (0, "zero", 4, "the physical cores this process may use"),
        (0, "0", 4, "the physical cores this process may use"),
        (2, None, 2, "as configured"),
        (2, "2", 2, "as configured"),
        (2, "1", 2, "as configured; runtime.threads overrules OMP_NUM_THREADS=1"),
    ],
)
def test_the_environment_counts_where_nothing_is_configured(
    asked: int, told: str | None, count: int, reason: str
) -> None:
    machine = Hardware(cpu=Cpu(usable_physical_cores=4))
    environment = {} if told is None else {"OMP_NUM_THREADS": told}
    chosen, decision = choose_threads(asked, machine, environment)
    assert (chosen, decision.choice, decision.reason) == (count, str(count), reason)


@pytest.mark.parametrize(
    ("asked", "environment", "expected", "why"),
    [
        (0, {}, 2, "2 ranks share 4 physical cores"),
        (6, {}, 3, "2 ranks share 6, as configured"),
        (1, {}, 1, "2 ranks share 1, as configured"),
        (0, {"OMP_NUM_THREADS": "5"}, 5, "OMP_NUM_THREADS is set"),
    ],
)
def test_ranks_share_the_cores(asked: int, environment: dict[str, str], expected: int, why: str) -> None:
    machine = Hardware(cpu=Cpu(usable_cores=8, usable_physical_cores=4))
    chosen, decision = choose_threads(asked, machine, environment, ranks=2)
    assert chosen == expected
    assert why in decision.reason
