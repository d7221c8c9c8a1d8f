"""A trained model, read from a session's checkpoint to be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trm_engine.config import Config, loads
from trm_engine.errors import SessionError, UsageError
from trm_engine.models.trm import TRM, build_model
from trm_engine.sessions import Checkpoint, Session, Store
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import PuzzleTask


@dataclass(frozen=True)
class Trained:
    """A network with its moving-average weights, and where it came from."""

    session: str
    step: int
    config: Config
    network: TRM
    warnings: Sequence[str]

    def task(self) -> PuzzleTask:
        """Return the task that the model was trained on; its puzzles load when they are first used."""
        return build_puzzles(self.config.task)


def load_trained(store: Store, ref: str, checkpoint: str | None = None) -> Trained:
    """Load the model of a session: its newest sound checkpoint, that of a step, or the `best`."""
    session = store.get(ref)
    config = loads(session.config_text, f"session {session.id}")
    if config.model.architecture != "puzzle":
        raise UsageError(
            f"session {session.id} has learned text: trm-tui generate writes with it, "
            "trm-tui eval measures it"
        )
    found, warnings = session.load(named_step(session, checkpoint))
    ids = found.weights["puzzle_emb"].shape[0]
    network = build_model(config, ids, torch.Generator().manual_seed(0))
    network.load_state_dict(averaged_weights(found))
    torch.set_num_threads(max(session.record.threads, 1))
    return Trained(session.id, found.step, config, network.requires_grad_(False), warnings)


def averaged_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return weights and buffers by name, the moving average in place of the raw weights."""
    averaged = {
        name.removeprefix("ema."): tensor
        for name, tensor in checkpoint.tensors.items()
        if name.startswith("ema.")
    }
    return {**checkpoint.weights, **averaged}


def named_step(session: Session, checkpoint: str | None) -> int | None:
    """Return the step that `--checkpoint` names: a number or `best`; None for the newest.

    Raises `SessionError` when there is no best yet, `UsageError` for other words.
    """
    if checkpoint is None:
        return None
    if checkpoint == "best":
        if session.best is None:
            raise SessionError(f"session {session.id} has not been evaluated, so no checkpoint is the best")
        return session.best.step
    if not checkpoint.isdecimal():
        raise UsageError(f'--checkpoint is a step or "best", not "{checkpoint}"')
    return int(checkpoint)
