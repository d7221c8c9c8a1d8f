"""Kernels for processors in C++, compiled by the machine that computes: seconds once, then kept in the cache.

torch's elementwise operations pass over memory once each, and its attention is made for long sequences. What
`kernels.cpp` has instead needs a C++ compiler, which a laptop may lack: `kernels_problem` says so. They share
the threads of torch's operations, where those are GNU's OpenMP; elsewhere each call has one thread.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from trm_engine.files import whole_file
from trm_engine.paths import cache_folder
from trm_engine.text import first_line

_SOURCE = Path(__file__).with_suffix(".cpp")
_COMPILERS = ("c++", "g++", "clang++")
_SECONDS = 120.0  # that a compiler may take; it takes two to five
_OPTIONS = ("-O3", "-std=c++17", "-fno-math-errno", "-fPIC")
# The first that this compiler takes and whose result can be loaded. Without a library for `-fopenmp` the
# linker leaves its functions open, and they are found in the one that torch has loaded for itself.
_WAYS = (("-march=native", "-fopenmp"), ("-march=native",), ("-mcpu=native",), ())
_ERROR = 1e-4  # that a kernel may be off by; the order of sums makes a hundredth of it
_POINTER, _LONG, _FLOAT = ctypes.c_void_p, ctypes.c_long, ctypes.c_float
_SIGNATURES = {
    "trm_swiglu": [_POINTER, _LONG, _POINTER, _LONG, _POINTER, _LONG, _LONG, _LONG],
    "trm_swiglu_back": [
        *(_POINTER, _POINTER, _LONG, _POINTER, _LONG, _POINTER, _POINTER, _LONG),
        *(_LONG, _LONG),
    ],
    "trm_norm_rows": [_POINTER, _POINTER, _POINTER, _LONG, _LONG, _FLOAT],
    "trm_norm_columns": [_POINTER, _POINTER, _POINTER, _LONG, _LONG, _FLOAT],
    "trm_norm_rows_back": [_POINTER, _POINTER, _POINTER, _POINTER, _LONG, _LONG],
    "trm_norm_columns_back": [_POINTER, _POINTER, _POINTER, _POINTER, _LONG, _LONG],
    "trm_attention": [*[_POINTER] * 5, *[_LONG] * 4],
    "trm_attention_back": [*[_POINTER] * 7, *[_LONG] * 4],
}

Tables = tuple[Tensor, Tensor]


class NoKernelsError(Exception):
    """Why kernels cannot be had, in words."""


@dataclass(frozen=True)
class Kernels:
    """The compiled functions, for float32 tensors whose last dimension has no gaps; see `kernels.cpp`."""

    library: ctypes.CDLL
    compiler: str
    """What compiled them, in its own words."""

    def swiglu(self, gate: Tensor, up: Tensor, product: Tensor) -> None:
        """Write silu(gate) · up, matrices of one shape, into `product`, which may be `gate`."""
        args = (_at(gate), gate.stride(0), _at(up), up.stride(0), _at(product), product.stride(0))
        self.library.trm_swiglu(*args, *gate.shape)

    def swiglu_back(
        self, gate: Tensor, up: Tensor, product: Tensor, gate_grad: Tensor, up_grad: Tensor
    ) -> None:
        """Write the gradients of gate and up; `product` holds that of the product, which takes its place."""
        args = (_at(gate), _at(up), gate.stride(0), _at(product), product.stride(0))
        grads = (_at(gate_grad), _at(up_grad), gate_grad.stride(0))
        self.library.trm_swiglu_back(*args, *grads, *gate.shape)

    def norm(self, hidden: Tensor, x: Tensor, eps: float, dim: int) -> Tensor:
        """Turn `hidden` into rms(x + hidden) along `dim` of a matrix, in place; return the factors."""
        function = self.library.trm_norm_columns if dim == 0 else self.library.trm_norm_rows
        scale = hidden.new_empty(hidden.shape[1 - dim % 2])
        function(_at(hidden), _at(x), _at(scale), *hidden.shape, eps)
        return scale

    def norm_back(self, grad: Tensor, output: Tensor, scale: Tensor, dim: int) -> Tensor:
        """Return the gradient of what `norm` has normalised."""
        library, result = self.library, torch.empty_like(output)
        function = library.trm_norm_columns_back if dim == 0 else library.trm_norm_rows_back
        function(_at(grad), _at(output), _at(scale), _at(result), *output.shape)
        return result

    def attention(self, qkv: Tensor, tables: Tables | None, heads: int) -> tuple[Tensor, Tensor]:
        """Return values (S, B, D) mixed by each position's attention to all, of qkv (S, B, 3 D).

        Also what `attention_back` needs to know. Tables (S, 1, 1, d / 2) turn queries and keys.
        """
        length, rows, width = qkv.shape
        mixed, logarithms = qkv.new_empty(length, rows, width // 3), qkv.new_empty(rows, heads, length)
        sizes = (length, rows, heads, width // 3 // heads)
        _check(self.library.trm_attention(_at(qkv), *_tables(tables), _at(mixed), _at(logarithms), *sizes))
        return mixed, logarithms

    def attention_back(
        self, qkv: Tensor, tables: Tables | None, mixed: Tensor, logarithms: Tensor, grad: Tensor
    ) -> Tensor:
        """Return the gradient of qkv, of that of `mixed`."""
        result, (length, rows, width) = torch.empty_like(qkv), mixed.shape
        heads = logarithms.shape[1]
        tensors = (_at(mixed), _at(logarithms), _at(grad), _at(result))
        sizes = (length, rows, heads, width // heads)
        _check(self.library.trm_attention_back(_at(qkv), *_tables(tables), *tensors, *sizes))
        return result


def kernels_problem() -> str | None:
    """Return why there are no compiled kernels here; None: there are. The first call compiles them."""
    found = _found()
    return found if isinstance(found, str) else None


def kernels() -> Kernels:
    """Return the compiled kernels, where `kernels_problem` has none."""
    found = _found()
    assert isinstance(found, Kernels), found
    return found


@functools.cache
def _found() -> Kernels | str:
    try:
        return compiled_in(cache_folder() / "compiled")
    except NoKernelsError as error:
        return str(error)


def compiled_in(folder: Path, compilers: Sequence[str] = _COMPILERS, *, source: Path = _SOURCE) -> Kernels:
    """Return kernels from a folder, compiled by the first of `compilers` that is installed, and tried out.

    `$CXX` names another. Raises `NoKernelsError`, whose text says why there are none.
    """
    if sys.platform == "win32":
        raise NoKernelsError("kernels are not compiled on Windows")
    named = (os.environ.get("CXX", ""), *compilers)
    command = next((path for name in named if name and (path := shutil.which(name))), None)
    if command is None:
        raise NoKernelsError("no C++ compiler is installed (g++ or clang++)")
    compiler = first_line(_run([command, "--version"]), command)
    depends = "\n".join((source.read_text("utf-8"), compiler, _processor()))
    file = folder / f"kernels-{hashlib.sha256(depends.encode()).hexdigest()[:24]}.so"
    try:
        library = _loaded(file)
    except NoKernelsError:  # not there, or damaged
        _compile(command, source, file)
        library = _loaded(file)
    found = Kernels(library, compiler)
    if (error := _error(found)) > _ERROR:
        raise NoKernelsError(f"what {compiler} has compiled is off by {error:.1g}")
    return found


def _compile(command: str, source: Path, file: Path) -> None:
    """Compile the source in the first way that works, into a file that appears whole."""
    told = ""
    with tempfile.TemporaryDirectory() as folder:
        part, library = Path(folder, "kernels.o"), Path(folder, "kernels.so")
        for way in _WAYS:
            try:
                _run([command, *_OPTIONS, *way, "-c", str(source), "-o", str(part)])
                _run([command, "-shared", str(part), "-o", str(library), "-lm"])
                _loaded(library)
            except NoKernelsError as error:
                told = told or str(error)
                continue
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(file) as written:
                    shutil.copyfile(library, written)
            except OSError as error:
                raise NoKernelsError(f"compiled kernels cannot be kept: {error.strerror or error}") from error
            return
    raise NoKernelsError(told)


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # the compiler that a person has installed
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoKernelsError(
            f"{command[0]} does not work: {first_line(str(error), type(error).__name__)}"
        ) from error
    if done.returncode:
        raise NoKernelsError(
            f"{command[0]} failed: {first_line(done.stderr, f'exit code {done.returncode}')}"
        )
    return done.stdout


def _loaded(file: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(file), mode=os.RTLD_NOW)
        for name, signature in _SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes = signature
            function.restype = ctypes.c_int if "attention" in name else None
    except (OSError, AttributeError) as error:
        raise NoKernelsError(
            f"compiled kernels cannot be loaded: {first_line(str(error), 'unknown')}"
        ) from error
    return library


def _processor() -> str:
    """Return what tells processors apart: a cache may be shared by several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
        return "\n".join(
            sorted({one for one in lines if one.startswith(("model name", "flags", "Features"))})
        )
    except OSError:
        return f"{platform.machine()} {platform.processor()}"


def _at(tensor: Tensor) -> int:
    return tensor.data_ptr()


def _tables(tables: Tables | None) -> tuple[int | None, int | None]:
    return (None, None) if tables is None else (_at(tables[0]), _at(tables[1]))


def _check(failed: int) -> None:
    if failed:
        raise MemoryError("no memory for attention")


# --- whether what a compiler made is right ----------------------------------------------------------------


def _error(made: Kernels) -> float:
    """Return by how much the kernels differ from torch at most, at sizes that no vector divides."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return max(trial(made, random) for trial in (_swiglu_error, _norm_error, _attention_error))


def _swiglu_error(made: Kernels, random: Callable[..., Tensor]) -> float:
    both, grad = (3 * random(5, 42)).requires_grad_(), random(5, 21)
    gate, up = both.chunk(2, 1)
    right = F.silu(gate) * up
    right.backward(grad)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    gate, up = both.detach().chunk(2, 1)
    product, grads = torch.empty(5, 21), torch.empty(5, 42)
    made.swiglu(gate, up, product)
    error = _most(product - right)
    product.copy_(grad)
    made.swiglu_back(gate, up, product, *grads.chunk(2, 1))
    assert both.grad is not None
    return max(error, _most(product - right), _most(grads - both.grad))


def _norm_error(made: Kernels, random: Callable[..., Tensor]) -> float:
    errors = []
    for dim in (0, -1):
        x, branch, grad = random(11, 21), random(11, 21).requires_grad_(), random(11, 21)
        total = x + branch
        right = total * torch.rsqrt(total.square().mean(dim, keepdim=True) + 1e-5)
        right.backward(grad)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        hidden = branch.detach().clone()
        scale = made.norm(hidden, x, 1e-5, dim)
        assert branch.grad is not None
        errors += [_most(hidden - right), _most(made.norm_back(grad, hidden, scale, dim) - branch.grad)]
    return max(errors)


def _attention_error(made: Kernels, random: Callable[..., Tensor]) -> float:
    qkv, grad, angles = random(19, 2, 3 * 24).requires_grad_(), random(19, 2, 24), random(19, 1, 1, 6)
    tables = angles.cos(), angles.sin()

    def turned(x: Tensor) -> Tensor:
        first, second = x.chunk(2, -1)
        return torch.cat((first * tables[0] - second * tables[1], second * tables[0] + first * tables[1]), -1)

    query, key, value = qkv.view(19, 2, 3, 2, 12).unbind(2)
    query, key, value = (part.permute(1, 2, 0, 3) for part in (turned(query), turned(key), value))
    weights = torch.softmax(query @ key.transpose(2, 3) * 12**-0.5, -1)
    right = (weights @ value).permute(2, 0, 1, 3).reshape(19, 2, 24)
    right.backward(grad)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    mixed, logarithms = made.attention(qkv.detach(), tables, 2)
    back = made.attention_back(qkv.detach(), tables, mixed, logarithms, grad)
    assert qkv.grad is not None
    return max(_most(mixed - right), _most(back - qkv.grad))


def _most(difference: Tensor) -> float:
    worst = float(difference.detach().abs().max())
    return worst if worst == worst else float("inf")  # NaN is larger than nothing
