"""The settings of the maze task."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig

MAX_SIDE = 50


class MazeConfig(TaskConfig, kind="maze", task="trm_engine.tasks.maze.task:MazeTask"):
    """The shortest path from start to goal on a grid with random walls."""

    size_fields: ClassVar[tuple[str, ...]] = ("rows", "cols")
    unmistakable: ClassVar[bool] = True

    kind: Literal["maze"] = "maze"
    """Which task the model learns."""
    rows: int = Field(10, ge=2, le=MAX_SIDE)
    """Rows of the grid."""
    cols: int = Field(10, ge=2, le=MAX_SIDE)
    """Columns of the grid."""
    wall_share_min: float = Field(0.3, ge=0, le=0.9)
    """A generated maze draws its share of walls from wall_share_min … wall_share_max."""
    wall_share_max: float = Field(0.5, ge=0, le=0.9)
    """The largest share of walls."""
    min_path: int = Field(12, ge=3, le=MAX_SIDE * MAX_SIDE)
    """Cells that the shortest path of a generated maze has at least, start and goal included."""
    unique_path: bool = False
    """Generate only mazes with one shortest path, so that the rules alone decide the answer."""
    train_size: int = Field(1000, ge=1, le=10**6)
    """Training mazes: how many to generate, or at most to take from `data`."""
    test_size: int = Field(500, ge=1, le=10**6)
    """Held-out mazes: how many to generate, or at most to take from `test_data`."""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed of the generator, and of the choice when `data` holds more than train_size."""
    augment: bool = True
    """Draw one of the grid's symmetries (8 of a square, 4 of a rectangle) for each maze taken."""
    data: str = Field("", max_length=4096)
    """Mazes to train on: a list, a dataset folder, or hub:OWNER/NAME[@REVISION]. Empty: generate."""
    test_data: str = Field("", max_length=4096)
    """Held-out mazes, likewise; empty with `data`: its test part, or test_size mazes set aside."""

    columns: str = Field("", max_length=200)
    """Columns of a CSV as MAZE or MAZE,ANSWER; empty: known by their names."""

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
        """Padding, wall, open cell, start, goal and path."""
        return 6

    @property
    def called(self) -> str:
        """Mazes of a size."""
        return f"{self.rows}×{self.cols} maze"

    @staticmethod
    def looks_like(text: str) -> bool:
        """Whether there are a start, walls and a goal."""
        return "S" in text and bool(set(text) & set("#█")) and bool(set(text) & set("GETF"))

    @classmethod
    def readings(cls, text: str) -> list[tuple[TaskConfig, int]]:
        """Return the sizes of grid that a text with start and goal may have: drawn, or all in one line."""
        if "S" not in text or "G" not in text:
            return []
        lines = [line for line in text.replace("\r", "").strip("\n").split("\n") if line.strip("─┌┐└┘")]
        if len(lines) == 1:
            side = math.isqrt(len(lines[0]))
            sizes = [(side, side)] if side**2 == len(lines[0]) else []
        else:
            width = len(lines[0].strip("│"))
            sizes = [(len(lines), width), (len(lines), width // 2)]  # one character a cell, or two
        fit = [(rows, cols) for rows, cols in sizes if min(rows, cols) >= 2 and max(rows, cols) <= MAX_SIDE]
        return [(cls(rows=rows, cols=cols), 0) for rows, cols in fit]

    def problems(self) -> list[tuple[str, str]]:
        """Return the combinations that cannot work."""
        found = []
        if self.wall_share_max < self.wall_share_min:
            found.append(
                ("wall_share_max", f"{self.wall_share_max} is below wall_share_min = {self.wall_share_min}")
            )
        # In each 2×2 block of cells a shortest path takes at most three: to take all four is a detour.
        longest = math.ceil(self.rows / 2) * math.ceil(self.cols / 2) * 3
        longest = min(longest, self.seq_len)
        if self.min_path > longest and not self.data:
            found.append(
                ("min_path", f"no shortest path of a {self.rows}×{self.cols} grid has {self.min_path} cells")
            )
        if self.test_data and not self.data:
            found.append(("test_data", "is set but `data` is not: name the training mazes too"))
        return found
