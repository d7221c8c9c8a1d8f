"""The settings of the Light Up task."""

from __future__ import annotations

import math
import re
from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig

MAX_SIDE = 14


class LightUpConfig(TaskConfig, kind="light-up", task="trm_engine.tasks.light_up.task:LightUpTask"):
    """Light Up (Akari): bulbs that light a grid with walls, some of which say how many bulbs touch them."""

    size_fields: ClassVar[tuple[str, ...]] = ("rows", "cols")

    kind: Literal["light-up"] = "light-up"
    """Which task the model learns."""
    rows: int = Field(7, ge=2, le=MAX_SIDE)
    """Rows of the grid."""
    cols: int = Field(7, ge=2, le=MAX_SIDE)
    """Columns of the grid."""
    wall_share_min: float = Field(0.2, ge=0, le=0.6)
    """A generated puzzle draws its share of walls from wall_share_min … wall_share_max."""
    wall_share_max: float = Field(0.35, ge=0, le=0.6)
    """The largest share of walls."""
    number_share: float = Field(0.0, ge=0, le=1)
    """Numbers are taken from walls until this share of the walls has one; 0: until none can go."""
    train_size: int = Field(1000, ge=1, le=10**6)
    """Training puzzles: how many to generate, or at most to take from `data`."""
    test_size: int = Field(500, ge=1, le=10**6)
    """Held-out puzzles: how many to generate, or at most to take from `test_data`."""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed of the generator, and of the choice when `data` holds more than train_size."""
    augment: bool = True
    """Draw one of the grid's symmetries (8 of a square, 4 of a rectangle) for each puzzle taken."""
    data: str = Field("", max_length=4096)
    """Puzzles to train on: a list, a dataset folder, or hub:OWNER/NAME[@REVISION]. Empty: generate."""
    test_data: str = Field("", max_length=4096)
    """Held-out puzzles, likewise; empty with `data`: its test part, or test_size puzzles set aside."""
    columns: str = Field("", max_length=200)
    """Columns of a CSV as PUZZLE or PUZZLE,SOLUTION; empty: known by their names."""

    @property
    def called(self) -> str:
        """Light Up of a size."""
        return f"{self.rows}×{self.cols} Light Up"

    @property
    def seq_len(self) -> int:
        """Cells of the grid."""
        return self.rows * self.cols

    @property
    def grid(self) -> tuple[int, int]:
        """The grid."""
        return (self.rows, self.cols)

    @property
    def vocab_size(self) -> int:
        """Padding, open cell, bulb, wall, and walls with the numbers 0 to 4."""
        return 9

    @classmethod
    def readings(cls, text: str) -> list[tuple[TaskConfig, int]]:
        """Return the size of a text with walls and without start and goal: drawn, in one line, an address."""
        named = re.search(r"(?:akari|lightup|bijutsukan)/(\d+)/(\d+)/|^\s*(\d+)x(\d+):", text)
        if named:
            cols, rows = (int(number) for number in named.groups() if number)
        elif not set("#█") & set(text) or set("SG") & set(text):
            return []
        else:
            lines = ["".join(line.split()) for line in text.strip().splitlines()]
            rows, cols = len(lines), len(lines[0])
            if rows == 1:
                rows = cols = math.isqrt(cols)
        return [(cls(rows=rows, cols=cols), 0)] if 2 <= min(rows, cols) <= max(rows, cols) <= MAX_SIDE else []

    def problems(self) -> list[tuple[str, str]]:
        """Return the combinations that cannot work."""
        found = []
        if self.wall_share_max < self.wall_share_min:
            found.append(
                ("wall_share_max", f"{self.wall_share_max} is below wall_share_min = {self.wall_share_min}")
            )
        if self.test_data and not self.data:
            found.append(("test_data", "is set but `data` is not: name the training puzzles too"))
        return found
