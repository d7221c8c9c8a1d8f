"""A trained text model, read from a session's checkpoint to be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trm_engine.config import Config, loads
from trm_engine.errors import SessionError, UsageError
from trm_engine.inference.load import averaged_weights, named_step
from trm_engine.models.text import RecursiveText, build_text_model
from trm_engine.progress import Progress, silent
from trm_engine.sessions import Session, Store
from trm_engine.tasks.text.config import TextConfig
from trm_engine.tasks.text.task import TextTask
from trm_engine.tasks.text.vocabulary import Vocabulary
from trm_engine.text import safe_text


@dataclass(frozen=True)
class TrainedText:
    """A network with its moving-average weights, the characters it knows, and where it came from."""

    session: str
    step: int
    config: Config
    network: RecursiveText
    vocabulary: Vocabulary
    warnings: Sequence[str] = ()

    def task(self, progress: Progress = silent) -> TextTask:
        """Return the task that the model was trained on, in the model's own tokens."""
        assert isinstance(self.config.task, TextConfig)
        return TextTask(self.config.task, progress, self.vocabulary)


def load_text(store: Store, ref: str, checkpoint: str | None = None) -> TrainedText:
    """Load the text model of a session: its newest sound checkpoint, that of a step, or the `best`.

    The characters it knows come from the session's record, so the text itself may be gone. Raises
    `UsageError` when the session has not learned text.
    """
    session = store.get(ref)
    config = text_config(session)
    found, warnings = session.load(named_step(session, checkpoint))
    torch.set_num_threads(max(session.record.threads, 1))
    return text_model(session, found.step, config, averaged_weights(found), warnings)


def learned_text(session: Session) -> bool:
    """Return whether a session has learned text."""
    return isinstance(loads(session.config_text, f"session {session.id}").task, TextConfig)


def text_config(session: Session) -> Config:
    """Return the configuration of a session; raise `UsageError` when it has not learned text."""
    config = loads(session.config_text, f"session {session.id}")
    if not isinstance(config.task, TextConfig):
        kind = safe_text(config.task.kind)
        raise UsageError(
            f'session {session.id} has learned a "{kind}" task, and only a text model generates: '
            "trm-tui solve uses it"
        )
    return config


def text_model(
    session: Session, step: int, config: Config, weights: Mapping[str, Tensor], warnings: Sequence[str] = ()
) -> TrainedText:
    """Return the model that has these weights by name. Raises `SessionError` where they do not fit it."""
    vocabulary = Vocabulary(session.record.vocabulary)
    network = build_text_model(config, len(vocabulary), torch.Generator().manual_seed(0))
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise SessionError(
            f"session {session.id}: the weights of step {step} do not belong to its configuration and "
            f"vocabulary ({safe_text(str(error)).splitlines()[0]})"
        ) from error
    return TrainedText(session.id, step, config, network.requires_grad_(False), vocabulary, warnings)
