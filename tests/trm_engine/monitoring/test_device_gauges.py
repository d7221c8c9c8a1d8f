from __future__ import annotations

from trm_engine.config import MemoryConfig
from trm_engine.monitoring.device_gauges import DeviceSample, read_device
from trm_engine.monitoring.memory_guard import MemoryGuard, device_pressure
from trm_engine.monitoring.monitor import Monitor, Sample

FULL = DeviceSample("cuda:0", held_bytes=85, free_bytes=5, total_bytes=100, load_percent=90.0)


def test_nothing_is_told_of_a_device_that_is_not_used() -> None:
    assert read_device() is None


def test_pressure_is_of_what_this_process_could_have_there() -> None:
    pressed = device_pressure(FULL)
    assert pressed is not None
    assert pressed.limit_bytes == 90
    assert "on cuda:0" in str(pressed)
    assert device_pressure(None) is None


def test_the_guard_judges_whichever_memory_is_shorter() -> None:
    guard = MemoryGuard(MemoryConfig())
    guard.changed(growth_bytes=0)
    guard.worked()
    for _ in range(8):
        guard.see(Sample(0.0, rss_bytes=10, available_bytes=990, device=FULL))
    assert guard.shrink
    assert guard.latest == device_pressure(FULL)


def test_a_monitor_sums_up_what_a_device_did() -> None:
    monitor = Monitor(device=lambda: FULL)
    monitor.sample()
    assert monitor.summary().peak_device_bytes == 85
    assert monitor.summary().mean_device_load_percent == 90
