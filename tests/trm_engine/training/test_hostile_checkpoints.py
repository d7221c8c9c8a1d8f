"""Checkpoints whose seal is right and whose content is not: some other program made them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from trm_engine.errors import SessionError
from trm_engine.sessions import Checkpoint, Store
from trm_engine.training.runs import resume, start


@pytest.fixture
def run(tmp_path, make_config, make_sitting) -> tuple[Store, str]:
    store = Store(tmp_path / "sessions")
    return store, start(store, make_config(), make_sitting(steps=2), preset="tiny").session


HOSTILE: dict[str, Any] = {
    "digest no text": {"counters": {"digest": 3}},
    "digest no number": {"counters": {"digest": "xyz"}},
    "half a step": {"counters": {"step": 0.5}},
    "samples no number": {"counters": {"samples": []}},
    "a negative count": {"counters": {"updates": -1}},
    "rate no number": {"counters": {"lr_scale": "1"}},
    "no counters": {"counters": None},
    "no such counter": {"counters": {"colour": 1}},
    "no sampler": {"sampler": []},
    "no generator": {"rng": {"bit_generator": "x"}},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_strange_state_is_refused_as_such(run: tuple[Store, str], make_sitting, kind: str) -> None:
    store, session_id = run
    with store.open(session_id) as session:
        found, _ = session.load()
        state = copy.deepcopy(found.state)
        for part, change in HOSTILE[kind].items():
            learner = state["learner"]
            learner[part] = {**learner[part], **change} if isinstance(change, dict) else change
        session.save(Checkpoint(found.step, found.weights, found.tensors, state))
    with pytest.raises(SessionError, match="does not belong to its configuration"):
        resume(store, session_id, make_sitting())


def test_a_weight_too_many_is_refused(run: tuple[Store, str], make_sitting) -> None:
    from trm_engine.inference.load import load

    store, session_id = run
    with store.open(session_id) as session:
        found, _ = session.load()
        weights = {**found.weights, "extra": torch.zeros(2)}
        session.save(Checkpoint(found.step, weights, found.tensors, found.state))
    with pytest.raises(SessionError, match="belong"):
        load(store, session_id)
    with pytest.raises(SessionError, match="belong"):
        resume(store, session_id, make_sitting())
