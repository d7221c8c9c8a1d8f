"""The watch screen with a model that writes: samples, starts, live weights; and the studio behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch
from textual.pilot import Pilot
from textual.widgets import TextArea

from tests.trm_tui.app_pilot import toasts, until
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from trm_engine.config import Config, apply, dumps
from trm_engine.errors import UsageError
from trm_engine.models.text import build_text_model
from trm_engine.sessions import Checkpoint, Store
from trm_engine.tasks.text.config import TextConfig
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.presets.screen import WelcomeScreen
from trm_tui.tui.watch.screen import WatchScreen
from trm_tui.workbench.watch.generated_text import LENGTH, Passage
from trm_tui.workbench.watch.model_host import Studio, Subject
from trm_tui.workbench.workbench import Look

TEXT = Config(
    task=TextConfig(context=8),
    model={  # type: ignore[arg-type]  # pydantic makes it a section
        "architecture": "text",
        "mixer": "attention",
        "positions": "rope",
        "hidden_size": 8,
        "heads": 2,
    },
)


class FakeAuthor:
    """A studio whose model writes the sample's number and its own step."""

    asked: list[tuple[str, int]]

    def __init__(self, _store: object, _progress: object) -> None:
        FakeAuthor.asked, self.step = [], 0

    def load_session(self, ref: str, checkpoint: str | None) -> Subject:
        self.step = 500
        return Subject(ref, "poet", 500, live=False, writes=True)

    def load_look(self, look: Look) -> Subject:
        self.step = look.step
        return Subject(look.session, "poet", look.step, live=True, writes=True)

    def count(self) -> int:
        return 0

    def check_start(self, start: str) -> str:
        if "☃" in start:
            raise UsageError("the start has characters that the model has never seen")
        return start

    def write(
        self, start: str, number: int, tell: Callable[[Passage], None], stopping: Callable[[], bool]
    ) -> Passage:
        self.asked.append((start, number))
        text = f", said sample {number + 1} of step {self.step}\x1b[2J"
        tell(Passage(start, number, text[:4]))
        return Passage(start, number, text, done=True)


@asynccontextmanager
async def reading(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pilot[int]]:
    """Open the screen and wait for the first text."""
    monkeypatch.setattr(WatchScreen, "host_of_models", FakeAuthor)
    async with app.run_test(size=(110, 30)) as pilot:
        app.switch_mode("watch")
        await until(pilot, lambda: isinstance(app.screen, WatchScreen))
        app.refresh_now()
        await shows(pilot, app, "said sample 1 of step")
        yield pilot


async def shows(pilot: Pilot[int], app: TrmApp, words: str) -> None:
    await until(pilot, lambda: words in text_of(app))


async def test_a_text_model_writes_at_once(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(app, monkeypatch) as pilot:
        await shows(pilot, app, "written")
        assert "poet, step 500 · sample 1" in text_of(app)
        assert "\x1b[2J" not in text_of(app)


async def test_keys_ask_for_other_samples(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(app, monkeypatch) as pilot:
        for key, number in (("down", 2), ("space", 3), ("k", 2), ("up", 1), ("up", 1)):
            await pilot.press(key)
            await shows(pilot, app, f"said sample {number} of step 500")


async def test_what_the_text_begins_with_is_typed(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(app, monkeypatch) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, Write))
        app.screen.query_one(TextArea).text = "ROMEO☃"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "never seen" in toasts(app) and isinstance(app.screen, Write))
        assert app.screen.query_one(TextArea).text == "ROMEO☃", "it is there to be corrected"
        app.screen.query_one(TextArea).text = "ROMEO"
        await pilot.press("ctrl+s")
        await shows(pilot, app, "ROMEO, said sample 1")
        await pilot.press("escape")
        await until(pilot, lambda: FakeAuthor.asked[-1] == ("", 0) and "ROMEO" not in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))


async def test_keys_of_puzzles_say_that_they_are(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(app, monkeypatch) as pilot:
        for key in ("right", "comma", "y", "o"):
            await pilot.press(key)
            await until(pilot, lambda: "For puzzles only" in toasts(app))
            app.clear_notifications()
        await pilot.press("shift+down", "pageup")
        assert "sample 1" in text_of(app)


async def test_a_live_run_writes_again_and_again(
    app: TrmApp, bench: FakeWorkbench, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WatchScreen, "again_after_seconds", 0.01)
    bench.start(config, preset="poet")
    steps = iter(range(100, 10**6, 100))

    def look(receive: Callable[[Look], None]) -> bool:
        receive(Look("20260320-120000-live", next(steps), TEXT, {}))
        return True

    bench.look = look  # type: ignore[method-assign]
    async with reading(app, monkeypatch) as pilot:
        await shows(pilot, app, "(live)")
        await until(pilot, lambda: len(FakeAuthor.asked) > 3)
        assert set(FakeAuthor.asked) == {("", 0)}, "the same luck, so that only the model differs"
        before = len(FakeAuthor.asked)
        app.switch_mode("dashboard")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await pilot.pause(0.1)
        assert len(FakeAuthor.asked) <= before + 2, "a screen that nobody sees has nothing written"


async def test_figures_of_text_are_on_the_dashboard(
    app: TrmApp, bench: FakeWorkbench, config: Config
) -> None:
    from tests.trm_tui.fake_engine import stepped
    from trm_engine.training.events import Evaluated

    bench.start(apply(TEXT, ["train.steps=3000"]), preset="poet")
    none = dict.fromkeys(("exact_accuracy", "cell_accuracy", "supervision_steps", "lm_loss", "q_halt_loss"))
    async with app.run_test(size=(140, 45)) as pilot:
        for step in (250, 500):
            bench.run.recorder(stepped(step, **none))
            figures = {"windows": 300, "val_loss": 500 / step + 0.5, "bits_per_character": 2.164}
            bench.run.recorder(Evaluated(step, False, figures))
        app.switch_mode("dashboard")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        app.refresh_now()
        await shows(pilot, app, "Bits per character")
        shown = text_of(app)
        assert "1.500 at step 500" in shown
        assert "loss 2.5000 on 300 held-out windows" in shown
        for word in ("exact", "Accuracy", "Halting", "puzzles"):
            assert word not in shown
        best = bench.snapshot().best
        assert best is not None
        assert best.step == 500


# --- the studio with a real model -------------------------------------------------------------------------


def weights(seed: int) -> dict[str, torch.Tensor]:
    network = build_text_model(TEXT, 4, torch.Generator().manual_seed(seed))
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one session `poet`: a model of the characters a, b and c at step 10. Its text is gone."""
    made = Store(tmp_path / "sessions")
    with made.create(dumps(TEXT), "poet", name="poet", threads=1) as session:
        session.update(vocabulary="abc")
        averaged = {f"ema.{name}": tensor for name, tensor in weights(1).items()}
        session.save(Checkpoint(10, weights(2), averaged, {}))
    return made


def everything(studio: Studio, start: str = "ab", number: int = 0) -> str:
    return studio.write(start, number, lambda _: None, lambda: False).text


def test_the_studio_writes_with_the_averaged_weights(store: Store) -> None:
    studio = Studio(store, lambda *_: None)
    subject = studio.load_session("poet", None)
    assert (subject.writes, subject.step, subject.live, studio.count()) == (True, 10, False, 0)
    first = everything(studio)
    assert len(first) == LENGTH
    assert set(first) <= set("abc")
    assert everything(studio) == first != everything(studio, number=1)
    live = studio.load_look(Look(subject.session, 12, TEXT, weights(1)))
    assert (live.writes, live.live, live.step) == (True, True, 12)
    assert everything(studio) == first, "the same weights write the same"


def test_a_text_is_told_as_it_grows_and_can_be_given_up(store: Store) -> None:
    studio = Studio(store, lambda *_: None)
    studio.load_session("poet", None)
    heard: list[Passage] = []
    passage = studio.write("a", 0, heard.append, lambda: len(heard) == 5)
    assert [len(one.text) for one in heard] == [1, 2, 3, 4, 5]
    assert passage == heard[-1]
    assert not passage.done


def test_a_start_that_the_model_cannot_read_is_refused(store: Store) -> None:
    studio = Studio(store, lambda *_: None)
    studio.load_session("poet", None)
    assert studio.check_start("cab") == "cab"
    with pytest.raises(UsageError, match="never seen"):
        studio.check_start("dab")
