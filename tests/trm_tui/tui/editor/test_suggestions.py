"""The configuration editor: problems, the ways out of them, the fit, and the search."""

from __future__ import annotations

from tests.trm_tui.editor_pilot import SIX, Desk, shared
from tests.trm_tui.fake_engine import LAPTOP
from trm_engine.config import apply
from trm_engine.hardware import load_profile
from trm_engine.monitoring.monitor import Sample

WIDTH = "model.hidden_size"


# --- problems and ways out ------------------------------------------------------------------------------


@shared
async def test_a_way_out_is_offered_and_taken_while_typing(desk: Desk) -> None:
    desk.form.go_to("model.layers")
    await desk.press("enter", "backspace", "9", "9")
    await desk.advised()
    assert "F2 layers 32" in desk.text("FitPanel")
    await desk.press("f2")
    await desk.pilot.pause()
    assert desk.draft.texts["model.layers"] == "32"
    assert not desk.form.editing


@shared
async def test_each_way_out_has_a_key(desk: Desk) -> None:
    await desk.begin_anew(apply(SIX, ["model.mixer=attention", "model.positions=rope"]))
    for key, number in (("f2", 0), ("a", 0), ("f3", 1), ("f4", 2), ("f5", 3)):
        desk.screen.action_reset_all()
        for field in ("model.layers", "model.h_cycles", "train.steps"):
            assert desk.screen.document is not None
            desk.screen.document.type(field, "0")
        desk.screen.refresh_all()
        await desk.advised()
        assert desk.screen._advice is not None
        remedies = desk.screen._advice.remedies
        ((field, text),) = remedies[number].texts.items()
        await desk.press(key)
        await desk.until(lambda field=field, text=text: desk.draft.texts[field] == text)
        assert desk.form.key == field


@shared
async def test_a_key_without_a_way_out_says_so(desk: Desk) -> None:
    await desk.press("f5")
    await desk.until(lambda: "no problems" in desk.toasts)
    await desk.set("model.layers", "99")
    await desk.press("f5")
    await desk.until(lambda: "no such suggestion" in desk.toasts)


@shared
async def test_what_does_not_fit_can_be_made_to_fit_by_one_key(desk: Desk) -> None:
    await desk.set(WIDTH, "8192")
    await desk.advised()
    assert "✗ does not fit" in desk.text("FitPanel")
    await desk.press("a")
    await desk.pilot.pause()
    await desk.advised()
    assert "✓ fits" in desk.text("FitPanel")


@shared
async def test_the_next_problem_is_a_key_away(desk: Desk) -> None:
    await desk.press("p")
    assert "no problems" in desk.toasts
    await desk.set("model.layers", "0")
    await desk.set("train.lr", "x")
    found = []
    for _ in range(3):
        await desk.press("p")
        found.append(desk.form.key)
    assert found == ["model.layers", "train.lr", "model.layers"]


@shared
async def test_the_fit_follows_what_is_typed(desk: Desk) -> None:
    assert "params   103" in desk.text("FitPanel")
    before = desk.text("FitPanel")
    assert all(word in before for word in ("memory", "samples/s", "epoch", "total", "110 GFLOP/s"))
    await desk.set(WIDTH, "128")
    await desk.advised()
    assert "×" in desk.text("FitPanel")
    assert desk.text("FitPanel") != before


@shared
async def test_the_fit_follows_the_machine_s_memory(desk: Desk) -> None:
    assert "of 4.3 GB" in desk.text("FitPanel")
    desk.bench.sample = Sample(seconds=62.0, available_bytes=350_000_000)
    desk.app.tick()
    await desk.until(lambda: "✗ does not fit" in desk.text("FitPanel"))


@shared
async def test_without_a_measured_rate_a_run_tells_how_fast_the_machine_is(desk: Desk) -> None:
    desk.bench.detected = LAPTOP.model_copy(update={"gemm_gflops": None})
    desk.bench.start(SIX, preset="mine")
    desk.bench.run.advance(100)
    desk.app.refresh_now()
    await desk.until(lambda: "as mine runs" in desk.words("FitPanel"))


@shared
async def test_where_nothing_is_known_of_the_machine_nothing_is_claimed(desk: Desk) -> None:
    desk.bench.detected, desk.bench.sample = None, Sample(0.0)
    desk.screen.refresh_all()
    await desk.until(lambda: "memory of the machine unknown" in desk.words("FitPanel"))


@shared
async def test_a_machine_that_is_planned_for_throughout_is_named(desk: Desk) -> None:
    desk.bench.detected = load_profile("macbook-pro-2018-i5")
    desk.screen.refresh_all()
    assert "for macbook-pro-2018-i5" in desk.text("EditorTitle")


# --- search ---------------------------------------------------------------------------------------------


@shared
async def test_search_lists_what_has_the_words(desk: Desk) -> None:
    await desk.press("slash")
    await desk.type("decay xyz")
    assert desk.listed() == []
    assert "no field" in desk.text("#nothing")
    for _ in range(3):
        await desk.press("backspace")
    assert "train.weight_decay" in desk.listed()
    assert all("decay" in f"{key} {desk.draft.fields[key].help}".lower() for key in desk.listed())
    await desk.press("enter")
    assert desk.app.focused is None
    assert desk.form.key == desk.listed()[0]
    await desk.press("escape")
    assert desk.listed() == list(desk.draft.fields)


@shared
async def test_only_what_is_changed_or_wrong_can_be_listed(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.set("train.lr", "x")
    await desk.press("i")
    assert desk.listed() == [WIDTH, "train.lr"]
    await desk.press("i")
    assert len(desk.listed()) == len(desk.draft.fields)
