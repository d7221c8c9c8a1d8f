"""A fork: a new session that goes on as the old one would, which stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import TINY
from trm_engine.config import apply, loads
from trm_engine.errors import SessionError
from trm_engine.sessions import Store
from trm_engine.sessions.fork import fork_session
from trm_engine.training.control import Control
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume, start


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


def test_a_fork_goes_on_bit_for_bit_and_the_original_stays(store: Store) -> None:
    config = apply(
        loads(TINY, "tiny"),
        ["train.steps=8", "checkpoint.every_steps=4", "checkpoint.every_seconds=0", "checkpoint.keep=9"],
    )
    whole = start(store, config, Sitting(Control()), preset="tiny")
    before = sorted(path.name for path in (store.root / whole.session).rglob("*"))
    copy = fork_session(store, whole.session, step=4, name="again")
    found = store.get(copy)
    assert (found.record.name, found.saved_steps) == ("again", [4])
    assert found.record.parent is not None
    assert (found.record.parent.session, found.record.parent.how) == (whole.session, "forked")
    assert all(record["step"] <= 4 for record in found.metrics.read())
    assert resume(store, copy, Sitting(Control())).weights_sha256 == whole.weights_sha256
    assert sorted(path.name for path in (store.root / whole.session).rglob("*")) == before
    assert store.get(whole.session).saved_steps[-1] == 8


def test_a_fork_from_nowhere_leaves_nothing(store: Store) -> None:
    config = apply(loads(TINY, "tiny"), ["train.steps=2"])
    whole = start(store, config, Sitting(Control()), preset="tiny")
    with pytest.raises(SessionError):
        fork_session(store, whole.session, step=99)
    assert [record.id for record in store.list()] == [whole.session]
