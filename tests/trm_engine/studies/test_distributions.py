"""Against values of the tables that statistics books print."""

from __future__ import annotations

import pytest

from trm_engine.studies.fitting.distributions import binomial_two_sided, chi_squared_tail, f_tail


@pytest.mark.parametrize(
    ("value", "dof", "tail"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (11.344867, 3, 0.01), (18.307038, 10, 0.05)],
)
def test_chi_squared(value: float, dof: int, tail: float) -> None:
    assert chi_squared_tail(value, dof) == pytest.approx(tail, rel=1e-6)


@pytest.mark.parametrize(
    ("value", "dof1", "dof2", "tail"),
    [(4.747225, 1, 12, 0.05), (3.490295, 3, 12, 0.05), (9.276628, 3, 3, 0.05), (1.0, 7, 7, 0.5)],
)
def test_f(value: float, dof1: int, dof2: int, tail: float) -> None:
    assert f_tail(value, dof1, dof2) == pytest.approx(tail, rel=1e-5)


def test_the_binomial_test_is_exact() -> None:
    assert binomial_two_sided(1, 10) == pytest.approx(2 * 11 / 1024)
    assert binomial_two_sided(5, 10) == 1.0
    assert binomial_two_sided(0, 0) == 1.0
