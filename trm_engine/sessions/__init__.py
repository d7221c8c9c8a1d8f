"""Sessions on disk: what a run writes, and how nothing of it is lost."""

from trm_engine.sessions.checkpoints.best import Best
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import CheckpointInfo
from trm_engine.sessions.checkpoints.tensors import weights_sha256
from trm_engine.sessions.history import HistoryEntry
from trm_engine.sessions.log import Event
from trm_engine.sessions.record import Origin, Parent, SessionRecord, Status
from trm_engine.sessions.session import Session
from trm_engine.sessions.store import Store

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
    "weights_sha256",
]
