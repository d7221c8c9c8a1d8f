"""Published weights in and out: a `.pt` file becomes a session, and a session's weights such a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trm_engine.config import Config, dumps, loads
from trm_engine.errors import ConfigError, UsageError
from trm_engine.hardware import detect
from trm_engine.inference.load import averaged_weights, named_step
from trm_engine.interop.weight_names import (
    absent_weights,
    from_published,
    inexpressible,
    our_name,
    published_name,
    to_published,
)
from trm_engine.interop.weights_file import origin_of, read_weights, write_weights
from trm_engine.learning.puzzle_learner import PuzzleLearner
from trm_engine.progress import Progress
from trm_engine.sessions import Checkpoint, Store, weights_sha256
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Examples
from trm_engine.text import safe_text
from trm_engine.tuning.choices import choose_threads

_LISTED = 3


@dataclass(frozen=True)
class Imported:
    """The session that published weights have become, and what a person should know of it."""

    session: str
    parameters: int
    weights_sha256: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Exported:
    """What was written, and from where."""

    session: str
    step: int
    parameters: int
    warnings: tuple[str, ...]


def import_published(
    store: Store, config: Config, file: Path, *, preset: str, name: str = "", progress: Progress | None = None
) -> Imported:
    """Make a session of published weights: at step 0, as if it had been trained this far elsewhere.

    The moving average equals the weights, the optimizer's moments are zero and every row of the batch waits
    for a puzzle, so that training resumes from here. The data are needed only where puzzles have embeddings.

    Raises `UsageError` when the file is not sound or not of this configuration, `SessionError` or
    `ResourceError` when the session cannot be written.
    """
    _require_expressible(config, safe_text(preset))
    weights = read_weights(file)
    origin = origin_of(file)
    task = build_puzzles(config.task, progress)
    learner = PuzzleLearner(config, _WithoutData(task))
    warnings = _load(learner, weights, file)
    threads, _ = choose_threads(config.runtime.threads, detect(with_torch=True))
    digest = weights_sha256(learner.weights())
    parameters = sum(parameter.numel() for parameter in learner.model.parameters())
    summary = {"steps": 0, "samples": 0, "parameters": parameters, "weights_sha256": digest}
    session = store.create(
        dumps(config),
        preset=preset,
        task=config.task.kind,
        name=name,
        status="imported",
        origin=origin,
        threads=threads,
        summary=summary,
    )
    try:
        with session:
            state = {"learner": learner.state(), "seconds": 0.0, "rollbacks": 0}
            session.save(Checkpoint(0, learner.weights(), learner.tensors(), state))
            session.log("info", f"imported from {origin.file}, sha256 {origin.sha256}")
            for warning in warnings:
                session.log("warning", warning)
    except BaseException:
        store.delete(session.id)  # a session without its checkpoint would be no use
        raise
    return Imported(session.id, parameters, digest, warnings)


def export_published(
    store: Store, ref: str, file: Path, *, checkpoint: str | None = None, raw: bool = False
) -> Exported:
    """Write a session's weights into a new file as the published code saves them, in float32.

    They are the moving average, or with `raw` the weights as training left them, of the newest sound
    checkpoint, that of a step, or the `best`. Raises `UsageError` when the file exists, or naming the setting
    that published weights cannot have; `SessionError` or `ResourceError` when it cannot be read or written.
    """
    session = store.get(ref)
    config = loads(session.config_text, f"session {session.id}")
    build_puzzles(config.task)  # other tasks have other models
    _require_expressible(config, f"session {session.id}")
    found, warnings = session.load(named_step(session, checkpoint))
    weights = to_published(found.weights if raw else averaged_weights(found), config)
    write_weights(file, {name: tensor.float().contiguous() for name, tensor in weights.items()})
    parameters = sum(tensor.numel() for name, tensor in weights.items() if _is_trained(name))
    return Exported(session.id, found.step, parameters, tuple(warnings))


def _is_trained(published: str) -> bool:
    return our_name(published) not in ("puzzle_emb", "y_init", "z_init")


def _require_expressible(config: Config, source: str) -> None:
    if problems := inexpressible(config):
        raise ConfigError(problems, source)


def _load(learner: PuzzleLearner, published: Mapping[str, Tensor], file: Path) -> tuple[str, ...]:
    """Put published weights into a fresh learner; return what a person should know."""
    where = safe_text(str(file))
    expected = learner.weights()
    given = _named(published, expected, absent_weights(learner.config), where)
    warnings = _fit_puzzle_embedding(given, expected["puzzle_emb"].shape)
    _require_shapes(given, expected, where)
    for name, tensor in given.items():
        if not bool(torch.isfinite(tensor).all()):
            raise UsageError(f"{where}: {published_name(name)} holds numbers that are not finite")
    learner.model.load_state_dict({**expected, **given})
    learner.ema.copy_(learner.parameters.values)
    return warnings


def _named(
    published: Mapping[str, Tensor], expected: Mapping[str, Tensor], absent: set[str], where: str
) -> dict[str, Tensor]:
    """Return published weights under our names; refuse unknown and missing ones."""
    wanted = expected.keys() - absent
    unexpected = [name for name in published if our_name(name) not in wanted]
    missing = sorted(wanted - {our_name(name) for name in published})
    problems = []
    if unexpected:
        problems.append(f"has {_some(unexpected)}, which this configuration lacks")
    if missing:
        problems.append(f"lacks {_some([published_name(name) for name in missing])}")
    if problems:
        raise UsageError(
            f"{where}: {'; '.join(problems)}. Choose the preset and settings it was trained with"
        )
    if len(published) != len(wanted):
        raise UsageError(f"{where}: holds a weight twice, with and without a prefix")
    return from_published(published)


def _fit_puzzle_embedding(given: dict[str, Tensor], expected: torch.Size) -> tuple[str, ...]:
    """Give every puzzle the mean of all rows where there are other puzzles; return a word about it."""
    rows = given.get("puzzle_emb")
    if rows is None or rows.dim() != 2 or rows.shape[1] != expected[1] or rows.shape == expected:
        return ()
    given["puzzle_emb"] = rows.float().mean(dim=0, keepdim=True).expand(expected)
    return (
        f"puzzle_emb.weights has {rows.shape[0]:,} rows for the {expected[0]:,} puzzle identifiers of this "
        f"task: each starts from the mean of all rows, as in the published code",
    )


def _require_shapes(given: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: str) -> None:
    for name in filter(given.__contains__, expected):
        # Theirs is told as it is in the file: positions have one dimension less there.
        found, wanted = (_shape(one[name], name) for one in (given, expected))
        if found != wanted:
            raise UsageError(
                f"{where}: {published_name(name)} has shape {found}, expected {wanted} for this configuration"
            )


def _shape(tensor: Tensor, name: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    return shape[:1] + shape[2:] if name == "embed_positions" else shape


def _some(names: Sequence[str]) -> str:
    """Count weights and name the first few of them, without what is in front of all names."""
    listed = ", ".join(safe_text(name.rpartition("inner.")[2])[:80] for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{len(names)} weight{'s' if len(names) > 1 else ''} ({listed}{more})"


class _WithoutData(Task):
    """A task's shapes with one row of padding: what a learner is made for that takes no step here."""

    def __init__(self, task: Task) -> None:
        self.vocab_size = task.vocab_size
        self.seq_len = task.seq_len
        self._num_puzzle_ids = task.num_puzzle_ids

    @property
    def num_puzzle_ids(self) -> int:
        """As many as the task has."""
        return self._num_puzzle_ids

    @property
    def train(self) -> Examples:
        """One row of padding."""
        row = np.zeros((1, self.seq_len), np.uint8)
        return Examples.of(row, row)

    @property
    def test(self) -> Examples:
        """As `train`."""
        return self.train

    @property
    def facts(self) -> dict[str, str]:
        """None."""
        return {}

    def load(self, path: str) -> Examples:
        """Return the same row: no file is read here."""
        del path
        return self.train

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return the rows as they are."""
        del rng
        return examples
