"""Answers kept by what decides them: the weights, the question and the settings."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_NAME = re.compile("[0-9a-f]{64}")


def cache_key(parts: Sequence[object]) -> str:
    """Return a digest of everything that decides an answer; parts are plain JSON values."""
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


class AnswerCache:
    """Bytes by key, least recently used first to go, bounded in bytes; optionally kept on disk as well.

    Any thread may call. Files that cannot be read or written are as good as absent: a cache only saves time.
    """

    def __init__(
        self, most_bytes: int, folder: Path | None = None, most_disk_bytes: int = 256_000_000
    ) -> None:
        self._most = most_bytes
        self._folder, self._most_disk = folder, most_disk_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.hits = self.misses = 0
        if folder is not None:
            with suppress(OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return self._bytes

    def get(self, key: str) -> bytes | None:
        """Return what was kept under a key, if it still is."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            else:
                found = self._read(key)
                if found is not None:
                    self._hold(key, found)
            self.hits += found is not None
            self.misses += found is None
            return found

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; one larger than an eighth of the cache is not kept."""
        if len(value) > self._most // 8:
            return
        with self._lock:
            self._hold(key, value)
            self._write(key, value)

    def _hold(self, key: str, value: bytes) -> None:
        self._bytes += len(value) - len(self._kept.pop(key, b""))
        self._kept[key] = value
        while self._bytes > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)

    def _read(self, key: str) -> bytes | None:
        if self._folder is None or not _NAME.fullmatch(key):
            return None
        with suppress(OSError, ValueError):
            path = self._folder / f"{key}.json"
            data = path.read_bytes()
            json.loads(data)
            os.utime(path)
            return data
        return None

    def _write(self, key: str, value: bytes) -> None:
        if self._folder is None:
            return
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(value)
            Path(name).replace(self._folder / f"{key}.json")
            self._prune(self._folder)

    def _prune(self, folder: Path) -> None:
        files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.json"))
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._most_disk:
                return
            path.unlink(missing_ok=True)
            total -= size
