"""The mark of the best checkpoint: `checkpoints/best.json`, and the copy of it in every later manifest."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from trm_engine.files import Storage, read_bytes, write_atomically
from trm_engine.sessions.layout import BEST, MAX_TEXT_BYTES
from trm_engine.sessions.seals import check_object, sealed_object


class Best(BaseModel):
    """Which checkpoint scored highest."""

    model_config = ConfigDict(frozen=True)

    step: int = Field(ge=0)
    """Its step."""
    score: FiniteFloat
    """What it scored."""
    weights: str
    """Digest of its weights file: the mark is void once the step has been saved again with other weights."""


def write_best(storage: Storage, folder: Path, best: Best) -> None:
    """Replace the mark in a folder of checkpoints, atomically. Raises `OSError`."""
    write_atomically(storage, folder / BEST, sealed_object(best.model_dump()))


def read_best(folder: Path) -> tuple[Best, bool]:
    """Return the mark in a folder of checkpoints, and whether it has a digest.

    Raises `OSError` when it is missing or cannot be read, `ValueError` when it has changed or is none.
    """
    data = read_bytes(folder / BEST, MAX_TEXT_BYTES)
    sealed = check_object(data)
    return Best.model_validate_json(data), sealed
