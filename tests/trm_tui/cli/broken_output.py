"""Streams behind which something goes wrong, and the program run in this process with them."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trm_tui.cli.main import main


class Broken(io.TextIOWrapper):
    """A stream that takes `writes` of them and then fails with an error number, once or for good."""

    def __init__(
        self, writes: int, code: int = errno.EPIPE, *, once: bool = False, encoding: str = "utf-8"
    ) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self._left, self._code, self._once = writes, code, once

    def write(self, text: str) -> int:
        self._left -= 1
        if self._left == -1 or (self._left < 0 and not self._once):
            raise OSError(self._code, os.strerror(self._code))
        return super().write(text)

    @property
    def text(self) -> str:
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def ran(
    monkeypatch: pytest.MonkeyPatch,
    sessions: Path,
    *words: str,
    out: io.TextIOBase | None = None,
    err: io.TextIOBase | None = None,
) -> int:
    """Run a command with these streams and return its exit code."""
    monkeypatch.setattr(sys, "stdout", out or Broken(1 << 30))
    monkeypatch.setattr(sys, "stderr", err or Broken(1 << 30))
    with pytest.raises(SystemExit) as ended, _descriptors_kept():
        main(["--no-ui", "--sessions-dir", str(sessions), *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@contextmanager
def _descriptors_kept() -> Iterator[None]:
    """Give the tests their own descriptors back: what is lost on them goes nowhere at a program's end."""
    before = [(number, os.dup(number)) for number in (1, 2)]
    try:
        yield
    finally:
        for number, copy in before:
            os.dup2(copy, number)
            os.close(copy)
