"""TensorBoard: event files of the session, in its folder `tensorboard/`.

They are written directly and not through a `SummaryWriter`: that one hides what its thread meets, such as a
full disk. A run that resumes begins another file, whose first event voids the steps that come again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

FOLDER = "tensorboard"


class TensorBoard:
    """Writes event files; numbers are kept in single precision, as TensorBoard keeps them."""

    takes_back = True

    def __init__(self, session: Path, passed_step: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter

        folder = session / FOLDER
        # A name begins with the second: a number behind it tells files of one second apart, in their order.
        number = len(list(folder.glob("events.out.tfevents.*")))
        self._writer = EventsWriter(str(folder / "events"), f".{number:04d}")
        if number:
            self.take_back(passed_step)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Write the figures of a step as scalars."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._writer.write_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def take_back(self, step: int) -> None:
        """Void what came after a step."""
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        start = SessionLog(status=SessionLog.START)
        self._writer.write_event(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def flush(self) -> None:
        """Bring the events to the file."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
