"""Headers of GGUF files: read without the file, memory predicted from them, and never trusted."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.language.gguf import fitting_context, read_header
from trm_engine.language.model import LanguageError

_KINDS = {int: 4, str: 8}


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _value(value: object) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, list):
        items = b"".join(_text(one) if isinstance(one, str) else struct.pack("<I", one) for one in value)
        return struct.pack("<IIQ", 9, _KINDS[type(value[0])], len(value)) + items
    return struct.pack("<II", 4, value)


VALUES = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.feed_forward_length": 1536,
    "llama.context_length": 8192,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "tokenizer.ggml.tokens": [f"t{number}" for number in range(5000)],
}


def header(values=VALUES, *, magic: bytes = b"GGUF", version: int = 3, count: int | None = None) -> bytes:
    pairs = b"".join(_text(key) + _value(value) for key, value in values.items())
    return magic + struct.pack("<IQQ", version, 1, len(values) if count is None else count) + pairs


def write(folder: Path, data: bytes, name: str = "m.gguf", size: int = 98_000_000) -> Path:
    path = folder / name
    with path.open("wb") as file:
        file.write(data)
        file.truncate(max(size, len(data)))
    return path


def test_memory_is_weights_and_keys_and_values_and_work(tmp_path: Path) -> None:
    found = read_header(write(tmp_path, header()))
    assert (found.name, found.context, found.layers) == ("Tiny", 8192, 30)
    more = found.memory(4096) - found.memory(2048)
    assert more == 2048 * 30 * 3 * 64 * 2 * 2  # 30 layers, 3 heads of 64, keys and values, fp16
    assert found.memory(2048) > 98_000_000 + 2048 * 30 * 3 * 64 * 4


def test_a_context_that_does_not_fit_is_halved_and_a_model_that_does_not_is_refused(tmp_path: Path) -> None:
    found = read_header(write(tmp_path, header()))
    assert fitting_context(found, 100_000, 10**12) == 8192
    assert fitting_context(found, 4096, found.memory(2048)) == 2048
    with pytest.raises(LanguageError) as caught:
        fitting_context(found, 4096, 100_000_000)
    assert caught.value.code == "too_large"
    assert "100 MB" in caught.value.message


def test_all_parts_of_a_split_model_are_counted(tmp_path: Path) -> None:
    first = write(tmp_path, header(), "m-00001-of-00002.gguf", 1_000_000)
    write(tmp_path, header(), "m-00002-of-00002.gguf", 2_000_000)
    assert read_header(first).bytes == 3_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"PK\x03\x04" + b"0" * 100,
        header(version=99),
        header(count=10**9),
        header({"general.architecture": "llama"}),
        header({**VALUES, "llama.block_count": "many"}),
        header()[:200],
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(LanguageError) as caught:
        read_header(write(tmp_path, data, size=0))
    assert caught.value.code == "damaged_model"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LanguageError) as caught:
        read_header(tmp_path / "none.gguf")
    assert caught.value.code == "missing_model"


@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(tmp_path_factory, place: int, byte: int) -> None:
    data = bytearray(header({**VALUES, "tokenizer.ggml.tokens": ["a", "b"]}))
    data[place % len(data)] = byte
    path = write(tmp_path_factory.mktemp("gguf"), bytes(data), size=0)
    with suppress(LanguageError):  # and no other
        read_header(path)
