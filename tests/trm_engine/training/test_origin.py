"""Runs that begin from another session: what they take over, what they refuse, and how they replay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.program import TINY
from trm_engine.config import apply, loads
from trm_engine.errors import ConfigError, SessionError, UsageError
from trm_engine.inference.load import averaged_weights
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.origin import Origin
from trm_engine.training.replay import replay
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume, start

CONFIG = loads(TINY, "tiny")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


def run(store: Store, config=CONFIG, **options) -> str:
    return start(store, config, Sitting(Control()), preset="tiny", **options).session


def first_weights(store: Store, session: str):
    return store.get(session).load(0)[0]


def kept(config, *more: str):
    return apply(config, ["checkpoint.keep=50", "checkpoint.every_steps=1", *more])


def test_a_run_begins_from_the_average_of_another(store: Store) -> None:
    parent = run(store)
    child = run(store, kept(CONFIG, "train.seed=5"), origin=Origin(parent))
    last = store.get(parent).load()[0]
    first = first_weights(store, child)
    for name, tensor in averaged_weights(last).items():
        assert torch.equal(first.weights[name], tensor), name
    for name, tensor in averaged_weights(first).items():
        assert torch.equal(first.weights[name], tensor), name
    found = store.get(child).record.parent
    assert found is not None
    assert (found.session, found.step, found.how, found.optimizer) == (parent, 6, "finetuned", False)
    assert len(found.weights) == 64


def test_the_optimizer_can_be_taken_along(store: Store) -> None:
    parent = run(store)
    child = run(store, kept(CONFIG), origin=Origin(parent, optimizer=True))
    last, first = store.get(parent).load()[0], first_weights(store, child)
    for name in last.weights:
        assert torch.equal(first.weights[name], last.weights[name])
    for name, tensor in last.tensors.items():
        if name.startswith(("adam_mean.", "adam_square.", "ema.")):
            assert torch.equal(first.tensors[name], tensor), name
    assert first.state["learner"]["counters"]["updates"] == last.state["learner"]["counters"]["updates"]
    assert first.state["learner"]["counters"]["step"] == 0


def test_a_named_checkpoint_is_taken(store: Store) -> None:
    parent = run(store, kept(CONFIG))
    for named, step in (("3", 3), ("best", store.get(parent).best.step), (None, 6)):
        child = run(store, origin=Origin(parent, named))
        assert store.get(child).record.parent.step == step
    with pytest.raises(SessionError, match="no checkpoint of step 99"):
        run(store, origin=Origin(parent, "99"))


@pytest.mark.parametrize("optimizer", [False, True])
def test_it_is_replayed_and_resumed_bit_for_bit(store: Store, optimizer: bool) -> None:
    parent = run(store)
    child = run(store, kept(CONFIG), origin=Origin(parent, optimizer=optimizer))
    done = replay(store, child, Sitting(Control()))
    assert done.agrees
    again = replay(store, done.finished.session, Sitting(Control()))  # a replay of the replay
    assert again.agrees
    whole = store.get(child).load()[0].weights
    half = run_half(store, parent, optimizer)
    for name, tensor in store.get(half).load()[0].weights.items():
        assert torch.equal(tensor, whole[name]), name


def run_half(store: Store, parent: str, optimizer: bool) -> str:
    sitting = Sitting(Control(), steps=2)
    config = kept(CONFIG)
    session = start(store, config, sitting, preset="tiny", origin=Origin(parent, optimizer=optimizer)).session
    resume(store, session, Sitting(Control()))
    return session


def test_a_replay_without_its_beginning_is_refused(store: Store) -> None:
    parent = run(store)
    child = run(store, origin=Origin(parent))
    store.delete(parent)
    with pytest.raises(SessionError, match="no longer exists"):
        replay(store, child, Sitting(Control()))


def test_a_replay_from_other_weights_is_refused(store: Store) -> None:
    parent = run(store)
    child = run(store, origin=Origin(parent))
    record = store.get(child).record
    store.get(child).update(parent=record.parent.model_copy(update={"weights": "0" * 64}))
    with pytest.raises(SessionError, match="have changed"):
        replay(store, child, Sitting(Control()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["model.hidden_size=16"], "model.hidden_size: is 16, and 8 in session"),
        (["model.hidden_size=16", "model.layers=1"], "model.layers"),
        (["task.box_cols=3"], "another size"),
    ],
)
def test_another_model_is_refused_before_there_is_a_session(store: Store, change, said: str) -> None:
    parent = run(store)
    with pytest.raises(ConfigError, match=said):
        run(store, apply(CONFIG, [*change, "task.clues=12"]), origin=Origin(parent))
    assert len(store.list()) == 1


def test_other_puzzles_begin_from_the_mean_embedding(store: Store, tmp_path: Path) -> None:
    embedded = apply(CONFIG, ["model.puzzle_emb_ndim=8"])
    parent = run(store, embedded)
    child = run(store, kept(apply(embedded, ["task.seed=7"])), origin=Origin(parent))
    rows = averaged_weights(store.get(parent).load()[0])["puzzle_emb"]
    assert torch.allclose(first_weights(store, child).weights["puzzle_emb"], rows.mean(0, keepdim=True))


@pytest.mark.parametrize("text", ["", ":3", ":best"])
def test_a_session_must_be_named(text: str) -> None:
    with pytest.raises(UsageError, match="SESSION"):
        Origin.parse(text)


def test_the_command_takes_it(tmp_path: Path) -> None:
    from tests.program import told

    (tmp_path / "tiny.toml").write_text(TINY)
    parent = told(tmp_path, "sessions", "run", "tiny.toml", "--name", "first")[-1]["session"]
    child = told(tmp_path, "sessions", "run", "tiny.toml", "--from", "first:best")[-1]["session"]
    record = json.loads((tmp_path / "sessions" / child / "session.json").read_text())
    assert record["parent"]["session"] == parent
    assert record["parent"]["how"] == "finetuned"
