"""Which of several processes that train one run this is, as the environment tells it. Needs no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from trm_engine.errors import UsageError
from trm_engine.text import safe_text

PARTS = 8
"""Parts of a batch under exact reduction. Another number would be other bits: raise `NUMERICS` with it."""
FOLDER = "TRM_RANKS_FOLDER"
"""Names the folder where ranks on one machine meet. Without it they meet as torchrun has it."""
WHY = "TRM_RANKS_WHY"
"""The reason for the number of ranks, for people."""
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
"""Tells how often the ranks were started again; torchrun's name for it."""


@dataclass(frozen=True)
class Place:
    """Which of `size` ranks a process is, and which of `local_size` on its own machine."""

    rank: int
    size: int
    local_rank: int = 0
    local_size: int = 1
    why: str = "as asked"
    """The reason for the number of ranks."""

    @classmethod
    def told(cls, environment: Mapping[str, str] = os.environ) -> Place | None:
        """Return what the environment says, as torchrun sets it; None for a process on its own.

        Raises `UsageError` where what it says makes no sense.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        if not {*names[:2]} <= environment.keys():
            return None
        try:
            rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
            local_rank = int(environment.get("LOCAL_RANK", rank))
            local_size = int(environment.get("LOCAL_WORLD_SIZE", size))
        except (KeyError, ValueError):
            rank = size = local_rank = local_size = 0
        if not (0 <= rank < size and 0 <= local_rank < local_size <= size):
            said = ", ".join(f"{name}={safe_text(environment.get(name, '(unset)'))}" for name in names)
            raise UsageError(
                f"these do not describe a rank: {said}; torchrun sets them, or this program does"
            )
        why = safe_text(environment.get(WHY, cls.why))
        return cls(rank, size, local_rank, local_size, why) if size > 1 else None
