"""What may slow the machine down is said beside its figures."""

from __future__ import annotations

from typing import Any

import pytest

from trm_engine.monitoring.monitor import Sample
from trm_tui.tui.common.machine_panel import MachinePanel


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ({}, ""),
        (
            {"plugged_in": True, "battery_percent": 80.0, "throttle_events": 0, "speed_limit_percent": 100.0},
            "",
        ),
        ({"plugged_in": False}, "on battery"),
        ({"plugged_in": False, "battery_percent": 63.2, "celsius": 78.4}, "on battery 63 % · 78 °C"),
        ({"saver": True, "throttle_events": 1200}, "low-power mode · throttled 1,200×"),
        ({"speed_limit_percent": 70.0}, "throttled to 70 %"),
    ],
)
def test_battery_power_saving_and_heat(sample: dict[str, Any], told: str) -> None:
    panel = MachinePanel()
    panel.set_reactive(MachinePanel.sample, Sample(1.0, **sample))
    assert [line.plain for line in panel.lines(40)[1:]] == [told] * bool(told)
