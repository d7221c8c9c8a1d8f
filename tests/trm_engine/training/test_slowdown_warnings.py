"""Why training is slower than it could be: told once for each reason, on simulated machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trm_engine.hardware import Hardware
from trm_engine.hardware.facts import Cpu
from trm_engine.monitoring.monitor import Sample
from trm_engine.monitoring.slowdowns import PerformanceWatch
from trm_engine.planning.estimate import estimate
from trm_engine.training import run, runs
from trm_engine.training.runs import start

TWO_CORES = Hardware(cpu=Cpu(usable_cores=2))


class Machine:
    """Samples two a second; what is not said is a machine at full speed with both cores to itself."""

    def __init__(self, **options: object) -> None:
        self.watch = PerformanceWatch(2, TWO_CORES, cores=[], **options)  # type: ignore[arg-type]
        self.seconds = 0.0

    def run(
        self, seconds: float, *, cpu: float = 190.0, cores: tuple[float, ...] = (95.0, 95.0), **told: object
    ) -> None:
        for _ in range(round(2 * seconds)):
            self.seconds += 0.5
            self.watch.see(Sample(self.seconds, cpu_percent=cpu, core_percents=cores, **told))  # type: ignore[arg-type]

    def codes(self, rate: float = 0.0) -> list[str]:
        return [found.code for found in self.watch.take(rate)]


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_machine_at_full_speed_gives_no_warning(machine: Machine) -> None:
    machine.run(
        600,
        available_bytes=1,
        swap_used_bytes=5,
        throttle_events=3,
        speed_limit_percent=100.0,
        plugged_in=True,
        saver=False,
    )
    assert machine.codes() == []


# --- other processes --------------------------------------------------------------------------------------

CONTENDED = {"cpu": 105.0, "cores": (100.0, 98.0)}


def test_a_busy_process_on_a_core_is_told_within_ten_seconds(machine: Machine) -> None:
    machine.run(60)
    machine.run(9, **CONTENDED)
    (found,) = machine.watch.take(0.0)
    assert found.code == "cores-contended"
    assert "other programs use 0.9 cores" in found.message
    assert "runtime.threads = 1" in found.message


def test_it_is_told_once_until_it_is_over(machine: Machine) -> None:
    machine.run(300, **CONTENDED)
    assert machine.codes() == ["cores-contended"]
    machine.run(60, **CONTENDED)
    assert machine.codes() == []
    machine.run(60)
    machine.run(60, **CONTENDED)
    assert machine.codes() == ["cores-contended"]


def test_a_moment_of_somebody_elses_work_is_not_told(machine: Machine) -> None:
    for _ in range(20):
        machine.run(2, **CONTENDED)
        machine.run(8)
    assert machine.codes() == []


@pytest.mark.parametrize(
    "busy",
    [
        {"cpu": 100.0, "cores": (99.0, 2.0)},  # this process alone, on one core
        {"cpu": 105.0, "cores": (90.0, 35.0)},  # a core is still half idle
        {"cpu": 190.0, "cores": (100.0, 100.0)},  # others take scraps
        {"cpu": 200.0, "cores": (100.0, 100.0, 100.0, 5.0)},  # the threads have what they ask for
        {"cpu": 105.0, "cores": ()},  # not told
    ],
)
def test_nobody_is_blamed_for_a_process_that_is_not_in_the_way(machine: Machine, busy) -> None:
    machine.run(60, **busy)
    assert machine.codes() == []


def test_only_the_cores_of_this_process_count() -> None:
    machine = Machine()
    machine.watch = PerformanceWatch(2, TWO_CORES, cores=[2, 3])
    machine.run(60, cpu=105.0, cores=(3.0, 3.0, 100.0, 98.0))
    assert machine.codes() == ["cores-contended"]


def test_a_paused_run_asks_for_no_core() -> None:
    machine = Machine(paused=lambda: True)
    machine.run(60, cpu=2.0, cores=(100.0, 100.0))
    assert machine.codes() == []


# --- swap, heat, battery ----------------------------------------------------------------------------------


def test_growing_swap_is_told_and_full_swap_is_not(machine: Machine) -> None:
    machine.run(60, swap_used_bytes=5_000_000_000)
    assert machine.codes() == []
    for megabytes in range(0, 200, 10):
        machine.run(1, swap_used_bytes=5_000_000_000 + megabytes * 1_000_000)
    assert machine.codes() == ["swap-growing"]


def test_thermal_events_are_told_when_they_grow(machine: Machine) -> None:
    machine.run(60, throttle_events=7)
    assert machine.codes() == []
    machine.run(60, throttle_events=9)
    assert machine.codes() == ["throttled"]
    machine.run(60, throttle_events=9)
    machine.run(60, throttle_events=12)
    assert machine.codes() == ["throttled"]


def test_a_speed_limit_is_told_with_its_figure(machine: Machine) -> None:
    machine.run(30, speed_limit_percent=71.0)
    (found,) = machine.watch.take(0.0)
    assert found.code == "throttled"
    assert "71 %" in found.message


def test_battery_and_power_saving_are_two_things(machine: Machine) -> None:
    machine.run(30, plugged_in=False)
    assert machine.codes() == ["on-battery"]
    machine.run(30, plugged_in=False, saver=True)
    assert machine.codes() == ["battery-saver"]
    machine.run(30, plugged_in=True, saver=False)
    machine.run(30, plugged_in=False)
    assert machine.codes() == ["on-battery"]


# --- rates and threads ------------------------------------------------------------------------------------


def test_a_rate_far_below_the_predicted_one_is_told_after_a_while() -> None:
    machine = Machine(samples_per_second=1000.0)
    machine.watch.take(300.0)
    machine.run(29)
    assert machine.codes(300.0) == []
    machine.run(30)
    (found,) = machine.watch.take(300.0)
    assert found.code == "below-predicted-rate"
    assert "300 of the 1,000 samples/s" in found.message


@pytest.mark.parametrize(("predicted", "rate"), [(None, 1.0), (1000.0, 600.0), (1000.0, 0.0)])
def test_a_rate_near_the_prediction_or_without_one_is_not(predicted: float | None, rate: float) -> None:
    machine = Machine(samples_per_second=predicted)
    machine.watch.take(rate)
    machine.run(120)
    assert machine.codes(rate) == []


def test_more_threads_than_cores_are_told_at_once() -> None:
    (found,) = PerformanceWatch(8, TWO_CORES).take(0.0)
    assert found.code == "too-many-threads"
    assert "2 or fewer" in found.message
    assert PerformanceWatch(2, TWO_CORES).take(0.0) == []
    assert PerformanceWatch(8, Hardware()).take(0.0) == []


def test_every_message_is_one_line_with_a_remedy(machine: Machine) -> None:
    machine.run(30, plugged_in=False, saver=True, speed_limit_percent=50.0, throttle_events=1, **CONTENDED)
    found = machine.watch.take(0.0)
    assert len(found) == 4
    for slowdown in found:
        assert "\n" not in slowdown.message
        assert ";" in slowdown.message


def test_a_run_tells_its_listeners(store, make_config, make_sitting, heard) -> None:
    sitting = replace(make_sitting(), machine=lambda _: TWO_CORES)
    finished = start(store, make_config("runtime.threads=3"), sitting, preset="tiny")
    assert heard.warnings() == ["too-many-threads"]
    assert any("3 threads" in event.message for event in store.get(finished.session).events())
    assert finished.status == "completed"


@pytest.mark.parametrize("tuning", ["auto", "off"])
def test_a_run_is_held_against_the_speed_that_this_machine_should_give(
    store, make_config, make_sitting, monkeypatch, tuning: str
) -> None:
    predicted: list[float | None] = []

    class Watch(PerformanceWatch):
        def __init__(self, *arguments: Any, samples_per_second: float | None, **options: Any) -> None:
            predicted.append(samples_per_second)
            super().__init__(*arguments, samples_per_second=samples_per_second, **options)

    def measured(hardware: Hardware) -> Hardware:
        return hardware.model_copy(update={"gemm_gflops": 50.0})

    monkeypatch.setattr(runs, "PerformanceWatch", Watch)
    monkeypatch.setattr(run, "with_gemm_rate", measured)
    config = make_config(f"runtime.tuning={tuning}")
    start(store, config, make_sitting(), preset="tiny")
    expected = estimate(config, gemm_gflops=50.0).samples_per_second
    assert predicted == [expected if tuning == "auto" else None]


def test_metrics_tell_of_the_machine_what_events_do_not(
    store, make_config, make_sitting, monkeypatch
) -> None:
    from trm_engine.monitoring.monitor import Monitor

    told = Sample(1.0, core_percents=(12.34, 99.9), swap_used_bytes=7, throttle_events=2)
    monkeypatch.setattr(Monitor, "latest", lambda _: told)
    finished = start(store, make_config(), make_sitting(), preset="tiny")
    record = next(line for line in store.get(finished.session).metrics.read() if line["event"] == "step")
    assert record["core_percents"] == [12, 100]
    assert (record["swap_used_bytes"], record["throttle_events"]) == (7, 2)
    assert "speed_limit_percent" not in record
