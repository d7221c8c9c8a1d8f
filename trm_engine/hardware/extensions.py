"""Vector extensions by one set of names, whichever system tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Oldest first. For each: its names in /proc/cpuinfo (flags, Features), in macOS's `machdep.cpu.*features`
# and among macOS's `hw.optional.*` switches.
_NAMES: dict[str, tuple[str, ...]] = {
    "SSE4.2": ("sse4_2", "sse4.2"),
    "AVX": ("avx", "avx1.0", "avx1_0"),
    "F16C": ("f16c",),
    "FMA": ("fma",),
    "AVX2": ("avx2", "avx2_0"),
    "AVX-512F": ("avx512f",),
    "AVX-512BW": ("avx512bw",),
    "AVX-512VL": ("avx512vl",),
    "AVX512-VNNI": ("avx512_vnni", "avx512vnni"),
    "AVX512-BF16": ("avx512_bf16", "avx512bf16"),
    "AVX512-FP16": ("avx512_fp16", "avx512fp16"),
    "AVX-VNNI": ("avx_vnni", "avxvnni"),
    "AMX-TILE": ("amx_tile",),
    "AMX-INT8": ("amx_int8",),
    "AMX-BF16": ("amx_bf16",),
    "AMX-FP16": ("amx_fp16",),
    "NEON": ("asimd", "neon", "advsimd"),
    "FP16": ("asimdhp", "neon_fp16", "arm.feat_fp16"),
    "DOTPROD": ("asimddp", "arm.feat_dotprod"),
    "BF16": ("bf16", "arm.feat_bf16"),
    "I8MM": ("i8mm", "arm.feat_i8mm"),
    "SVE": ("sve",),
    "SVE2": ("sve2",),
    "SME": ("sme", "arm.feat_sme"),
    "SME2": ("sme2", "arm.feat_sme2"),
}


def extensions_of(flags: Iterable[str]) -> tuple[str, ...]:
    """Return the vector extensions among a CPU's flags, oldest first."""
    lowered = {flag.lower() for flag in flags}
    return tuple(name for name, aliases in _NAMES.items() if not lowered.isdisjoint(aliases))


def macos_flags(hw: Mapping[str, str], machdep: Mapping[str, str]) -> list[str]:
    """Return the flags that macOS's kernel variables tell of."""
    flags = [key[len("hw.optional.") :] for key, value in hw.items() if _is_on(key, value)]
    for key in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
        flags += machdep.get(key, "").split()
    return flags


def _is_on(key: str, value: str) -> bool:
    return key.startswith("hw.optional.") and value == "1"
