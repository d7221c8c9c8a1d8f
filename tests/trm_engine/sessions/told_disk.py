"""A disk that tells of every operation before it is done. Nothing is synced: no test pulls the plug."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from trm_engine.files import Disk


class ToldDisk(Disk, ABC):
    """Calls `_operation` before each operation but a write, which subclasses do by halves."""

    @abstractmethod
    def _operation(self) -> None:
        """Hear of an operation; it may fail here, or end the process."""

    def make_folder(self, path: Path) -> None:
        self._operation()
        super().make_folder(path)

    def sync(self, path: Path) -> None:
        self._operation()

    def rename(self, source: Path, target: Path) -> None:
        self._operation()
        super().rename(source, target)

    def remove_file(self, path: Path) -> None:
        self._operation()
        super().remove_file(path)

    def remove_folder(self, path: Path) -> None:
        self._operation()
        super().remove_folder(path)
