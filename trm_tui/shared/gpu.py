"""A graphics processor in words."""

from __future__ import annotations

from trm_engine.hardware.facts import UNKNOWN, Gpu
from trm_engine.text import format_bytes


def gpu_words(gpu: Gpu) -> str:
    """Return what is known of a graphics processor, on one line."""
    words = {
        True: "usable",
        False: "there, but this torch cannot use it" if gpu.present else "none",
        None: "there; torch was not asked" if gpu.present else "none" if gpu.present is False else UNKNOWN,
    }
    named = [gpu.name if gpu.name != UNKNOWN else "", words[gpu.usable]]
    named.append(format_bytes(gpu.memory_bytes) if gpu.memory_bytes else "")
    named.append(f"{gpu.kind}:{gpu.number}" if gpu.usable else "")
    named.append(f"capability {gpu.capability}" if gpu.capability != UNKNOWN else "")
    named.append(f"fp32 {gpu.fp32_gflops / 1e3:.3g} TFLOP/s" if gpu.fp32_gflops else "")
    named.append(f"bf16 {gpu.bf16_gflops / 1e3:.3g} TFLOP/s" if gpu.bf16_gflops else "")
    named.append(f"copies {gpu.copy_gb_per_second:,.0f} GB/s" if gpu.copy_gb_per_second else "")
    return " · ".join(filter(None, named))
