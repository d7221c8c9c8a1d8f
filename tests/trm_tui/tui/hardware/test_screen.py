"""The hardware screen: what was detected, what there is room for, what the engine chose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Static

from tests.trm_tui.app_pilot import action_names
from tests.trm_tui.editor_pilot import Desk, quick
from tests.trm_tui.fake_engine import BUSY, LAPTOP, FakeWorkbench
from trm_engine.config.sections import MemoryConfig
from trm_engine.hardware import (
    Caches,
    Cpu,
    Gpu,
    Hardware,
    Memory,
    OperatingSystem,
    Power,
    TorchBuild,
    load_profile,
)
from trm_engine.monitoring.monitor import Sample
from trm_tui.tui.app import TrmApp
from trm_tui.tui.hardware.facts import groups
from trm_tui.tui.hardware.panels import BudgetPanel, labelled
from trm_tui.tui.hardware.screen import HardwareScreen, Page
from trm_tui.tui.keys import keys_of, names
from trm_tui.tui.presets.screen import WelcomeScreen

FULL = Hardware(
    machine="Laptop 13",
    gemm_gflops=210.0,
    cpu=Cpu(
        model="Some Core",
        vendor="Maker",
        architecture="x86_64",
        physical_cores=8,
        logical_cores=16,
        performance_cores=4,
        efficiency_cores=4,
        quota_cores=2.5,
        usable_cores=3,
        usable_physical_cores=3,
        extensions=("AVX", "AVX2"),
        caches=Caches(l1d_bytes=32_768, l2_bytes=1_048_576),
        max_frequency_mhz=4700.0,
    ),
    memory=Memory(
        total_bytes=16_000_000_000,
        available_bytes=9_000_000_000,
        swap_total_bytes=2_000_000_000,
        swap_used_bytes=500_000_000,
        limit_bytes=4_000_000_000,
        headroom_bytes=3_000_000_000,
    ),
    power=Power(battery_percent=81.0, plugged_in=False, saver=True, speed_limit_percent=70.0),
    gpus=(
        Gpu(kind="cuda", present=True, usable=True, name="Card", memory_bytes=8_000_000_000),
        Gpu(kind="mps", present=False),
        Gpu(kind="xpu", present=True),
    ),
    torch=TorchBuild(
        version="2.2.2", blas="mkl", cpu_capability="AVX2", openmp="5.0", onednn=True, default_threads=4
    ),
    os=OperatingSystem(name="Linux", version="Debian 12", python="3.11.7"),
)


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> list[Hardware]:
    """What detection finds, one look after the other."""
    looks = [FULL]

    def detect(*, with_torch: bool) -> Hardware:
        assert with_torch
        return looks[0] if len(looks) == 1 else looks.pop(0)

    monkeypatch.setattr(HardwareScreen, "detected_by", staticmethod(detect))
    return looks


@asynccontextmanager
async def looking(app: TrmApp, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Desk]:
    """Open the hardware screen and wait until it has looked."""
    with quick():
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, pilot)
            await pilot.pause()
            app.switch_mode("hardware")
            await desk.seen(HardwareScreen)
            await desk.until(lambda: "Laptop 13" in line(app))
            yield desk


def line(app: TrmApp) -> str:
    return str(app.screen.query_one("#machine-line", Static).render())


# --- facts ----------------------------------------------------------------------------------------------


def words(machine: Hardware) -> str:
    return " ".join(f"{title} {label} {text}" for title, facts in groups(machine) for label, text in facts)


@pytest.mark.parametrize(
    "said",
    [
        "Some Core",
        "x86_64 · Maker",
        "8 physical, 16 logical",
        "4 fast, 4 efficient",
        "3 physical, 3 logical, 2.5 by quota",
        "up to 4.7 GHz",
        "AVX AVX2",
        "L1 32 KiB · L2 1 MiB",
        "210 GFLOP/s",
        "installed 16.0 GB",
        "available 3.0 GB",
        "limit 4.0 GB",
        "500 MB of 2.0 GB used",
        "CUDA Card · usable · 8.0 GB",
        "MPS none",
        "XPU there; torch was not asked",
        "BLAS mkl",
        "oneDNN built in",
        "4 by default",
        "81 %, on battery",
        "slowed down",
        "throttled to 70 %",
        "Linux Debian 12",
    ],
)
def test_what_is_known_is_said(said: str) -> None:
    assert said in words(FULL)


def test_what_is_not_known_is_said_to_be_unknown_or_left_out() -> None:
    text = words(Hardware())
    assert "Processor model unknown" in text
    assert "unknown physical, unknown logical" in text
    assert "Memory installed unknown" in text
    assert "battery" not in text
    assert "BLAS" not in text


def test_hostile_names_are_made_harmless() -> None:
    hostile = Hardware(machine="a\x1b[2Jb", cpu=Cpu(model="c\x9bd"))
    assert not set(words(hostile)) & set("\x1b\x9b")


# --- panels ---------------------------------------------------------------------------------------------


def panel_words(panel: BudgetPanel) -> str:
    return " ".join(" ".join(line.plain for line in panel.lines(60)).split())


def test_the_budget_is_what_is_available_or_what_is_configured() -> None:
    panel = BudgetPanel()
    panel.set_reactive(BudgetPanel.hardware, LAPTOP)
    panel.set_reactive(BudgetPanel.sample, BUSY)
    assert "budget 4.3 GB, all that is available" in panel_words(panel)
    assert "this app 610 MB of 8.0 GB" in panel_words(panel)
    assert "others 3.1 GB" in panel_words(panel)
    assert "limit a run above 3.9 GB halves its micro-batch" in panel_words(panel)
    panel.set_reactive(BudgetPanel.settings, MemoryConfig(budget_gb=2.0))
    assert "budget 2.0 GB, as memory.budget_gb says" in panel_words(panel)
    assert "limit a run above 1.6 GB halves its micro-batch" in panel_words(panel)
    panel.set_reactive(BudgetPanel.settings, MemoryConfig(guard=False))
    assert "limit none: memory.guard is off" in panel_words(panel)


@pytest.mark.parametrize(("hardware", "sample"), [(None, BUSY), (LAPTOP, Sample(0.0)), (Hardware(), BUSY)])
def test_a_budget_that_is_not_known_is_not_claimed(hardware: Hardware | None, sample: Sample) -> None:
    panel = BudgetPanel()
    panel.set_reactive(BudgetPanel.hardware, hardware)
    panel.set_reactive(BudgetPanel.sample, sample)
    assert panel_words(panel) == "not known"


@pytest.mark.parametrize("width", [1, 5, 11, 40])
def test_labels_stand_beside_text_at_every_width(width: int) -> None:
    from textual.content import Content

    lines = labelled("a long label", Content("some words to wrap"), width)
    assert " ".join(line.plain for line in lines).split()[-1] == "wrap"


# --- the screen -----------------------------------------------------------------------------------------


async def test_it_shows_what_was_found_and_what_goes_on(training: FakeWorkbench, app: TrmApp) -> None:
    async with looking(app) as desk:
        app.refresh_now()
        await desk.until(lambda: "oneDNN" in desk.words("DecisionsPanel"))
        assert "Some Core" in desk.words("FactsPanel")
        assert "measured 1.8 times as fast as MKL here" in desk.words("DecisionsPanel")
        assert "4.3 GB" in desk.words("BudgetPanel")
        assert "CPU" in desk.words("MachinePanel")
        training.close_slot(1)
        app.refresh_now()
        await desk.pilot.pause()
        assert "oneDNN" in desk.words("DecisionsPanel"), "the last run's choices stay"


async def test_it_looks_again_on_request(app: TrmApp, found: list[Hardware]) -> None:
    async with looking(app) as desk:
        found[:] = [FULL.model_copy(update={"machine": "Laptop 13", "cpu": Cpu(model="Another Core")})]
        await desk.press("r")
        await desk.until(lambda: "Another Core" in desk.words("FactsPanel"))


async def test_a_machine_that_runs_are_planned_for_is_named(app: TrmApp, bench: FakeWorkbench) -> None:
    bench.detected = load_profile("macbook-pro-2018-i5")
    async with looking(app):
        assert "runs are planned for macbook-pro-2018-i5" in line(app)


async def test_keys_scroll_and_leave(app: TrmApp) -> None:
    async with looking(app, size=(60, 15)) as desk:
        page = app.screen.query_one(Page)
        heights = []
        for key in ("down", "j", "k", "pagedown", "pageup", "end", "up", "home"):
            await desk.press(key)
            heights.append(page.scroll_y)
        last = page.max_scroll_y
        assert heights[:3] == [1, 2, 1]
        assert heights[3] > 5
        assert heights[4:] == [1 if heights[3] > page.size.height else heights[4], last, last - 1, 0]
        await desk.press("escape")
        await desk.seen(WelcomeScreen)


def test_every_action_of_the_table_exists() -> None:
    assert [name for name in action_names("hardware") if not hasattr(HardwareScreen, f"action_{name}")] == []


async def test_no_size_is_too_small_or_large(app: TrmApp) -> None:
    async with looking(app) as desk:
        for size in ((20, 5), (1, 1), (140, 45)):
            await desk.pilot.resize_terminal(*size)
            for key in keys_of("hardware"):
                if key.id != "hardware.back":
                    await desk.press(*names(key.keys))
            assert isinstance(app.screen, HardwareScreen)
