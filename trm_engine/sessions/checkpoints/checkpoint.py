"""One checkpoint: what training needs to go on bit for bit, as a folder of safetensors and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trm_engine.files import Bytes, JsonObject, Storage
from trm_engine.sessions.checkpoints.best import Best
from trm_engine.sessions.checkpoints.manifest import (
    DamagedError,
    Manifest,
    Sealing,
    check_names,
    read_manifest,
    read_sealed,
)
from trm_engine.sessions.checkpoints.tensors import byte_count, parse_safetensors, safetensors_pieces
from trm_engine.sessions.layout import MANIFEST, STATE, TENSORS, WEIGHTS
from trm_engine.sessions.record import now

if TYPE_CHECKING:
    from torch import Tensor

_HEADERS = 4096


@dataclass(frozen=True)
class Checkpoint:
    """The whole state of training after `step` optimizer updates."""

    step: int
    weights: dict[str, Tensor]
    """The raw weights of the model, by name."""
    tensors: dict[str, Tensor]
    """Everything else that is a tensor: moving average, optimizer, carry, generators."""
    state: JsonObject
    """Everything that is none: counters, cursors, schedules. Plain JSON with finite numbers."""


def estimated_bytes(checkpoint: Checkpoint) -> int:
    """Return about how much room a checkpoint takes on disk."""
    tensors = [*checkpoint.weights.values(), *checkpoint.tensors.values()]
    return (
        sum(byte_count(tensor) + _HEADERS // 16 for tensor in tensors)
        + _HEADERS
        + len(_to_json(checkpoint.state))
    )


def write_checkpoint(
    storage: Storage,
    folder: Path,
    checkpoint: Checkpoint,
    serial: int,
    *,
    best: Best | None = None,
    score: float | None = None,
) -> None:
    """Write a checkpoint into a new folder and bring all of it to the medium, the manifest last.

    With `score` this one is the best from now on, else `best` is.
    Raises `OSError`, and `TypeError` for a state that JSON would not give back as it is.
    """
    contents: dict[str, Iterable[Bytes]] = {
        WEIGHTS: safetensors_pieces(checkpoint.weights),
        TENSORS: safetensors_pieces(checkpoint.tensors),
        STATE: [_to_json(checkpoint.state)],
    }
    storage.make_folder(folder)
    seals = {}
    for name, pieces in contents.items():
        sealing = Sealing()
        storage.write(folder / name, sealing.through(pieces))
        storage.sync(folder / name)
        seals[name] = sealing.seal
    if score is not None:
        best = Best(step=checkpoint.step, score=score, weights=seals[WEIGHTS].sha256)
    manifest = Manifest(step=checkpoint.step, serial=serial, time=now(), files=seals, best=best)
    storage.write(folder / MANIFEST, [manifest.to_bytes()])
    storage.sync(folder / MANIFEST)
    storage.sync(folder)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint; nothing is parsed before its digest is right. Raises `DamagedError`."""
    manifest = read_manifest(folder)
    try:
        check_names(folder, manifest)
    except OSError as error:
        raise DamagedError(f"it cannot be read: {error.strerror or error}") from error
    try:
        return Checkpoint(
            manifest.step,
            parse_safetensors(read_sealed(folder, WEIGHTS, manifest.files[WEIGHTS])),
            parse_safetensors(read_sealed(folder, TENSORS, manifest.files[TENSORS])),
            _from_json(read_sealed(folder, STATE, manifest.files[STATE])),
        )
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"it was saved by something else than trm-tui: {error}") from error


def _to_json(state: JsonObject) -> bytes:
    data = json.dumps(state, allow_nan=False).encode()
    if json.loads(data) != state:
        raise TypeError("the state of a checkpoint must be plain JSON: text keys, lists, no tuples")
    return data


def _from_json(data: bytes) -> JsonObject:
    state = json.loads(data, parse_constant=_refuse)
    if not isinstance(state, dict):
        raise ValueError("its state is not a table")
    return state


def _refuse(name: str) -> None:
    raise ValueError(f"its state has the number {name}")
