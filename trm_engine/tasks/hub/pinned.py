"""The published data sets that presets name: their commits on the Hub, and sha256 and size of their files."""

from __future__ import annotations

import re

PINNED = {
    "sapientinc/sudoku-extreme": "58942f96baeb572ca3127e2a9e9c70f330783d6b",
    "sapientinc/maze-30x30-hard-1k": "549754de3d67eebe57b6b22c7d226b9412d55b07",
}
"""The commits of the published data sets: what is read where no revision is asked for."""

_SHA256 = {
    ("58942f96baeb572ca3127e2a9e9c70f330783d6b", "train.csv"): (
        "64b46674db0148e0d73a16346dadeb2b1c00824d3fca3f85b2ae7037f6b4b38e"
    ),
    ("58942f96baeb572ca3127e2a9e9c70f330783d6b", "test.csv"): (
        "a2fd52aea23d331d5b4ee723c856236e838a9fb9a70e66f4e0e0cf26c338c6a8"
    ),
    ("549754de3d67eebe57b6b22c7d226b9412d55b07", "train.csv"): (
        "25f9e39b5aee16967da41ba63b2d1d75cf608c2360d8a1419d827f9859dbafa0"
    ),
    ("549754de3d67eebe57b6b22c7d226b9412d55b07", "test.csv"): (
        "5120d52088fb3f8036e62e90103808a79ba58847d8601f9451f40991b0903a62"
    ),
}
_SIZES = {("58942f96baeb572ca3127e2a9e9c70f330783d6b", "train.csv"): 718_819_925}
"""In bytes, where they are known; of the rest the Hub tells when a download begins."""
_IS_SHA256 = re.compile(r"[0-9a-f]{64}")


def expected_sha256(etag: str, commit: str, name: str) -> str | None:
    """Return the sha256 that the Hub states for a file, or that is pinned here; None where neither is known.

    Large files carry theirs as their ETag, which also names them in the cache; small ones do not.
    """
    return etag if _IS_SHA256.fullmatch(etag) else _SHA256.get((commit, name))


def pinned_size(commit: str, name: str) -> int | None:
    """Return the bytes of a published file, None where they are not known here."""
    return _SIZES.get((commit, name))
