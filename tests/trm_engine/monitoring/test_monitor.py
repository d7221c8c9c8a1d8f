from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from types import SimpleNamespace

import psutil
import pytest

from trm_engine.hardware import Memory, Power
from trm_engine.hardware.system import PsutilCounters
from trm_engine.monitoring.monitor import Monitor, Resources, Sample
from trm_engine.monitoring.process import ProcessReadings

LEFT = Memory(total_bytes=1000, available_bytes=800, swap_used_bytes=0)
COOL = Power()


@dataclass
class FakeReadings:
    """A process and a machine that a test moves by hand."""

    rss: int | None = 100
    peak: int | None = 100
    cpu: float | None = 0.0
    cores: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.0, 0.0))
    left: Memory = LEFT
    heat: Power = COOL
    heat_readings: int = 0
    now: float = 50.0

    def rss_bytes(self) -> int | None:
        return self.rss

    def peak_rss_bytes(self) -> int | None:
        return self.peak

    def cpu_seconds(self) -> float | None:
        return self.cpu

    def core_times(self) -> tuple[tuple[float, float], ...]:
        return self.cores

    def memory(self) -> Memory:
        return self.left

    def power(self) -> Power:
        self.heat_readings += 1
        return self.heat

    def clock(self) -> float:
        return self.now


def watch(readings: FakeReadings) -> Monitor:
    return Monitor(readings=readings, clock=readings.clock)


def test_cpu_percent_is_of_one_core_since_the_sample_before() -> None:
    readings = FakeReadings(cpu=10.0)
    monitor = watch(readings)
    readings.now, readings.cpu = 52.0, 13.0
    assert monitor.sample().cpu_percent == 150.0
    readings.now, readings.cpu = 54.0, 13.5
    assert monitor.sample().cpu_percent == 25.0
    summary = monitor.summary()
    assert (summary.mean_cpu_percent, summary.peak_cpu_percent) == (87.5, 150.0)
    assert summary.seconds == 4.0


def test_each_core_is_told_apart() -> None:
    readings = FakeReadings()
    monitor = watch(readings)
    readings.cores = ((1.0, 1.0), (0.25, 1.0))
    assert monitor.sample().core_percents == (100.0, 25.0)
    readings.cores = ((1.0, 2.0), (0.5, 2.0))
    assert monitor.sample().core_percents == (0.0, 25.0)
    assert monitor.summary().mean_core_percents == (50.0, 25.0)


def test_memory_extremes_and_means() -> None:
    readings = FakeReadings()
    monitor = watch(readings)
    for rss, available, swap in [(200, 700, 0), (600, 300, 50), (400, 500, 20)]:
        readings.rss = rss
        readings.left = Memory(available_bytes=available, swap_used_bytes=swap)
        monitor.sample()
    summary = monitor.summary()
    assert (summary.samples, summary.peak_rss_bytes, summary.mean_rss_bytes) == (3, 600, 400)
    assert (summary.min_available_bytes, summary.peak_swap_used_bytes) == (300, 50)


def test_means_and_peaks_beside_the_extremes() -> None:
    readings = FakeReadings()
    monitor = watch(readings)
    for busy, total, available in [((0.9, 0.1), 1.0, 700), ((1.0, 1.0), 2.0, 500)]:
        readings.cores = tuple((core, total) for core in busy)
        readings.left = Memory(available_bytes=available)
        monitor.sample()
    summary = monitor.summary()
    assert summary.mean_available_bytes == 600
    assert summary.peak_core_percents == pytest.approx((90.0, 90.0))


def test_watchers_are_shown_every_sample() -> None:
    seen: list[Sample] = []
    readings = FakeReadings(heat=Power(plugged_in=False, saver=True))
    monitor = Monitor(readings=readings, clock=readings.clock, watchers=[seen.append])
    taken = [monitor.sample(), monitor.sample()]
    assert seen == taken
    assert (taken[0].plugged_in, taken[0].saver) == (False, True)


def test_the_thread_survives_a_moment_without_memory() -> None:
    asked = threading.Event()

    class Starved(FakeReadings):
        def rss_bytes(self) -> int | None:
            if not asked.is_set():
                asked.set()
                raise MemoryError
            seen.set()
            return 100

    seen = threading.Event()
    with Monitor(interval=0.001, readings=Starved()):
        assert seen.wait(10)


def test_available_memory_is_what_the_control_group_leaves() -> None:
    readings = FakeReadings(left=Memory(available_bytes=800, limit_bytes=500, headroom_bytes=120))
    assert watch(readings).sample().available_bytes == 120


def test_a_spike_between_samples_counts_as_the_peak() -> None:
    readings = FakeReadings(rss=100, peak=900)
    monitor = watch(readings)
    readings.peak = 5000
    monitor.sample()
    assert monitor.summary().peak_rss_bytes == 5000


def test_a_spike_before_the_monitor_does_not_count() -> None:
    readings = FakeReadings(rss=100, peak=9000)
    monitor = watch(readings)
    monitor.sample()
    assert monitor.summary().peak_rss_bytes == 100


def test_thermal_events_count_from_the_start() -> None:
    readings = FakeReadings(heat=Power(throttle_events=40))
    monitor = watch(readings)
    readings.heat, readings.now = Power(throttle_events=47), 75.0
    assert monitor.sample().throttle_events == 7


def test_heat_is_not_asked_for_at_every_sample() -> None:
    readings = FakeReadings(heat=Power(speed_limit_percent=100.0))
    monitor = watch(readings)
    for _ in range(30):
        readings.now += 0.5
        readings.heat = Power(speed_limit_percent=60.0)
        monitor.sample()
    assert readings.heat_readings == 2  # at the start, and after ten of the fifteen seconds
    assert monitor.summary().min_speed_limit_percent == 60.0


def test_a_machine_that_tells_nothing_gives_unknowns() -> None:
    readings = FakeReadings(rss=None, peak=None, cpu=None, cores=(), left=Memory())
    monitor = watch(readings)
    sample = monitor.sample()
    assert (sample.rss_bytes, sample.cpu_percent, sample.core_percents, sample.available_bytes) == (
        None,
        None,
        (),
        None,
    )
    assert monitor.summary() == Resources(seconds=0.0, samples=1)


def test_a_core_taken_offline_leaves_its_sample_out() -> None:
    readings = FakeReadings()
    monitor = watch(readings)
    readings.cores = ((1.0, 1.0),)
    assert monitor.sample().core_percents == ()


def test_the_thread_samples_until_it_is_stopped() -> None:
    enough = threading.Event()

    class Counting(FakeReadings):
        def rss_bytes(self) -> int | None:
            self.taken = getattr(self, "taken", 0) + 1
            if self.taken >= 3:
                enough.set()
            return 100

    monitor = Monitor(interval=0.001, readings=Counting())
    with monitor:
        assert enough.wait(10)
    taken = monitor.summary().samples
    assert taken >= 3
    assert not any(thread.name == "monitor" for thread in threading.enumerate())
    assert monitor.summary().samples == taken


def test_a_monitor_that_was_never_started_can_be_stopped() -> None:
    monitor = watch(FakeReadings())
    monitor.stop()
    monitor.join()
    assert monitor.latest().seconds == 0.0


def test_a_monitor_starts_once() -> None:
    with watch(FakeReadings()) as monitor, pytest.raises(RuntimeError, match="before"):
        monitor.start()


@pytest.mark.parametrize("interval", [0.0, -1.0, 0.6])
def test_sampling_is_at_least_twice_a_second(interval: float) -> None:
    with pytest.raises(ValueError, match="at most"):
        Monitor(interval=interval)


def test_the_summary_is_json() -> None:
    monitor = watch(FakeReadings())
    monitor.sample()
    told = json.loads(json.dumps(monitor.summary().to_dict()))
    assert {"peak_rss_bytes", "mean_cpu_percent", "min_available_bytes"} <= set(told)


def test_this_process_can_be_read() -> None:
    readings = ProcessReadings()
    rss, peak, used = readings.rss_bytes(), readings.peak_rss_bytes(), readings.cpu_seconds()
    assert rss is not None
    assert peak is not None
    assert peak >= rss // 2
    assert used is not None
    assert used > 0


def test_the_peak_is_the_high_water_mark_of_this_program(make_system) -> None:
    status = "Name:\tpython\nVmHWM:\t   2048 kB\nVmRSS:\t 1024 kB\n"
    assert ProcessReadings(make_system({"/proc/self/status": status})).peak_rss_bytes() == 2048 * 1024


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_without_that_mark_the_peak_is_the_kernels(
    make_system, monkeypatch: pytest.MonkeyPatch, platform: str, unit: int
) -> None:
    resource = pytest.importorskip("resource")

    class Usage:
        ru_maxrss = 5000

    monkeypatch.setattr(resource, "getrusage", lambda _who: Usage)
    assert ProcessReadings(make_system(platform=platform)).peak_rss_bytes() == 5000 * unit


def test_this_machine_can_be_sampled() -> None:
    monitor = Monitor()
    sample = monitor.sample()
    assert sample.rss_bytes is not None
    assert all(0 <= percent <= 100 for percent in sample.core_percents)
    assert sample.available_bytes is None or sample.available_bytes > 0


def test_readings_that_fail_are_unknown(make_system, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "Process", refuse)
    monkeypatch.setattr(psutil, "cpu_times", refuse)
    readings = ProcessReadings(make_system())
    assert (readings.rss_bytes(), readings.cpu_seconds(), readings.core_times()) == (None, None, ())
    assert readings.memory() == Memory()


def test_counters_that_fail_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError("not here")

    for name in ("virtual_memory", "swap_memory", "cpu_count", "cpu_freq"):
        monkeypatch.setattr(psutil, name, refuse)
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    counters = PsutilCounters()
    assert (counters.memory(), counters.swap(), counters.cores()) == (None, None, (None, None))
    assert (counters.frequency_mhz(), counters.battery(), counters.celsius()) == (None, None, None)


def test_the_hottest_core_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = {
        "nvme": [SimpleNamespace(current=90.0)],
        "k10temp": [SimpleNamespace(current=61.0), SimpleNamespace(current=64.5)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    assert PsutilCounters().celsius() == 64.5
    del sensors["k10temp"]
    assert PsutilCounters().celsius() is None
