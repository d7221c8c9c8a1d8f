"""What is queued, in a file of the sessions folder: it outlives the app; several processes may change it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from trm_engine.config import Config, dumps, loads
from trm_engine.errors import SessionError
from trm_engine.files import Disk, disk_errors, read_bytes, write_atomically
from trm_engine.text import safe_text

QUEUE = ".queue.json"
_LOCK, _RUNNER = ".queue.lock", ".queue-runner.lock"
_MOST_BYTES = 20_000_000
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Queued:
    """A run that is to come, or one that has begun and not ended well."""

    id: str
    preset: str
    """What the configuration came from."""
    config: str
    """As TOML."""
    name: str = ""
    session: str = ""
    """The session that it began; it is resumed."""
    problem: str = ""
    """Why it has ended badly; it is passed over then."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return safe_text(self.name or self.preset)

    def read(self) -> Config:
        """Return its configuration. Raises `ConfigError`."""
        return loads(self.config, f"queued {self.title}")


def queued(config: Config, preset: str, name: str = "") -> Queued:
    """Return a configuration as a run to come."""
    return Queued(secrets.token_hex(4), preset, dumps(config, only_changed=True), name)


class QueueFile:
    """The queue of a sessions folder, in its order. Methods raise `SessionError` or `ResourceError`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Not bound to a thread: whoever started the queue may not be who leaves it.
        self._runner = FileLock(root / _RUNNER, thread_local=False)

    def read(self) -> tuple[Queued, ...]:
        """Return everything that is queued."""
        path = self.root / QUEUE
        try:
            return _FILE.validate_json(read_bytes(path, _MOST_BYTES))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, ValidationError) as error:
            why = getattr(error, "strerror", None) or "it is damaged"
            raise SessionError(
                f"{safe_text(str(path))} cannot be read ({why}); delete it to begin an empty queue"
            ) from error

    @property
    def version(self) -> int:
        """What differs once the file has been written again, by whichever process."""
        try:
            return (self.root / QUEUE).stat().st_mtime_ns
        except OSError:
            return 0

    def add(self, runs: Sequence[Queued], at: int | None = None) -> int:
        """Add runs at the end, or at a place; return how many are queued then."""

        def added(items: list[Queued]) -> list[Queued]:
            place = len(items) if at is None else at
            return [*items[:place], *runs, *items[place:]]

        return len(self._change(added))

    def remove(self, run: str) -> None:
        """Take a run out; nothing where it is gone already."""
        self._change(lambda items: [item for item in items if item.id != run])

    def move(self, run: str, by: int) -> None:
        """Move a run down by so many places, or up."""

        def moved(items: list[Queued]) -> list[Queued]:
            here = next((n for n, item in enumerate(items) if item.id == run), None)
            if here is not None:
                item = items.pop(here)
                items.insert(min(max(here + by, 0), len(items)), item)
            return items

        self._change(moved)

    def note(self, run: str, **fields: str) -> None:
        """Note the session that a run has begun, or its problem."""
        self._change(lambda items: [replace(i, **fields) if i.id == run else i for i in items])

    def claim(self) -> None:
        """Become the one process that runs this queue. Raises `SessionError` where another does."""
        with disk_errors("write to the sessions folder"):
            self.root.mkdir(parents=True, exist_ok=True)
        try:
            self._runner.acquire(timeout=0)
        except Timeout:
            raise SessionError("another process runs this queue already") from None

    def release(self) -> None:
        """Let another process run it."""
        if self._runner.is_locked:
            self._runner.release(force=True)

    def _change(self, change: Callable[[list[Queued]], list[Queued]]) -> tuple[Queued, ...]:
        with disk_errors("write the queue"):
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(self.root / _LOCK, timeout=_PATIENCE_SECONDS):
                    items = tuple(change(list(self.read())))
                    data = _FILE.dump_json(items, indent=1)
                    write_atomically(Disk(), self.root / QUEUE, data)
            except Timeout:
                raise SessionError("another process is writing the queue; try again") from None
        return items


_FILE = TypeAdapter(tuple[Queued, ...])
