"""What others leave in the store, as the browser shows it: changes, nothing, hostile text, damage."""

from __future__ import annotations

import json

from tests.trm_tui.app_pilot import SIZE, until
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from tests.trm_tui.sessions_pilot import BASE, FAST, browsing
from trm_tui.tui.app import TrmApp
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.sessions.screen import SessionsScreen

HOSTILE = "\x1b[2J\u202eevil [bold]x[/] [/] \x9b31m"


async def test_what_another_process_changes_comes_to_be_seen(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("down")
        bench.store.rename(FAST, "renamed elsewhere")
        bench.store.delete(BASE)
        desk.screen.read_again()
        await desk.until(lambda: "renamed elsewhere" in text_of(full))
        assert desk.here == FAST


async def test_an_empty_store_says_what_to_do(app: TrmApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: not isinstance(app.screen, SessionsScreen))
        await pilot.press("s")
        await until(pilot, lambda: "no sessions yet: n trains a preset" in text_of(app))


async def test_hostile_text_is_shown_harmless(full: TrmApp, bench: FakeWorkbench) -> None:
    record = bench.store.root / BASE / "session.json"
    values = json.loads(record.read_text())
    values.update(name=HOSTILE, note=HOSTILE, preset=HOSTILE, tags=[HOSTILE], facts={HOSTILE: HOSTILE})
    record.write_text(json.dumps(values))
    shown: list[str] = []
    async with browsing(full, (140, 45)) as desk:
        await desk.until(lambda: "evil [bold]x[/] [/]" in text_of(full))
        for keys in (
            ["m"],
            ["escape", "f2"],
            ["escape", "T"],
            ["escape", "N"],
            ["escape", "ctrl+s"],
            ["escape"],
        ):
            await desk.press(*keys)
            await desk.pilot.pause()
            shown.append(text_of(full))
    assert not any(sign in text for text in shown for sign in "\x1b\u202e\x9b")
    assert any("[bold]x[/]" in text for text in shown)


async def test_a_record_that_cannot_be_read_is_listed_as_damaged(full: TrmApp, bench: FakeWorkbench) -> None:
    (bench.store.root / BASE / "session.json").write_text("{")
    async with browsing(full, (140, 45)) as desk:
        assert "? damaged" in text_of(full)
        await desk.press("home", "r")
        assert isinstance(full.screen, (SessionsScreen, DashboardScreen))
