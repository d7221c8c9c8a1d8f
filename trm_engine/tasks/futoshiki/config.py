"""The settings of the Futoshiki task."""

from __future__ import annotations

import math
import re
from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig

MAX_SIDE = 9


class FutoshikiConfig(TaskConfig, kind="futoshiki", task="trm_engine.tasks.futoshiki.task:FutoshikiTask"):
    """Futoshiki on an n×n grid: each digit once in every row and column, as the signs between cells say."""

    size_fields: ClassVar[tuple[str, ...]] = ("size",)

    kind: Literal["futoshiki"] = "futoshiki"
    """Which task the model learns."""
    size: int = Field(5, ge=2, le=MAX_SIDE)
    """Rows, columns and digits n of the grid."""
    sign_share_min: float = Field(0.2, ge=0, le=1)
    """A generated puzzle has a sign in a share of all places that is drawn from sign_share_min …"""
    sign_share_max: float = Field(0.5, ge=0, le=1)
    """… to sign_share_max; and digits until no digit can go."""
    train_size: int = Field(1000, ge=1, le=10**6)
    """Training puzzles: how many to generate, or at most to take from `data`."""
    test_size: int = Field(500, ge=1, le=10**6)
    """Held-out puzzles: how many to generate, or at most to take from `test_data`."""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed of the generator, and of the choice when `data` holds more than train_size."""
    augment: bool = True
    """Draw one of 16 symmetries (reflections, rotations, digits counted from above) for each puzzle taken."""
    data: str = Field("", max_length=4096)
    """Puzzles to train on: a list, a dataset folder, or hub:OWNER/NAME[@REVISION]. Empty: generate."""
    test_data: str = Field("", max_length=4096)
    """Held-out puzzles, likewise; empty with `data`: its test part, or test_size puzzles set aside."""
    columns: str = Field("", max_length=200)
    """Columns of a CSV as PUZZLE or PUZZLE,SOLUTION; empty: known by their names."""

    @property
    def called(self) -> str:
        """Futoshiki of a size."""
        return f"{self.size}×{self.size} Futoshiki"

    @property
    def seq_len(self) -> int:
        """Cells of the grid and the places between them."""
        return (2 * self.size - 1) ** 2

    @property
    def grid(self) -> tuple[int, int]:
        """The grid, with the places between its cells."""
        return (2 * self.size - 1, 2 * self.size - 1)

    @property
    def vocab_size(self) -> int:
        """Padding, blank, the digits, no sign, and the four signs."""
        return self.size + 7

    @classmethod
    def readings(cls, text: str) -> list[tuple[TaskConfig, int]]:
        """Return the size of a text with signs between its cells: drawn, in one line, or a game's ID."""
        game = re.match(r"\s*(\d):", text)
        lines = text.replace("\r", "").strip("\n").split("\n")
        if game:
            size = int(game[1])
        elif not set("<>^v∧∨") & set(text):
            return []
        elif len(lines) == 1:
            size = (math.isqrt(len("".join(text.split()))) + 1) // 2
        else:
            size = (len(lines) + 1) // 2
        return [(cls(size=size), 0)] if 2 <= size <= MAX_SIDE else []

    def problems(self) -> list[tuple[str, str]]:
        """Return the combinations that cannot work."""
        found = []
        if self.sign_share_max < self.sign_share_min:
            found.append(
                ("sign_share_max", f"{self.sign_share_max} is below sign_share_min = {self.sign_share_min}")
            )
        if self.test_data and not self.data:
            found.append(("test_data", "is set but `data` is not: name the training puzzles too"))
        return found
