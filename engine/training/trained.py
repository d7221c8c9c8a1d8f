"""A trained model, read from a session's checkpoint to be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.config import Config, loads
from engine.errors import SessionError, UsageError
from engine.models.trm import TRM, build_model
from engine.runs import Session, Store
from engine.tasks import build_puzzles
from engine.tasks.base import PuzzleTask


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
    found, warnings = session.load(_step(session, checkpoint))
    ids = found.weights["puzzle_emb"].shape[0]
    network = build_model(config, ids, torch.Generator().manual_seed(0))
    averaged = {
        name.removeprefix("ema."): tensor for name, tensor in found.tensors.items() if name.startswith("ema.")
    }
    network.load_state_dict({**found.weights, **averaged})
    torch.set_num_threads(max(session.record.threads, 1))
    return Trained(session.id, found.step, config, network.requires_grad_(False), warnings)


def _step(session: Session, checkpoint: str | None) -> int | None:
    if checkpoint is None:
        return None
    if checkpoint == "best":
        if session.best is None:
            raise SessionError(f"session {session.id} has not been evaluated, so no checkpoint is the best")
        return session.best.step
    if not checkpoint.isdecimal():
        raise UsageError(f'--checkpoint is a step or "best", not "{checkpoint}"')
    return int(checkpoint)
