"""One file over HTTP, which goes on where an earlier transfer stopped."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from trm_engine.errors import ResourceError, UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.hub.pace import Limits, Pace
from trm_engine.text import format_bytes, safe_text

_ATTEMPTS = 5
"""Times a connection may break in one transfer, as long as each brings something."""
_WHOLE, _PARTIAL = 200, 206
DEFAULT = Limits()


class _BrokenError(Exception):
    """The connection broke, or was answered with an error."""


def transfer(
    url: str, partial: Path, size: int | None, what: str, progress: Progress, limits: Limits = DEFAULT
) -> None:
    """Complete the file `partial` to the `size` bytes at a URL, over the Hub library's connections.

    What the file holds already is kept, and asked for no more; what arrives is kept also when the transfer
    fails, or `progress` raises. `progress` hears (what, bytes, size). Raises `UsageError` where the
    connection breaks without bringing anything, the file is not of this size or passes `limits`, and
    `ResourceError` where the disk is full.
    """
    held = partial.stat().st_size if partial.exists() else 0
    if size is not None and held > size:
        partial.unlink()
        held = 0
    if size is not None and held == size and held:
        return
    _require_room(partial.parent, (size or 0) - held)
    broken: Exception | None = None
    pace = Pace(what, limits, size)
    for _ in range(_ATTEMPTS):
        before = held
        try:
            held = _receive(url, partial, held, size, what, progress, pace)
            broken = None
        except _BrokenError as error:
            held, broken = partial.stat().st_size, error
        if broken is None and size in (None, held):
            return
        if held <= before:
            break
    reason = f" ({safe_text(str(broken))[:120]})" if broken else ""
    of = "" if size is None else f" of {format_bytes(size)}"
    raise UsageError(
        f"{what} stopped after {format_bytes(held)}{of}{reason}; run it again, and it resumes from there"
    )


def _receive(
    url: str, partial: Path, held: int, size: int | None, what: str, progress: Progress, pace: Pace
) -> int:
    """Append what the server sends to the file, and return how many bytes it holds then."""
    try:
        with partial.open("ab") as file:
            for start, chunk in _chunks(url, held, pace.silence_seconds):
                if start == 0 and file.tell():
                    file.truncate(0)  # the server cannot go on from the middle
                file.write(chunk)
                held = start + len(chunk)
                if pace.is_too_much(held):
                    file.truncate(0)
                    raise pace.too_much()
                pace.took(len(chunk))
                progress(what, held, max(size or 0, held))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ResourceError(
            f"{what}: the disk of {safe_text(str(partial.parent))} is full; free some, then run it again"
        ) from error
    return held


def _chunks(url: str, held: int, silence: float) -> Iterator[tuple[int, bytes]]:
    """Yield the pieces of a file from byte `held`, or from the first where the server wants it so."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented there

    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    try:
        with get_session().stream("GET", url, headers=headers, timeout=silence) as response:
            if response.status_code not in (_WHOLE, _PARTIAL):
                raise _BrokenError(f"the server answered {response.status_code}")
            start = held if response.status_code == _PARTIAL else 0
            for chunk in response.iter_raw():
                yield start, chunk
                start += len(chunk)
    except _BrokenError:
        raise
    except Exception as error:  # whichever client the library uses, with error types of its own
        raise _BrokenError(f"{type(error).__name__}: {error}") from error


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ResourceError(
            f"the download needs {format_bytes(needed)} more, and {safe_text(str(folder))} has "
            f"{format_bytes(free)} free; free some, or set HF_HOME to a folder with room"
        )
