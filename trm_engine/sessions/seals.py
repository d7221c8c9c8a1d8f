"""Digests by which the small files of a session show that they have changed since they were written.

A digest is of the bytes themselves, so that checking one costs next to nothing, and stands where it is in
nobody's way: as the last member of a JSON object, as the first line of a configuration, at the end of a line
that is appended. What was written before there were digests has none, and counts as valid.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from contextlib import suppress

from trm_engine.files import JsonObject
from trm_engine.json_text import finite

_IN_OBJECT = re.compile(rb',\n  "sha256": "([0-9a-f]{64})"\n\}\n\Z')
_FIRST_LINE = re.compile(r"# sha256: ([0-9a-f]{64})\n")
_CRC_DIGITS = 8


class ChangedError(ValueError):
    """A file, or a line of one, is not what was written."""

    def __init__(self) -> None:
        super().__init__("it has changed since it was written")


def sealed_object(content: JsonObject) -> bytes:
    """Return a file's content: a JSON object with at least one member, and its digest as the last."""
    text = json.dumps(_storable(content), indent=2, allow_nan=False).encode()
    start = text.removesuffix(b"\n}")
    return start + b',\n  "sha256": "' + _sha256(start) + b'"\n}\n'


def check_object(data: bytes) -> bool:
    """Return whether such a file has a digest. Raises `ChangedError` when it is wrong."""
    found = _IN_OBJECT.search(data)
    if found is None:
        return False
    if _sha256(data[: found.start()]) != found[1]:
        raise ChangedError
    return True


def sealed_text(text: str) -> bytes:
    """Return a text file's content with its digest as a comment on the first line."""
    data = text.encode("utf-8", "backslashreplace")
    return b"# sha256: " + _sha256(data) + b"\n" + data


def unsealed_text(text: str) -> tuple[str, bool]:
    """Return a text file's content without its digest, and whether it has one. Raises `ChangedError`."""
    found = _FIRST_LINE.match(text)
    if found is None:
        return text, False
    rest = text[found.end() :]
    if _sha256(rest.encode()) != found[1].encode():
        raise ChangedError
    return rest, True


def sealed_record(record: JsonObject) -> bytes:
    """Return a line of JSON with a check value as its last member; NaN and infinities become null."""
    start = json.dumps(_storable(record), allow_nan=False, separators=(",", ":")).encode().removesuffix(b"}")
    return start + b',"crc32":"' + _crc32(start) + b'"}\n'


def unsealed_record(line: bytes) -> bytes:
    """Return such a line without its check value. Raises `ChangedError` when that is wrong."""
    start = _before_check(line.removesuffix(b"\n"), b',"crc32":"', b'"}')
    return line if start is None else start + b"}\n"


def sealed_line(line: bytes) -> bytes:
    """Return a line of text, without its end, as it is appended: with a check value, and ended."""
    return line + b" #" + _crc32(line) + b"\n"


def unsealed_line(line: bytes) -> bytes:
    """Return such a line without check value and end. Raises `ChangedError` when the value is wrong."""
    line = line.removesuffix(b"\n")
    start = _before_check(line, b" #", b"")
    return line if start is None else start


def with_end(line: bytes) -> bytes:
    """Return a last line whose end is another byte by now as it was written; one that is torn as it is."""
    if line.endswith(b"\n"):
        return line
    for before, after in ((b',"crc32":"', b'"}'), (b" #", b"")):
        with suppress(ChangedError):
            if _before_check(line[:-1], before, after) is not None:
                return line[:-1] + b"\n"
    return line


def _before_check(line: bytes, before: bytes, after: bytes) -> bytes | None:
    """Return what precedes a check value and what frames it; None where there is none.

    Raises `ChangedError` when it is wrong, and when it is right but its frame is not.
    """
    end = len(line) - len(after)
    middle = end - _CRC_DIGITS
    start = middle - len(before)
    if start < 0:
        return None
    framed = line[start:middle] == before and line[end:] == after
    right = line[middle:end] == _crc32(line[:start])
    if framed != right:
        raise ChangedError
    return line[:start] if right else None


def _storable(content: JsonObject) -> object:
    """Return a value that JSON can hold and any reader takes: file names may hold bytes that are no text."""
    return _without_surrogates(finite(content))


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _crc32(data: bytes) -> bytes:
    return f"{zlib.crc32(data):08x}".encode()
