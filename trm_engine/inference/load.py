"""Loading a trained model: from a session's checkpoint, or from weights that are at hand.

Nothing here decides how many threads compute: that is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, overload

from torch import Tensor

from trm_engine.config import Config, loads
from trm_engine.config.kinds import kind_of
from trm_engine.config.registry import imported
from trm_engine.errors import SessionError, UsageError
from trm_engine.inference.model import Model
from trm_engine.sessions import Checkpoint, Session, Store

M = TypeVar("M", bound=Model)


@overload
def load(store: Store, ref: str, checkpoint: str | None = ...) -> Model: ...
@overload
def load(store: Store, ref: str, checkpoint: str | None = ..., *, expect: type[M]) -> M: ...


def load(store: Store, ref: str, checkpoint: str | None = None, *, expect: type[Model] = Model) -> Model:
    """Load the model of a session: its newest valid checkpoint, that of a step, or the `best`.

    Raises `UsageError` when the session has learned something else than `expect`, `SessionError` when it or
    the checkpoint is missing or damaged.
    """
    session = store.get(ref)
    configuration = session.configuration
    config = loads(configuration.text, f"session {session.id}")
    kind = model_class(config)
    if not issubclass(kind, expect):
        raise UsageError(f"session {session.id} has learned {kind.learned}", remedies=kind.used_for)
    found, warnings = session.load(named_step(session, checkpoint))
    return from_weights(
        store, session.id, found.step, config, averaged_weights(found), (*configuration.warnings, *warnings)
    )


def from_weights(
    store: Store,
    session: str,
    step: int,
    config: Config,
    weights: Mapping[str, Tensor],
    warnings: Sequence[str] = (),
) -> Model:
    """Return the model that has these weights by name, for instance those of a run under way.

    Raises `SessionError` where they do not fit the configuration.
    """
    return model_class(config).from_weights(store, session, step, config, weights, tuple(warnings))


def model_class(config: Config) -> type[Model]:
    """Return the class of the models that a configuration trains."""
    return imported(kind_of(config).model, Model)


def averaged_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Return weights and buffers by name, the moving average in place of the raw weights."""
    averaged = {
        name.removeprefix("ema."): tensor
        for name, tensor in checkpoint.tensors.items()
        if name.startswith("ema.")
    }
    return {**checkpoint.weights, **averaged}


def named_step(session: Session, checkpoint: str | None) -> int | None:
    """Return the step that a person names: a number or `best`; None for the newest.

    Raises `SessionError` when there is no best yet, `UsageError` for other words.
    """
    if checkpoint is None:
        return None
    if checkpoint == "best":
        if session.best is None:
            raise SessionError(f"session {session.id} has not been evaluated, so no checkpoint is the best")
        return session.best.step
    if not checkpoint.isdecimal():
        raise UsageError(f'a checkpoint is named by its step or "best", not "{checkpoint}"')
    return int(checkpoint)
