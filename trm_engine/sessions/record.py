"""What a session says of itself: `session.json`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from trm_engine.errors import SessionError, UsageError
from trm_engine.files import Storage, read_bytes, write_atomically
from trm_engine.json_text import finite
from trm_engine.sessions.layout import LATEST, MAX_TEXT_BYTES, RECORD
from trm_engine.sessions.seals import check_object, sealed_object
from trm_engine.text import one_line, quoted, safe_text

Status = Literal[
    "created",
    "imported",
    "running",
    "paused",
    "completed",
    "stopped",
    "diverged",
    "failed",
    "interrupted",
    "unsaved",
    "damaged",
]
"""Seen, not written: `interrupted` (running, but its lock is free), `unsaved` (that, with no checkpoint) and
`damaged` (no readable record)."""

FORMAT = 1
_FIXED = ("format", "id", "created", "updated")
_TAG = re.compile(r"[\w.:/+-]{1,40}")
_MAX_NAME = 80
_LARGEST = 10**30


def _plausible(moment: datetime) -> datetime:
    """Refuse a moment that another time zone would move out of the calendar, or that is before computers."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError("it is not between the years 1970 and 9000")
    return moment


def _plain_numbers(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse NaN, infinities and whole numbers that no count reaches: to show or sum them would fail."""
    pending: list[JsonValue] = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            pending.extend(found.values())
        elif isinstance(found, list):
            pending.extend(found)
        elif isinstance(found, float) and not math.isfinite(found):
            raise ValueError("it holds a number that is none (NaN or infinity)")
        elif isinstance(found, int) and abs(found) > _LARGEST:
            raise ValueError("it holds an absurdly large number")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A time between 1970 and 9000."""
Values = Annotated[dict[str, JsonValue], AfterValidator(_plain_numbers)]
"""JSON whose numbers are finite."""


class Parent(BaseModel):
    """The session that this one began from."""

    model_config = ConfigDict(frozen=True)

    session: str
    """Its id."""
    step: int
    """The step of the checkpoint that was taken over; 0 when only the configuration was."""
    how: Literal["resumed", "replayed", "extended", "finetuned", "forked"]
    """What was done with it."""
    weights: str = ""
    """Digest of the weights that were taken over; empty where none were."""
    optimizer: bool = False
    """Whether the optimizer's state was taken over as well."""


class Origin(BaseModel):
    """The file of published weights that a session began from."""

    model_config = ConfigDict(frozen=True)

    file: str
    """Its name, without the folder."""
    bytes: int
    """Its size."""
    sha256: str
    """Digest of its content."""


class SessionRecord(BaseModel):
    """Identity, state and provenance of a session. Frozen: a change makes a new record."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = FORMAT
    """Version of this layout."""
    id: str
    """The name of the session's folder."""
    name: str = ""
    """What a person calls it; need not be unique."""
    preset: str = ""
    """The preset or file that the configuration came from."""
    task: str = ""
    """Kind of the task."""
    status: Status = "created"
    """How far the session has come."""
    created: Moment
    """When it was made (UTC)."""
    updated: Moment
    """When this record last changed (UTC)."""
    parent: Parent | None = None
    """What it was resumed, replayed, extended or fine-tuned from."""
    origin: Origin | None = None
    """Where its weights came from; None when they were drawn at random."""
    tags: tuple[str, ...] = ()
    """Words to find it by, sorted."""
    note: str = ""
    """A person's own words."""
    hardware: Values = Field(default_factory=dict)
    """The machine it ran on."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of what computed it."""
    data: Values = Field(default_factory=dict)
    """Fingerprint of the data."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What a person should know of the data."""
    vocabulary: str = ""
    """The characters that a text model knows, those of tokens 1, 2, …; empty for puzzles."""
    threads: int = 0
    """Threads that computed, of each rank; 0 when not known yet."""
    ranks: int = 1
    """Processes that computed together."""
    device: str = ""
    """Where it computed last: `cpu`, `cuda:0`; empty when not known."""
    numerics: int = 1
    """Version of the step's arithmetic that the session began with; 1 where none was recorded."""
    trial: str = ""
    """Name of the experiment that it is a run of: `trial_digest` of its configuration."""
    summary: Values = Field(default_factory=dict)
    """Accuracy, steps, samples, seconds, weights_sha256 and resources so far."""

    def changed(self, fields: Mapping[str, object]) -> SessionRecord:
        """Return a copy with other values, checked, and `updated` set to now.

        Raises `TypeError` for a field that is unknown or fixed, `ValueError` for a value of a wrong type.
        """
        wrong = sorted(name for name in fields if name not in SessionRecord.model_fields or name in _FIXED)
        if wrong:
            raise TypeError(f"a session's record has no field to change called {', '.join(wrong)}")
        # A figure of a run may be NaN; JSON has none.
        plain = {name: finite(value) for name, value in fields.items()}
        return SessionRecord.model_validate({**self.model_dump(), **plain, "updated": now()})


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(timezone.utc)


def installed_versions() -> dict[str, str]:
    """Return the versions that decide a run's numbers, found without importing what they are versions of."""
    return {"python": python_version(), **{name: _version(name) for name in ("torch", "numpy", "trm-tui")}}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def read_record(folder: Path) -> SessionRecord:
    """Read the record in a session's folder. Raises `SessionError` when it is missing or damaged."""
    try:
        data = read_bytes(folder / RECORD, MAX_TEXT_BYTES)
        check_object(data)
        record = SessionRecord.model_validate_json(data.decode())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        problem = safe_text(f"{where}: {first['msg']}")
    except (OSError, ValueError) as error:
        problem = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    else:
        if record.format <= FORMAT:
            # The folder's name decides, so that a folder copied or renamed by hand is a session of its own.
            return record.model_copy(update={"id": folder.name})
        problem = "it was written by a newer version of trm-tui"
    raise SessionError(f"session {folder.name} is damaged: {RECORD} cannot be used ({problem}).")


def write_record(storage: Storage, folder: Path, record: SessionRecord) -> None:
    """Replace the record in a session's folder, atomically. Raises `OSError`."""
    write_atomically(storage, folder / RECORD, sealed_object(record.model_dump(mode="json")))


def check_name(name: str) -> str:
    """Return a name as it will be kept, on one line. Raises `UsageError` when it cannot be one."""
    kept = one_line(name, None)
    if len(kept) > _MAX_NAME:
        raise UsageError(f"a session's name has at most {_MAX_NAME} characters; this one has {len(kept)}.")
    if kept == LATEST:
        raise UsageError(f'"{LATEST}" always means the newest session: choose another name.')
    return kept


def check_tag(tag: str) -> str:
    """Return a tag. Raises `UsageError` when it is not one short word."""
    if not _TAG.fullmatch(tag):
        raise UsageError(
            f"{quoted(tag)} is not a valid tag: use one word of letters, digits and . : / + - _, at most 40."
        )
    return tag
