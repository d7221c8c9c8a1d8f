"""A text file as tokens that are mapped into memory, so that the file may be larger than the memory is.

The tokens are written once, in pieces, into the engine's cache folder, under a name that follows from the
content of the text and from the vocabulary, and their sha256 after them. A text that has changed is another
text; tokens that have changed are made again; nothing in the cache is ever needed once it is deleted.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trm_engine.errors import ResourceError, UsageError
from trm_engine.files import whole_file
from trm_engine.paths import CACHE_VARIABLE, cache_folder
from trm_engine.progress import Progress, silent
from trm_engine.remedies import NameData
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.puzzle_lists.form import HEAD_BYTES, encoding_of, named_form, to_utf8
from trm_engine.tasks.text.vocabulary import CODE_POINTS, Counts, Vocabulary, code_points
from trm_engine.text import format_bytes, safe_text

_CHUNK_BYTES = 4 * 2**20
_SEAL_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class EncodedText:
    """A whole text: `tokens` (N,), mapped from a file, of `vocabulary`; `unknown` of them are 0."""

    tokens: Tokens
    vocabulary: Vocabulary
    unknown: int


def encoded(
    path: Path,
    *,
    vocabulary: Vocabulary | None = None,
    most_tokens: int = CODE_POINTS,
    progress: Progress = silent,
) -> EncodedText:
    """Return a UTF-8 file as tokens: of `vocabulary`, else of its own, with `most_tokens` tokens at most.

    Raises `UsageError` when the file cannot be read, is not UTF-8 or has no character of the vocabulary,
    `ResourceError` when the cache cannot be written.
    """
    digest, counts = _survey(path, progress)
    total = int(counts.sum())
    if not total:
        raise UsageError(f"{safe_text(str(path))} is empty: name a text to learn from")
    vocabulary = vocabulary or Vocabulary.of(counts, most_tokens)
    known = int(counts[vocabulary.points].sum())
    if not known:
        raise UsageError(
            f"{safe_text(str(path))}: none of its {total:,} characters is known to the model, which learned "
            f"{len(vocabulary.characters):,} others: there is nothing to measure"
        )
    name = hashlib.sha256(f"{digest} {vocabulary.characters}".encode()).hexdigest()
    file = cache_folder() / "texts" / f"{name[:32]}.npy"
    tokens = _open(file, total, vocabulary)
    if tokens is None:
        _write(path, file, total, vocabulary, progress)
        tokens = _open(file, total, vocabulary)
    if tokens is None:
        raise UsageError(f"{safe_text(str(path))} has changed while it was read: try again")
    return EncodedText(tokens, vocabulary, total - known)


def _survey(path: Path, progress: Progress) -> tuple[str, Counts]:
    """Read a whole file: return its sha256 and how often each code point is in it."""
    digest = hashlib.sha256()
    counts: Counts = np.zeros(CODE_POINTS, np.int64)
    for raw, text in _chunks(path, "reading the text", progress):
        digest.update(raw)
        counts += np.bincount(code_points(text), minlength=CODE_POINTS)
    return digest.hexdigest(), counts


def _write(path: Path, file: Path, total: int, vocabulary: Vocabulary, progress: Progress) -> None:
    """Encode a text into a file that appears whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary, temporary.open("wb") as out:
            digest = hashlib.sha256()
            for _, text in _chunks(path, "encoding the text", progress):
                piece = vocabulary.encode(text).tobytes()
                digest.update(piece)
                out.write(piece)
            out.write(digest.digest())
    except OSError as error:
        size = format_bytes(total * vocabulary.dtype.itemsize)
        raise ResourceError(
            f"the encoded text ({size}) cannot be written to {safe_text(str(file.parent))} "
            f"({error.strerror or error}); let {CACHE_VARIABLE} name another folder"
        ) from error


def _open(file: Path, total: int, vocabulary: Vocabulary) -> Tokens | None:
    """Map an encoded text; None when there is none, or it is not as it was written."""
    try:
        if file.stat().st_size != total * vocabulary.dtype.itemsize + _SEAL_BYTES or not _is_sealed(file):
            return None
        return np.memmap(file, vocabulary.dtype, "r", 0, (total,))
    except (OSError, ValueError):
        return None


def _is_sealed(file: Path) -> bool:
    """Tell whether a file ends with the sha256 of what comes before: a flipped bit is another text."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        left = os.fstat(opened.fileno()).st_size - _SEAL_BYTES
        while left > 0 and (piece := opened.read(min(_CHUNK_BYTES, left))):
            digest.update(piece)
            left -= len(piece)
        return opened.read() == digest.digest()


def _chunks(path: Path, what: str, progress: Progress) -> Iterator[tuple[bytes, str]]:
    """Yield a file in pieces, as bytes and as text; a byte order mark is left out of the text."""
    shown = safe_text(str(path))
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    done, raw = 0, b""
    try:
        _require_file(path, shown)
        with path.open("rb") as file:
            _require_utf8(file.read(HEAD_BYTES), shown)
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            while raw := file.read(_CHUNK_BYTES):
                text = decoder.decode(raw)
                done += len(raw)
                progress(what, done, max(size, done))
                yield raw, text
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        at = done + len(raw) - len(error.object) + error.start
        # What is wrong first beyond ASCII is most often a letter or a quotation mark of Windows.
        raise UsageError(f"{shown} is not UTF-8 text (byte {at:,}): {to_utf8('CP1252')}") from error
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        why = (error.strerror or error) if isinstance(error, OSError) else error
        raise UsageError(f"{shown} cannot be read: {why}") from error


def _require_file(path: Path, shown: str) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = 0
    if stat.S_ISDIR(mode):
        raise UsageError(f"{shown} is a folder", remedies=[NameData(what="one text file in it")])
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        raise UsageError(f"{shown} is a pipe, and a text is read more than once: save it as a file first")
    if not stat.S_ISREG(mode):
        raise UsageError(f"there is no text file {shown}", remedies=[NameData(what="one")])


def _require_utf8(head: bytes, shown: str) -> None:
    """Refuse what the first bytes of a file show to be no UTF-8 text, and say what it is."""
    form = named_form(head)
    if form is not None:
        raise UsageError(f"{shown} {form}")
    encoding = encoding_of(head)
    if encoding.name != "utf-8":
        raise UsageError(f"{shown} is {encoding.title} text: {to_utf8(encoding.title)}")
