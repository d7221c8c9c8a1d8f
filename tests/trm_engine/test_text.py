from __future__ import annotations

import pytest

from trm_engine.text import three_digits


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0"), (0.0735, "0.0735"), (4.3821, "4.38"), (99.96, "100"), (100.4, "100"), (1566.2, "1,566")],
)
def test_a_rate_has_the_digits_that_tell_it_from_others(rate: float, text: str) -> None:
    assert three_digits(rate) == text
