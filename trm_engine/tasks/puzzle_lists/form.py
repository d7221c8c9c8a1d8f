"""What a file is by its first bytes: text in some encoding, or something that has to be turned into text."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass

HEAD_BYTES = 2**12
"""How much of a file is looked at."""

_OFFICE = b"[Content_Types].xml"
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ\x00": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "unzstd"),
    b"\x04\x22\x4d\x18": ("LZ4", "unlz4"),
    b"\x1f\x9d": ("compress", "uncompress"),
    b"PK\x03\x04": ("ZIP", "unzip"),
    b"PK\x05\x06": ("ZIP", "unzip"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "7z x"),
    b"Rar!": ("RAR", "unrar x"),
}
_OTHER = {
    b"\x93NUMPY": "is a NumPy array: write it as text (numpy.savetxt), a row a line",
    b"PAR1": "is a Parquet file: write it as CSV (pandas: read_parquet, to_csv)",
    b"ARROW1": "is an Arrow file: write it as CSV (pandas: read_feather, to_csv)",
    b"\x89HDF\r\n": "is an HDF5 file: write its rows as CSV",
    b"SQLite format 3": "is an SQLite database: write the table as CSV (.mode csv)",
    b"%PDF": "is a PDF: write its text into a file",
    b"\x89PNG": "is a picture (PNG)",
    b"\xff\xd8\xff": "is a picture (JPEG)",
    b"GIF8": "is a picture (GIF)",
    b"\xd0\xcf\x11\xe0": "is an old Office file: save it as CSV",
    b"{\\rtf": "is rich text: save it as plain text",
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "is a Python pickle: write it as text",
    ),
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is how this one begins.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MANY_NULS = 0.2
"""Share of zero bytes at every second place from which text is UTF-16 without a mark."""


@dataclass(frozen=True)
class Encoding:
    """How characters are written: the codec's name, and the bytes of the mark before them."""

    name: str
    mark: int

    @property
    def title(self) -> str:
        """The name for people and for iconv, as in `UTF-16LE`."""
        return self.name.upper().replace("-LE", "LE").replace("-BE", "BE")


def named_form(head: bytes) -> str | None:
    """Say what a file is that is no text, and what to do with it; None where it may be text."""
    if head.startswith(b"PK") and _OFFICE in head:
        return "is an Office document: save it as CSV, or as plain text"
    for mark, (title, program) in _PACKED.items():
        if head.startswith(mark):
            return f"is compressed ({title}): unpack it first ({program} FILE)"
    for mark, what in _OTHER.items():
        if head.startswith(mark):
            return what
    if head[_TAR_MARK_AT:].startswith(_TAR_MARK):
        return "is an archive (tar): unpack it first (tar xf FILE)"
    return None


def encoding_of(head: bytes) -> Encoding:
    """Return the encoding that a text's first bytes show: UTF-8 unless a mark, or zeros, say otherwise.

    Text of UTF-16 without a mark is known by the zeros beside its ASCII letters. As UTF-8 it would be text
    as well, of twice the length.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, len(mark))
    halves = head[0::2], head[1::2]
    first, second = (half.count(0) / max(len(half), 1) for half in halves)
    if max(first, second) > _MANY_NULS and min(first, second) < max(first, second) / 2:
        return Encoding("utf-16-be" if first > second else "utf-16-le", 0)
    return Encoding("utf-8", 0)


def plain_digits(text: str) -> str:
    """Return a text with the digits of other scripts, full-width ones too, as those of ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def to_utf8(title: str) -> str:
    """Say how a text of another encoding is made UTF-8."""
    return f"make it UTF-8 (iconv -f {title} -t UTF-8 FILE > NEW, or save it as UTF-8 in an editor)"
