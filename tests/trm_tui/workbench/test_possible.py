"""What can be done to a run in each of its states, and that no refusal sends a person to another one."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.run_states import STATES, put
from trm_engine.config import Config
from trm_engine.errors import UsageError
from trm_tui.workbench.possible import Deed, possible, require
from trm_tui.workbench.snapshot import RunState

DEEDS: tuple[Deed, ...] = get_args(Deed)
TRAINING = {"pause", "checkpoint", "stop", "extend", "evaluate", "scale_lr", "close"}
POSSIBLE = {
    "empty": set(),
    "waiting": {"pause", "stop", "close"},
    "preparing": {"pause", "stop", "extend", "close"},
    "running": TRAINING,
    "pausing": TRAINING,
    "paused": {"pause", "stop", "extend", "scale_lr", "close"},
    "stopping": {"close"},
    "stopped": {"pause", "extend", "close"},
    "stopped, nothing saved": {"close"},
    "completed": {"extend", "close"},
    "diverged": {"pause", "extend", "close"},
    "failed": {"pause", "extend", "close"},
    "elsewhere": {"close"},
}
RECOMMENDED: dict[str, Deed] = {"space": "pause", "+": "extend", "shift+x": "close"}


def test_every_state_is_covered() -> None:
    assert {state.split(",")[0] for state in STATES} == set(get_args(RunState))
    assert set(POSSIBLE) == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_what_can_be_done(bench: FakeWorkbench, config: Config, state: str) -> None:
    put(bench, state, config)
    now = bench.snapshot()
    assert {deed for deed in DEEDS if not possible(deed, now).refusal} == POSSIBLE[state]


@pytest.mark.parametrize("state", STATES)
def test_a_refusal_names_only_keys_that_work(bench: FakeWorkbench, config: Config, state: str) -> None:
    put(bench, state, config)
    now = bench.snapshot()
    for deed in DEEDS:
        refusal = possible(deed, now).refusal
        for key, other in RECOMMENDED.items():
            if re.search(rf"(?:^|[ .]){re.escape(key)} \w", refusal):
                assert not possible(other, now).refusal, refusal


@pytest.mark.parametrize("state", STATES)
def test_what_is_required_is_what_is_offered(bench: FakeWorkbench, config: Config, state: str) -> None:
    put(bench, state, config)
    for deed in DEEDS:
        refusal = possible(deed, bench.snapshot()).refusal
        if refusal:
            with pytest.raises(UsageError, match=re.escape(refusal)):
                require(deed, bench.snapshot())
        else:
            require(deed, bench.snapshot())


@pytest.mark.parametrize(
    ("state", "label"),
    [("running", "pause"), ("waiting", "pause"), ("paused", "resume"), ("stopped", "resume")],
)
def test_space_says_what_it_does(bench: FakeWorkbench, config: Config, state: str, label: str) -> None:
    put(bench, state, config)
    assert possible("pause", bench.snapshot()).label == label
