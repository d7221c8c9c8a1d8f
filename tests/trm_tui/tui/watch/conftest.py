from __future__ import annotations

import pytest

from tests.trm_tui.fake_model_host import FakeStudio
from trm_tui.tui.app import TrmApp
from trm_tui.tui.watch.screen import WatchScreen


@pytest.fixture
def stage(app: TrmApp, monkeypatch: pytest.MonkeyPatch) -> TrmApp:
    """The app, with films that are made without a model."""
    monkeypatch.setattr(WatchScreen, "host_of_models", FakeStudio)
    return app
