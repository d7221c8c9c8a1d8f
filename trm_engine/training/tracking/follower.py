"""Passes on what is appended to a session's `metrics.jsonl`: each record once, over all restarts."""

from __future__ import annotations

import json
from pathlib import Path

from trm_engine.files import Disk, JsonObject, read_text, write_atomically
from trm_engine.sessions.layout import METRICS
from trm_engine.sessions.metrics import REWIND, parse_record
from trm_engine.training.tracking.sink import Sink, figures_of

_MAX_STATE_BYTES = 1000


class Passed:
    """How far a tracker has been told: bytes of the file, and the last step; kept in the tracker's folder."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.bytes, self.step = 0, -1
        try:
            saved = json.loads(read_text(file, _MAX_STATE_BYTES))
            self.bytes, self.step = int(saved["bytes"]), int(saved["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # nothing was passed on yet, or nobody knows: from the beginning, then

    def save(self) -> None:
        """Write it down. Raises `OSError`."""
        text = json.dumps({"bytes": self.bytes, "step": self.step})
        write_atomically(Disk(), self._file, text.encode())


class Follower:
    """Gives a sink the records that it has not had."""

    def __init__(self, session: Path, sink: Sink, passed: Passed) -> None:
        self._metrics = session / METRICS
        self._sink, self._passed = sink, passed

    def advance(self) -> None:
        """Pass on what has been appended by now. Raises what the sink raises, and `OSError`."""
        before = self._passed.bytes
        try:
            with self._metrics.open("rb") as file:
                file.seek(before)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # still being written
                    if (record := parse_record(line)) is not None:
                        self._pass(record)
                    self._passed.bytes += len(line)
        except FileNotFoundError:
            return
        if self._passed.bytes != before:
            self._sink.flush()
            self._passed.save()

    def _pass(self, record: JsonObject) -> None:
        passed = self._passed
        if isinstance(back := record.get(REWIND), int):
            if self._sink.takes_back and back < passed.step:
                self._sink.take_back(back)
                passed.step = back
        elif isinstance(step := record.get("step"), int) and step >= passed.step:
            # Earlier steps come again after a crash, with the same figures; who takes nothing back has them.
            self._sink.write(step, figures_of(record))
            passed.step = step
