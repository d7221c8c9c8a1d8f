"""Tensors as bytes. The only module here that touches torch, and only when it is called.

Files are in the safetensors format (8 bytes of header length, a JSON header, the raw numbers), which holds no
code. They are written piece by piece from the tensors' own memory: a checkpoint of hundreds of megabytes must
not need as much again. They are parsed by the safetensors library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
_ALIGNMENT = 64


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """Return a digest of names, dtypes, shapes and raw bytes, in name order: equal only for equal weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(json.dumps([name, _dtype(tensor), list(tensor.shape)]).encode())
        digest.update(_raw(tensor))
    return digest.hexdigest()


def safetensors_pieces(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """Yield the content of a safetensors file. Raises `TypeError` for a dtype that it cannot hold."""
    # The widest first, so that every tensor starts at a multiple of its element size.
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, dict[str, object]] = {}
    end = 0
    for name in order:
        tensor = tensors[name]
        if (code := _CODES.get(_dtype(tensor))) is None:
            raise TypeError(f"tensor {name} has dtype {_dtype(tensor)}, which a checkpoint cannot hold")
        start, end = end, end + byte_count(tensor)
        header[name] = {"dtype": code, "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        yield _raw(tensors[name])


def parse_safetensors(data: bytes) -> dict[str, Tensor]:
    """Return the tensors in a safetensors file's bytes. Raises `ValueError` when they are none."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(data))
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(f"not a safetensors file: {error}") from error


def byte_count(tensor: Tensor) -> int:
    """Return the bytes of a tensor's numbers."""
    return tensor.numel() * tensor.element_size()


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _raw(tensor: Tensor) -> memoryview:
    """Return a tensor's numbers as bytes, without a copy when they are contiguous on the CPU."""
    import torch

    if not tensor.numel():  # NumPy cannot cast a memory view of nothing
        return memoryview(b"")
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data
