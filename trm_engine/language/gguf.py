"""What the header of a GGUF file says: the model's shape, and how much memory running it will take.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only the header is read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trm_engine.files import open_plain
from trm_engine.language.model import LanguageError
from trm_engine.remedies import Advice
from trm_engine.text import format_bytes, safe_text

_MAGIC = b"GGUF"
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_KEYS, _MOST_ITEMS, _LONGEST = 10_000, 10_000_000, 64_000_000
_KEPT_ITEMS = 4096
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")

BATCH = 256
"""Tokens of a prompt that are computed together: an answer can be stopped between two such batches."""
_CELL_BYTES = 2  # keys and values are kept in fp16
_FIXED_BYTES = 48_000_000  # the library, its tables, the tokenizer


@dataclass(frozen=True)
class Header:
    """The facts of a GGUF file that decide what it costs."""

    name: str
    architecture: str
    bytes: int
    """Of all its parts: what the weights take."""
    context: int
    layers: int
    width: int
    inner: int
    kv_width: int
    """Numbers that all layers together keep for one token, keys and values."""

    def memory(self, context: int) -> int:
        """Return about how many bytes running the model takes with a context of that size."""
        work = BATCH * 4 * (8 * self.width + 3 * self.inner)
        return self.bytes + self.kv_width * context * _CELL_BYTES + work + _FIXED_BYTES


def read_header(path: Path) -> Header:
    """Read a header. Raises `LanguageError` when the file is missing, or no language model as GGUF."""
    try:
        with open_plain(path) as file:
            values = _Reader(file).values()
        size = sum(part.stat().st_size for part in _parts(path))
    except FileNotFoundError as error:
        raise LanguageError(
            "missing_model",
            f"there is no file {safe_text(str(error.filename or path))}",
            Advice.NAME_MODEL_FILE,
        ) from error
    except (OSError, ValueError, struct.error, MemoryError, OverflowError) as error:
        raise _damaged(path, str(error)) from error
    try:
        return _header(path, values, size)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"its header lacks {error}") from error


def fitting_context(header: Header, wanted: int, budget: int) -> int:
    """Return how many tokens of context fit `budget` bytes: as many as wanted, halved while they do not.

    Raises `LanguageError` with both numbers where even the shortest context does not fit.
    """
    context = min(wanted, header.context)
    while context > 512 and header.memory(context) > budget:
        context //= 2
    if header.memory(context) > budget:
        raise LanguageError(
            "too_large",
            f"{safe_text(header.name)} needs about {format_bytes(header.memory(context))}, and "
            f"{format_bytes(max(budget, 0))} are free for it",
            "Take a smaller model, or a smaller quantization of it (Q4, not Q8), or close other programs.",
        )
    return context


def _header(path: Path, values: Mapping[str, object], size: int) -> Header:
    architecture = str(values["general.architecture"])

    def number(key: str, default: int | None = None) -> int:
        found = values.get(f"{architecture}.{key}", default)
        if not isinstance(found, int) or found < 0:
            raise KeyError(f"{architecture}.{key}")
        return found

    layers, width, heads = number("block_count"), number("embedding_length"), values.get
    head_count = heads(f"{architecture}.attention.head_count")
    most_heads = max(_numbers(head_count), default=1) or 1
    kv_heads = heads(f"{architecture}.attention.head_count_kv", head_count)
    in_layers = _numbers(kv_heads) if isinstance(kv_heads, list) else _numbers(kv_heads) * layers
    head_width = width // most_heads
    sides = number("attention.key_length", head_width) + number("attention.value_length", head_width)
    inner = max(_numbers(heads(f"{architecture}.feed_forward_length")), default=4 * width)
    return Header(
        name=safe_text(str(values.get("general.name") or path.stem))[:80],
        architecture=safe_text(architecture)[:40],
        bytes=size,
        context=number("context_length"),
        layers=layers,
        width=width,
        inner=inner,
        kv_width=sum(in_layers) * sides,
    )


def _numbers(value: object) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, int)]


def _parts(path: Path) -> list[Path]:
    """Return all files of a model that was split into parts."""
    match = _PART.search(path.name)
    if match is None:
        return [path]
    count = min(int(match[2]), 1000)
    return [path.with_name(_PART.sub(f"-{n:05d}-of-{match[2]}.gguf", path.name)) for n in range(1, count + 1)]


def _damaged(path: Path, why: str) -> LanguageError:
    return LanguageError(
        "damaged_model",
        f"{safe_text(str(path))} is not a language model that can be read: {safe_text(why)}",
        "Fetch the file again; it must be a model in the GGUF format.",
    )


class _Reader:
    """Walks through a header, never taking more than it may hold."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def values(self) -> dict[str, object]:
        if self._take(4) != _MAGIC:
            raise ValueError("it does not begin as a GGUF file")
        version = self._scalar("I")
        if version not in (2, 3):
            raise ValueError(f"version {version} of GGUF is unknown")
        self._scalar("Q")  # tensors: their sizes are the file's
        count = self._bounded(_MOST_KEYS)
        return {self._string(): self._value(self._scalar("I")) for _ in range(count)}

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise ValueError("it ends within its header")
        return data

    def _scalar(self, kind: str) -> int:
        value: int = struct.unpack(f"<{kind}", self._take(struct.calcsize(f"<{kind}")))[0]
        return value

    def _bounded(self, most: int) -> int:
        count = self._scalar("Q")
        if count > most:
            raise ValueError(f"its header claims {count} entries")
        return count

    def _string(self) -> str:
        return self._take(self._bounded(_LONGEST)).decode("utf-8", "replace")

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._string()
        if kind in _SCALARS:
            return self._scalar(_SCALARS[kind])
        if kind != _ARRAY:
            raise ValueError(f"its header holds a value of kind {kind}")
        of, count = self._scalar("I"), self._bounded(_MOST_ITEMS)
        if of in _SCALARS and count > _KEPT_ITEMS:
            self._take(count * struct.calcsize(f"<{_SCALARS[of]}"))
            return []
        found = [self._value(of) if of != _ARRAY else self._nested() for _ in range(count)]
        return found if count <= _KEPT_ITEMS else []

    def _nested(self) -> object:
        raise ValueError("its header holds lists of lists")
