"""Beginning from what another session has learned: its weights, and on request its optimizer's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from trm_engine.config import Config, diff, loads
from trm_engine.errors import ORIGIN, ConfigError, SessionError, UsageError
from trm_engine.inference.load import averaged_weights, named_step
from trm_engine.learning.learner import Learner
from trm_engine.sessions import Checkpoint, Parent, Session, Store, weights_sha256

_LISTED = 6


@dataclass(frozen=True)
class Origin:
    """The checkpoint that a run begins from: of a session, its newest, that of a step, or the `best`.

    With `optimizer`, the raw weights, their moving average and the optimizer's moments are taken over, as if
    training went on; else the moving average alone, with moments that begin at zero.
    """

    session: str
    checkpoint: str | None = None
    optimizer: bool = False

    @classmethod
    def parse(cls, text: str, *, optimizer: bool = False) -> Origin:
        """Read `SESSION[:STEP|best]`."""
        session, _, checkpoint = text.partition(":")
        if not session:
            raise UsageError(f'a beginning is SESSION, SESSION:STEP or SESSION:best, not "{text}"')
        return cls(session, checkpoint or None, optimizer)


def begin_from(store: Store, learner: Learner, origin: Origin) -> Parent:
    """Give a fresh learner the weights of another session; return what the new session says of it.

    Raises `ConfigError` when the models differ, `SessionError` when the checkpoint is missing or damaged.
    """
    session = store.get(origin.session)
    theirs = loads(session.config_text, f"session {session.id}")
    _require_same_model(session, theirs, learner)
    found, _ = session.load(named_step(session, origin.checkpoint))
    weights = found.weights if origin.optimizer else averaged_weights(found)
    _put(learner, _fitted(weights, learner, theirs), session)
    if origin.optimizer:
        _take_optimizer(learner, found)
    digest = weights_sha256(learner.weights())
    return Parent(
        session=session.id, step=found.step, how="finetuned", weights=digest, optimizer=origin.optimizer
    )


def beginning_of(store: Store, session: Session) -> Parent | None:
    """Return what a session, or the one that it replays or was forked from, began from.

    None stands for random weights.
    """
    parent = session.record.parent
    while parent is not None and parent.how in ("replayed", "forked"):
        parent = store.get(parent.session).record.parent
    return parent if parent is not None and parent.how == "finetuned" else None


def begin_again(store: Store, learner: Learner, parent: Parent) -> None:
    """Give a fresh learner the weights that a recorded run began from.

    Raises `SessionError` when they are not to be had any more.
    """
    try:
        again = begin_from(store, learner, Origin(parent.session, str(parent.step), parent.optimizer))
    except SessionError as error:
        raise SessionError(
            f"it began from step {parent.step} of session {parent.session}, which no longer exists, "
            f"so it cannot be run again ({error})"
        ) from error
    if again.weights != parent.weights:
        raise SessionError(
            f"it began from step {parent.step} of session {parent.session}, whose weights have changed, "
            "so it cannot be run again"
        )


def _require_same_model(session: Session, theirs: Config, learner: Learner) -> None:
    """Refuse a model of other shapes, naming every setting in which the two differ."""
    ours = learner.config
    problems = [
        f"{change.key}: is {change.b}, and {change.a} in session {session.id}"
        for change in diff(theirs, ours)
        if change.key.startswith("model.")
    ]
    if theirs.task.kind != ours.task.kind:
        problems.append(f'task.kind: is "{ours.task.kind}", and "{theirs.task.kind}" in session {session.id}')
    elif (theirs.task.vocab_size, theirs.task.seq_len) != (ours.task.vocab_size, ours.task.seq_len):
        problems.append(f"task: its grids are of another size than those of session {session.id}")
    known = session.record.vocabulary
    if known and known != learner.task.vocabulary:
        problems.append(f"task.data: the text has other characters than that of session {session.id}")
    if problems:
        raise ConfigError(problems[:_LISTED], ORIGIN)


def _fitted(weights: Mapping[str, Tensor], learner: Learner, theirs: Config) -> dict[str, Tensor]:
    """Return weights for this learner's puzzles: other puzzles begin from the mean of all embeddings."""
    found = dict(weights)
    wanted = learner.weights().get("puzzle_emb")
    rows = found.get("puzzle_emb")
    if wanted is not None and rows is not None and rows.numel():
        other = theirs.task != learner.config.task or rows.shape != wanted.shape
        if other and rows.shape[1:] == wanted.shape[1:]:
            found["puzzle_emb"] = rows.float().mean(dim=0, keepdim=True).expand(wanted.shape).clone()
    return found


def _put(learner: Learner, weights: Mapping[str, Tensor], session: Session) -> None:
    try:
        learner.model.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise SessionError(
            f"the weights of session {session.id} do not fit this configuration: {str(error).splitlines()[0]}"
        ) from error
    learner.ema.copy_(learner.parameters.values)


def _take_optimizer(learner: Learner, found: Checkpoint) -> None:
    learner.parameters.load(learner.ema, found.tensors, "ema.")
    learner.parameters.load(learner.optimizer.mean, found.tensors, "adam_mean.")
    learner.parameters.load(learner.optimizer.square, found.tensors, "adam_square.")
    # Adam corrects its moments by how many updates they have seen; checkpoints keep that with the counters.
    learner.counters.updates = int(found.state["learner"]["counters"]["updates"])
    learner.optimizer.updates = learner.counters.updates
