"""A session's model is loaded as it was saved, whatever it has learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trm_engine.config import dumps
from trm_engine.errors import SessionError, UsageError
from trm_engine.inference.load import from_weights, load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.inference.text_model import TextModel
from trm_engine.sessions import Checkpoint, Store


@pytest.fixture
def store(tmp_path: Path, tiny) -> Store:
    """A store with one session: the weights of step 7, whose moving average is 1 everywhere."""
    config, model = tiny()
    made = Store(tmp_path / "sessions")
    with made.create(dumps(config), "tiny", threads=3) as session:
        averaged = {f"ema.{name}": torch.ones_like(one) for name, one in model.named_parameters()}
        session.save(Checkpoint(7, model.state_dict(), averaged, {}))
    return made


def test_the_moving_average_is_what_is_loaded(store: Store) -> None:
    model = load(store, "latest")
    assert isinstance(model, PuzzleModel)
    assert (model.step, model.config.model.hidden_size) == (7, 16)
    for parameter in model.network.parameters():
        assert (parameter == 1).all()
        assert not parameter.requires_grad


def test_loading_leaves_the_caller_s_threads_alone(store: Store) -> None:
    torch.set_num_threads(1)
    load(store, "latest")
    assert torch.get_num_threads() == 1


def test_what_a_session_has_not_learned_is_refused_before_its_weights_are_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = store.get("latest")
    for file in session.path.rglob("*.safetensors"):
        file.unlink()
    with pytest.raises(UsageError, match=f"session {session.id} has learned puzzles; ask it for answers"):
        load(store, "latest", expect=TextModel)


def test_weights_at_hand_make_the_same_model(store: Store, tiny) -> None:
    config, network = tiny()
    model = from_weights(store, "unsaved", 3, config, network.state_dict())
    assert (model.session, model.step) == ("unsaved", 3)
    assert all(
        torch.equal(a, b) for a, b in zip(model.network.parameters(), network.parameters(), strict=True)
    )


def test_weights_of_another_configuration_are_an_error_for_people(store: Store, tiny) -> None:
    config, _ = tiny()
    _, other = tiny("attention")
    with pytest.raises(SessionError, match="the weights of step 3 do not belong to its configuration"):
        from_weights(store, "unsaved", 3, config, other.state_dict())
    with pytest.raises(SessionError, match="lack puzzle_emb"):
        from_weights(store, "unsaved", 3, config, {})
