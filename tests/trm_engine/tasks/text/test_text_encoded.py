"""Text files as mapped tokens: any size, whole or not at all, and clear words for what is no text."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from trm_engine.errors import ResourceError, UsageError
from trm_engine.tasks.text import encoded as module
from trm_engine.tasks.text.encoded import encoded
from trm_engine.tasks.text.vocabulary import Vocabulary

TEXT = "Größe: 12 €\nin 🎲 Würfeln\n"


def written(folder: Path, content: str | bytes = TEXT, name: str = "text.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_tokens_are_mapped_from_the_cache(tmp_path: Path) -> None:
    text = encoded(written(tmp_path))
    assert isinstance(text.tokens, np.memmap)
    assert text.vocabulary.decode(text.tokens) == TEXT
    assert text.unknown == 0


@pytest.mark.parametrize("size", range(1, 9))
def test_a_character_may_lie_across_two_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", size)
    text = encoded(written(tmp_path))
    assert text.vocabulary.decode(text.tokens) == TEXT


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    text = encoded(written(tmp_path, b"\xef\xbb\xbfab"))
    assert text.vocabulary.characters == "ab"


def test_the_second_time_nothing_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    first = encoded(path).tokens.tolist()
    monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("encoded again"))
    assert encoded(path).tokens.tolist() == first


def test_a_text_that_has_changed_is_another_text(tmp_path: Path) -> None:
    before = encoded(written(tmp_path, "abab"))
    after = encoded(written(tmp_path, "abba"))
    assert before.tokens.tolist() != after.tokens.tolist()


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"nonsense" * 50])
def test_a_damaged_cache_is_made_again(tmp_path: Path, damage: bytes) -> None:
    path = written(tmp_path)
    encoded(path)
    (kept,) = (tmp_path / "cache" / "texts").iterdir()
    kept.write_bytes(damage)
    text = encoded(path)
    assert text.vocabulary.decode(text.tokens) == TEXT


def test_a_given_vocabulary_is_kept_and_strangers_are_counted(tmp_path: Path) -> None:
    text = encoded(written(tmp_path, "abcabd"), vocabulary=Vocabulary("ab"))
    assert text.tokens.tolist() == [1, 2, 0, 1, 2, 0]
    assert text.unknown == 2


def test_what_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken(what: str, _done: int, _total: int) -> None:
        if what.startswith("encoding"):
            raise KeyboardInterrupt

    path = written(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        encoded(path, progress=broken)
    assert list((tmp_path / "cache" / "texts").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"good \xff bad", r"not UTF-8 text \(byte 5\)"),
        (b"\xef\xbb\xbfabc\xe2\x82", r"not UTF-8 text \(byte 6\)"),
        (b"\x80\x81", r"not UTF-8 text \(byte 0\)"),
        ("long " * 20 + "\ud800", r"not UTF-8 text \(byte 100\)"),
    ],
)
def test_what_is_no_text_is_told_where(tmp_path: Path, content: str | bytes, message: str) -> None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    with pytest.raises(UsageError, match=message) as caught:
        encoded(written(tmp_path, raw))
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_place_of_a_fault_does_not_depend_on_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", size)
    with pytest.raises(UsageError, match=r"\(byte 7\)"):
        encoded(written(tmp_path, "€ € ".encode()[:7] + b"\xc3("))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Well, said the fox.\n".encode("utf-16"), r"is UTF-16LE text: make it UTF-8 \(iconv -f UTF-16LE"),
        ("Well, said the fox.\n".encode("utf-16-le"), r"is UTF-16LE text"),
        ("Well, said the fox.\n".encode("utf-16-be"), r"is UTF-16BE text"),
        ("Well, said the fox.\n".encode("utf-32"), r"is UTF-32LE text"),
        ("\u2019Well,\u2019 said the fox.\n".encode("cp1252"), r"byte 0\): make it UTF-8 \(iconv -f CP1252"),
        (b"\x1f\x8b\x08" + bytes(40), r"is compressed \(gzip\): unpack it first \(gunzip"),
        (b"PK\x03\x04" + bytes(40), r"is compressed \(ZIP\)"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "is an Office document"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"{\\rtf1\\ansi Well}", "is rich text"),
        (bytes(257) + b"ustar\x0000", "is an archive"),
    ],
)
def test_what_a_file_is_instead_of_utf8_is_named_with_a_remedy(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        encoded(written(tmp_path, content))


def test_a_text_with_a_few_zeros_in_it_is_text(tmp_path: Path) -> None:
    assert encoded(written(tmp_path, "ab\0" + "cd" * 20)).unknown == 0


def test_every_flipped_bit_of_the_cache_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    encoded(path)
    (kept,) = (tmp_path / "cache" / "texts").iterdir()
    sound = kept.read_bytes()
    for place in range(len(sound)):
        kept.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        text = encoded(path)
        assert text.vocabulary.decode(text.tokens) == TEXT
        assert kept.read_bytes() == sound


def test_a_text_without_one_known_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of its 6 characters is known to the model"):
        encoded(written(tmp_path, "abcabd"), vocabulary=Vocabulary("xyz"))


def test_a_pipe_is_named_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match=r"is a pipe.*save it as a file"):
        encoded(tmp_path / "pipe.txt")


def test_a_folder_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; name one text file in it"):
        encoded(tmp_path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.txt", Path("a\0b")):
        with pytest.raises(UsageError, match=r"task\.data|cannot be read"):
            encoded(path)


def test_a_cache_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "taken"))
    with pytest.raises(ResourceError, match="TRM_CACHE_DIR"):
        encoded(written(tmp_path))
