"""The figures of a run over time: `metrics.jsonl`, one JSON object a line, only ever appended to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import JsonObject, append_lines, disk_errors, open_plain
from trm_engine.sessions.seals import sealed_record, unsealed_record, with_end

REWIND = "rewind"
"""In a record of its own: the run resumed from this step, and what was recorded of later ones is void."""
_MAX_LINE_BYTES = 1_000_000
"""A longer line is no record: it is read in pieces, none of which is one."""


class Metrics:
    """Writes and reads the records. A record's place in time is its `step`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rewind: int | None = None

    def append(self, record: Mapping[str, object]) -> None:
        """Append one record of plain JSON values; NaN and infinities become null. Raises `ResourceError`."""
        if REWIND in record:
            raise ValueError(f"{REWIND!r} is not a name for a figure")
        line = sealed_record({**record})
        if self._rewind is not None:
            line = sealed_record({REWIND: self._rewind}) + line
        with disk_errors("write the metrics"):
            append_lines(self._path, line)
        self._rewind = None

    def rewind(self, step: int) -> None:
        """Say that the run resumes from `step`: what was recorded of later steps is void.

        Takes effect with the next record, so that a run that ends before it has done anything voids nothing.
        """
        self._rewind = step

    def read(self) -> list[JsonObject]:
        """Return the records that stand, in the order written; damaged lines are passed over.

        Raises `SessionError` when the file exists but cannot be read.
        """
        return self.read_through()[0]

    def read_event(self, event: str) -> list[JsonObject]:
        """Return the records of one kind of event that stand; most lines of others are not even parsed.

        Raises `SessionError` when the file exists but cannot be read.
        """
        marks = f'"{event}"'.encode(), f'"{REWIND}"'.encode()
        records: list[JsonObject] = []
        for line in self._lines():
            record = parse_record(line) if any(mark in line for mark in marks) else None
            if record is not None and REWIND in record:
                records = [kept for kept in records if not _is_after(kept, record[REWIND])]
            elif record is not None and record.get("event") == event:
                records.append(record)
        return records

    def read_through(self) -> tuple[list[JsonObject], list[int]]:
        """Return the records that stand, and the numbers (from 1) of the lines that are damaged.

        A last line that a crash has torn is not counted. Raises `SessionError` when the file cannot be read.
        """
        records: list[JsonObject] = []
        damaged: list[int] = []
        for number, line in enumerate(self._lines(), 1):
            record = parse_record(line)
            if record is None:
                if line.endswith(b"\n"):
                    damaged.append(number)
            elif REWIND in record:
                records = [kept for kept in records if not _is_after(kept, record[REWIND])]
            else:
                records.append(record)
        return records, damaged

    def _lines(self) -> Iterator[bytes]:
        try:
            with open_plain(self._path) as file:
                while line := file.readline(_MAX_LINE_BYTES):
                    yield with_end(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SessionError(f"cannot read {self._path}: {error.strerror or error}.") from error


def parse_record(line: bytes) -> JsonObject | None:
    """Return a line's record; None when it is damaged. Without its line end it may be a number cut short."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(unsealed_record(line))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _is_after(record: JsonObject, step: object) -> bool:
    found = record.get("step")
    return isinstance(found, (int, float)) and isinstance(step, (int, float)) and found > step
