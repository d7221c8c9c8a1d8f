"""When something ends, as briefly as it is understood now."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from trm_tui.workbench.browser import clock

NOW = datetime(2026, 3, 20, 22, 30, tzinfo=timezone(timedelta(hours=1)))  # a Friday


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "22:30"),
        (188, "22:33"),
        (2 * 3600, "Sat 00:30"),
        (5 * 86_400, "Wed 22:30"),
        (20 * 86_400, "9 Apr"),
        (400 * 86_400, ""),
        (float("inf"), ""),
        (float("nan"), ""),
        (-1, ""),
    ],
)
def test_an_end_is_told_as_a_time_of_day(seconds: float, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "local_now", lambda: NOW)
    assert clock.ends_at(seconds) == told
