from __future__ import annotations

import pytest

from trm_engine.text import one_line, quoted, three_digits


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0"), (0.0735, "0.0735"), (4.3821, "4.38"), (99.96, "100"), (100.4, "100"), (1566.2, "1,566")],
)
def test_a_rate_has_the_digits_that_tell_it_from_others(rate: float, text: str) -> None:
    assert three_digits(rate) == text


def test_a_foreign_text_becomes_one_harmless_line() -> None:
    assert one_line("a\n\t b\x1b[31m\u202ec\ud800") == "a b[31mc?"
    assert one_line("x" * 300) == "x" * 199 + "…"
    assert one_line("x" * 300, None) == "x" * 300
    assert one_line("abc d", 5) == "abc d"
    assert one_line("abc def", 5) == "abc…"


def test_a_quoted_text_stays_on_its_line_and_shows_its_escapes() -> None:
    assert quoted('a "b"\n') == r'"a \"b\"\n"'
    assert quoted("\x9b31m\ud800") == '"31m?"'
    assert quoted("x" * 70, 10) == '"' + "x" * 10 + '…"'
