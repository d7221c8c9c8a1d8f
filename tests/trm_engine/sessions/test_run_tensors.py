"""The bytes of tensors: a safetensors file as its library reads it, and the digest of weights."""

from __future__ import annotations

import hashlib
import struct

import pytest
import safetensors.torch
import torch

from trm_engine.sessions.checkpoints.tensors import parse_safetensors, safetensors_pieces, weights_sha256

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_library_reads_what_is_written(dtype: torch.dtype) -> None:
    grid = torch.arange(24).reshape(4, 6).to(dtype)
    tensors = {"grid": grid, "turned": grid.T, "part": grid[1:, ::2], "one": grid[2, 3], "none": grid[:, :0]}
    read = safetensors.torch.load(b"".join(safetensors_pieces(tensors)))
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == dtype
        assert torch.equal(read[name], tensor)


def test_what_the_library_writes_is_read() -> None:
    tensors = {"b": torch.ones(3), "a": torch.arange(4)}
    read = parse_safetensors(safetensors.torch.save(tensors))
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)


def test_every_tensor_begins_at_a_multiple_of_its_element_size() -> None:
    tensors = {"a": torch.ones(3, dtype=torch.bool), "b": torch.ones(3, dtype=torch.float64)}
    first, *rest = safetensors_pieces(tensors)
    assert len(first) % 64 == 0
    assert [len(piece) for piece in rest] == [24, 3]


def test_no_tensors_make_a_file_too() -> None:
    assert parse_safetensors(b"".join(safetensors_pieces({}))) == {}


def test_parameters_are_written_like_tensors() -> None:
    read = parse_safetensors(b"".join(safetensors_pieces({"p": torch.nn.Parameter(torch.ones(2))})))
    assert torch.equal(read["p"], torch.ones(2))


def test_a_dtype_that_cannot_be_held_is_refused() -> None:
    with pytest.raises(TypeError, match="tensor z has dtype complex64"):
        list(safetensors_pieces({"z": torch.zeros(2, dtype=torch.complex64)}))


def test_equal_weights_have_equal_digests_in_any_order() -> None:
    a, b = torch.arange(6).reshape(2, 3), torch.ones(2)
    assert weights_sha256({"a": a, "b": b}) == weights_sha256({"b": b.clone(), "a": a.T.contiguous().T})


@pytest.mark.parametrize(
    "other",
    [
        {"x": torch.zeros(2, 3)},
        {"w": torch.zeros(3, 2)},
        {"w": torch.zeros(2, 3, dtype=torch.int32)},
        {"w": torch.zeros(2, 3).index_fill(0, torch.tensor([1]), -0.0)},
        {"w": torch.zeros(2, 3), "v": torch.zeros(0)},
        {},
    ],
    ids=["name", "shape", "dtype", "one sign bit", "one more", "none"],
)
def test_weights_that_differ_have_another_digest(other: dict[str, torch.Tensor]) -> None:
    assert weights_sha256(other) != weights_sha256({"w": torch.zeros(2, 3)})


def test_the_digest_is_over_names_dtypes_shapes_and_bytes_in_name_order() -> None:
    weights = {"w": torch.tensor([[1.0, 2.0]]), "b": torch.tensor([3], dtype=torch.int64)}
    content = (
        b'["b", "int64", [1]]' + struct.pack("<q", 3) + b'["w", "float32", [1, 2]]' + struct.pack("<2f", 1, 2)
    )
    assert weights_sha256(weights) == hashlib.sha256(content).hexdigest()
