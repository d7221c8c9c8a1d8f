"""Sessions on disk: what a run writes, and how nothing of it is lost."""

from engine.runs.checkpoint import Checkpoint
from engine.runs.checkpoints import Best, CheckpointInfo
from engine.runs.history import HistoryEntry
from engine.runs.log import Event
from engine.runs.record import Origin, Parent, SessionRecord, Status
from engine.runs.session import Session
from engine.runs.store import Store, default_root
from engine.runs.tensors import weights_sha256

__all__ = [
    "Best",
    "Checkpoint",
    "CheckpointInfo",
    "Event",
    "HistoryEntry",
    "Origin",
    "Parent",
    "Session",
    "SessionRecord",
    "Status",
    "Store",
    "default_root",
    "weights_sha256",
]
