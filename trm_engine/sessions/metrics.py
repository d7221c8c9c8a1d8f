"""The figures of a run over time: `metrics.jsonl`, one JSON object a line, only ever appended to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import JsonObject, append_lines, disk_errors
from trm_engine.json_text import finite

_REWIND = "rewind"


class Metrics:
    """Writes and reads the records. A record's place in time is its `step`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rewind: int | None = None

    def append(self, record: Mapping[str, object]) -> None:
        """Append one record of plain JSON values; NaN and infinities become null. Raises `ResourceError`."""
        if _REWIND in record:
            raise ValueError(f"{_REWIND!r} is not a name for a figure")
        line = _line(record)
        if self._rewind is not None:
            line = _line({_REWIND: self._rewind}) + line
        with disk_errors("write the metrics"):
            append_lines(self._path, line)
        self._rewind = None

    def rewind(self, step: int) -> None:
        """Say that the run goes on from `step`: what was recorded of later steps is void.

        Takes effect with the next record, so that a run that ends before it has done anything voids nothing.
        """
        self._rewind = step

    def read(self) -> list[JsonObject]:
        """Return the records that stand, in the order written. Lines that a crash has torn are passed over.

        Raises `SessionError` when the file exists but cannot be read.
        """
        records: list[JsonObject] = []
        try:
            with self._path.open("rb") as file:
                for line in file:
                    record = _parse(line)
                    if record is None:
                        continue
                    if _REWIND in record:
                        records = [kept for kept in records if not _is_after(kept, record[_REWIND])]
                    else:
                        records.append(record)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SessionError(f"cannot read {self._path}: {error.strerror or error}.") from error
        return records


def _line(record: Mapping[str, object]) -> bytes:
    return (json.dumps(finite(record), allow_nan=False, separators=(",", ":")) + "\n").encode()


def _parse(line: bytes) -> JsonObject | None:
    """Return a line's record. None when it is torn; without its line end it may be a number cut short."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _is_after(record: JsonObject, step: object) -> bool:
    found = record.get("step")
    return isinstance(found, (int, float)) and isinstance(step, (int, float)) and found > step
