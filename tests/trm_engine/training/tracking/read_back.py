"""Reads what trackers have written: event files of TensorBoard, and offline files of Weights & Biases."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from trm_engine.sessions import Session
from trm_engine.training.tracking.sink import figures_of

Figures = dict[tuple[str, int], float]
"""Values by name and step."""


def recorded(session: Session) -> Figures:
    """Return what the session itself has recorded."""
    return {
        (name, record["step"]): value
        for record in session.metrics.read()
        for name, value in figures_of(record).items()
    }


def single(figures: Figures) -> Figures:
    """Return figures in single precision, as TensorBoard keeps them."""
    return {key: struct.unpack("f", struct.pack("f", value))[0] for key, value in figures.items()}


def of_tensorboard(folder: Path) -> Figures:
    """Return what TensorBoard would show of a folder: its files in order, without what was voided."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    found: Figures = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for data in _framed(path.read_bytes()):
            event = Event.FromString(data)
            if event.session_log.status == SessionLog.START:
                found = {(name, step): value for (name, step), value in found.items() if step < event.step}
            for value in event.summary.value:
                assert (value.tag, event.step) not in found, "a figure is written twice"
                found[value.tag, event.step] = value.simple_value
    return found


def _framed(data: bytes) -> Iterator[bytes]:
    """Yield the records of a TFRecord file: length, its checksum, content, its checksum."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        yield data[at + 12 : at + 12 + length]
        at += length + 16


def of_wandb(folder: Path) -> tuple[set[str], Figures]:
    """Return the ids of the runs in a folder of Weights & Biases, and the figures in their order."""
    from wandb.proto.wandb_internal_pb2 import Record

    ids: set[str] = set()
    found: Figures = {}
    for path in sorted(folder.glob("offline-run-*/run-*.wandb")):
        for data in _logged(path.read_bytes()):
            record = Record.FromString(data)
            if record.WhichOneof("record_type") == "run":
                ids.add(record.run.run_id)
            for item in record.history.item:
                name = "/".join(item.nested_key) or item.key
                if not name.startswith("_"):
                    found[name, record.history.step.num] = float(json.loads(item.value_json))
    return ids, found


def _logged(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log in LevelDB's form, which begins with seven bytes of its own."""
    at, held = 7, b""
    while at + 7 <= len(data):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        held += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or its last part
            yield held
            held = b""
