"""Which library computes float32 matrix products: a setting of the whole process.

PyTorch's own choice on x86 is MKL, which is slow on processors of other makers; oneDNN is built in too and is
reached by a switch that may also lower the precision, depending on the processor. So its error is measured
before it counts as exact.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from trm_engine.text import safe_text

_SIZES = ((97, 128, 352), (256, 512, 512))  # of a puzzle's step
_MOST_ERROR = 3.0  # times that of the default: the order of a sum makes that much, a shorter mantissa 1000


def use_gemm(library: str) -> None:
    """Compute float32 products with oneDNN ("onednn"), or as torch comes."""
    torch.set_float32_matmul_precision("medium" if library == "onednn" else "highest")


def exact_libraries() -> tuple[str, ...]:
    """Return the libraries that compute exact products here, torch's own choice first."""
    return ("default",) if onednn_problem() else ("default", "onednn")


def onednn_problem(error_of: Callable[..., float] | None = None) -> str | None:
    """Return why oneDNN cannot compute exact products here; None: it can.

    `error_of` measures the error of a library by its name and the sizes of a product.
    """
    error_of = error_of or _error
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return "this torch comes without oneDNN"
    before = torch.get_float32_matmul_precision()
    try:
        worst = max(error_of("onednn", *sizes) / error_of("default", *sizes) for sizes in _SIZES)
    except RuntimeError as error:  # where the system allows no memory that can be executed, for one
        return f"oneDNN does not work here: {safe_text(str(error))}"
    finally:
        torch.set_float32_matmul_precision(before)
    return f"oneDNN rounds {worst:.0f} times as much on this processor" if worst > _MOST_ERROR else None


def _error(library: str, rows: int, inner: int, columns: int) -> float:
    """Return the root mean square error of a product, in units of its own size."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(rows, inner, generator=generator)
    b = torch.randn(inner, columns, generator=generator)
    exact = a.double() @ b.double()
    use_gemm(library)
    return float(((a @ b).double() - exact).norm() / exact.norm())
