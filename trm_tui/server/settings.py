"""What a server was started with, and the bounds it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Bounds on what anybody may ask for; tests lower them."""

    body_bytes: int = 1_000_000
    body_seconds: float = 15.0
    """Until a request's body must have arrived."""
    header_seconds: float = 10.0
    """Until the first request of a connection must have arrived."""
    solve_seconds: float = 60.0
    """Of refinement for one answer."""
    max_steps: int = 128
    views: int = 16
    steps_in_all: int = 512
    """Steps of all views together."""
    batch_puzzles: int = 1000
    batches_running: int = 4
    batches_kept: int = 16
    batch_rows: int = 16
    """Puzzles of one batch that are in flight together: others find room beside them."""
    open_questions: int = 256
    connections: int = 512
    streams: int = 64
    """Training streams that are open together."""
    requests_per_second: float = 200.0
    """Of one client that ask for work; twice as many at once."""
    wrong_tokens_per_minute: float = 20.0
    chats: int = 8
    """Messages that are answered together; those that talk to one language model take turns."""
    chats_waiting: int = 32
    """Messages that wait for one of those."""
    chat_seconds: float = 300.0
    """Of a language model for one answer."""
    grace_seconds: float = 3.0
    """For answers under way when the server is stopped."""


@dataclass(frozen=True)
class ServerSettings:
    """How a server is reached and what it allows."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    """What clients must show; empty for none."""
    allow_hosts: tuple[str, ...] = ()
    """Further names that the server may be called by."""
    allow_origins: tuple[str, ...] = ()
    """Web sites whose pages may call the API."""
    allow_training: bool = False
    root_path: str = ""
    """Path under which a proxy makes the server known."""
    cache_bytes: int = 64_000_000
    cache_folder: Path | None = None
    idle_seconds: float = 0.0
    """Models unused for so long are unloaded; 0 keeps them."""
    limits: Limits = field(default_factory=Limits)
