"""Texts that are known by name: downloaded once, and checked whenever they are used.

They are kept in the user's data folder; `TRM_DATA_DIR` names another.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from trm_engine.errors import ResourceError, UsageError
from trm_engine.files import sha256_of, whole_file
from trm_engine.paths import DATA_VARIABLE, data_folder, in_home
from trm_engine.progress import Progress, silent
from trm_engine.remedies import FetchData, NameData
from trm_engine.tasks.hub.pace import Limits, Pace
from trm_engine.text import did_you_mean, format_bytes, one_line, safe_text

_CHUNK_BYTES = 1 << 16
DEFAULT = Limits()
_OWN_TEXT = NameData(what="a text of your own")


@dataclass(frozen=True)
class KnownText:
    """A text that can be fetched: where it is, and how it is known to be the right one."""

    name: str
    title: str
    url: str
    size: int
    """In bytes."""
    sha256: str


KNOWN: Mapping[str, KnownText] = MappingProxyType(
    {
        "tinyshakespeare": KnownText(
            name="tinyshakespeare",
            title="40,000 lines from the plays of Shakespeare, as Andrej Karpathy put them together",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            size=1_115_394,
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        )
    }
)


def place_of(text: KnownText) -> Path:
    """Return the file that a text is kept in, whether it is there or not."""
    return data_folder() / f"{text.name}.txt"


def known_text(name: str) -> KnownText:
    """Return the text of that name. Raises `UsageError` when there is none."""
    if name not in KNOWN:
        raise UsageError(f'no text is known as "{safe_text(name)}".{did_you_mean(name, KNOWN)}')
    return KNOWN[name]


def located(data: str, progress: Progress = silent) -> Path:
    """Return the file that `task.data` means: a known text, checked whole, or a path.

    Raises `UsageError` when a known text has not been fetched or is damaged, or a path cannot be one.
    """
    known = KNOWN.get(data)
    if known is None:
        try:
            return in_home(Path(data))
        except RuntimeError as error:  # ~somebody who does not exist
            raise UsageError(f"task.data: {safe_text(data)}: {error}") from error
    path = place_of(known)
    if not path.is_file():
        raise UsageError(
            f"{known.name} is not downloaded yet",
            remedies=[FetchData(known.name, format_bytes(known.size)), _OWN_TEXT],
        )
    if not is_whole(known, path, progress):
        raise UsageError(
            f"{safe_text(str(path))} is not {known.name} (its sha256 differs)",
            remedies=[FetchData(known.name), _OWN_TEXT],
        )
    return path


def is_whole(text: KnownText, path: Path, progress: Progress = silent) -> bool:
    """Return whether a file is that text, to the last bit."""
    try:
        return (
            path.stat().st_size == text.size
            and sha256_of(path, progress, f"checking {text.name}") == text.sha256
        )
    except OSError:
        return False


def fetch(text: KnownText, progress: Progress = silent, limits: Limits = DEFAULT) -> Path:
    """Download a text, unless it is here already; return its file, which appears whole or not at all.

    What `progress` raises ends it, and leaves nothing. Raises `UsageError` when it cannot be downloaded or is
    not what it should be, `ResourceError` when it cannot be written.
    """
    path = place_of(text)
    if is_whole(text, path):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary, temporary.open("wb") as out:
            _download(text, out, progress, limits)
    except OSError as error:
        raise ResourceError(
            f"{safe_text(str(path))} cannot be written ({error.strerror or error}); "
            f"let {DATA_VARIABLE} name another folder"
        ) from error
    return path


def _download(text: KnownText, out: IO[bytes], progress: Progress, limits: Limits) -> None:
    digest, done = hashlib.sha256(), 0
    pace = Pace(f"downloading {text.name}", limits, text.size)
    with closing(_parts(text, limits)) as parts:
        for part in parts:
            pace.took(len(part))
            done += len(part)
            digest.update(part)
            out.write(part)
            progress(f"downloading {text.name}", min(done, text.size), text.size)
    if done != text.size:
        came = "more than" if done > text.size else f"{done:,} of"
        raise _failed(text, f"{came} its {text.size:,} bytes came")
    if digest.hexdigest() != text.sha256:
        raise _failed(text, "its sha256 is not the one that is known")


def _parts(text: KnownText, limits: Limits) -> Generator[bytes, None, None]:
    """Yield the text as it comes from the network, one byte more than it should have at most."""
    left = text.size + 1
    try:
        with urllib.request.urlopen(text.url, timeout=limits.silence_seconds) as answer:  # noqa: S310  # pinned
            # What has come so far, not a whole piece: a slow server is to be noticed.
            while left > 0 and (part := answer.read1(min(_CHUNK_BYTES, left))):
                left -= len(part)
                yield part
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise _failed(text, f"{error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _failed(text, str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _failed(text, str(error) or type(error).__name__) from error


def _failed(text: KnownText, why: str) -> UsageError:
    return UsageError(
        f"{text.name} could not be downloaded ({one_line(why)}): try again with a network",
        remedies=[_OWN_TEXT],
    )
