"""The settings of the Sudoku task."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig

MAX_SIDE = 16
_USUAL_BOXES = ((2, 2), (2, 3), (3, 3), (2, 4), (3, 4), (4, 4))


class SudokuConfig(TaskConfig, kind="sudoku", task="trm_engine.tasks.sudoku.task:SudokuTask"):
    """Sudoku on an n×n grid whose boxes have r rows and c columns, n = r · c."""

    size_fields: ClassVar[tuple[str, ...]] = ("box_rows", "box_cols")

    kind: Literal["sudoku"] = "sudoku"
    """Which task the model learns."""
    box_rows: int = Field(2, ge=1, le=MAX_SIDE)
    """Rows r of a box."""
    box_cols: int = Field(2, ge=1, le=MAX_SIDE)
    """Columns c of a box."""
    clues: int = Field(0, ge=0, le=MAX_SIDE * MAX_SIDE)
    """Clues of a generated puzzle; 0 removes clues until the puzzle is minimal."""
    clues_max: int = Field(0, ge=0, le=MAX_SIDE * MAX_SIDE)
    """Above 0: generated puzzles draw their clue count from clues … clues_max (clues 0: from minimal)."""
    train_size: int = Field(1000, ge=1, le=10**8)
    """Training puzzles: how many to generate, or at most to take from `data`."""
    train_pool: int = Field(0, ge=0, le=10**8)
    """Generate so many training puzzles and use the first train_size: smaller sets are part of larger ones,
    with the same test puzzles. 0: train_size."""
    test_size: int = Field(500, ge=1, le=10**8)
    """Held-out puzzles: how many to generate, or at most to take from `test_data`."""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed of the generator, and of the choice when `data` holds more than train_size."""
    augment: bool = True
    """Draw a random symmetry (digits, bands, stacks, rows, columns, transpose) for each puzzle taken."""
    images: int = Field(0, ge=0, le=10**6)
    """Fixed images of each training puzzle: one is drawn whenever it is taken; 0: always a new one."""
    data: str = Field("", max_length=4096)
    """Training puzzles: a text or CSV list, a dataset folder, or hub:OWNER/NAME. Empty: generate."""
    test_data: str = Field("", max_length=4096)
    """Held-out puzzles, likewise; empty with `data`: its test part, or test_size puzzles set aside."""

    columns: str = Field("", max_length=200)
    """Columns of a CSV as PUZZLE or PUZZLE,SOLUTION; empty: known by their names, or by their cells."""
    zero: Literal["auto", "blank", "digit"] = "auto"
    """What 0 is in grids of ten and more digits: a blank (1–G), a digit (0–F), or what the list shows."""

    @property
    def side(self) -> int:
        """Rows and columns n of the grid."""
        return self.box_rows * self.box_cols

    @property
    def called(self) -> str:
        """Sudoku of a size."""
        return f"{self.side}×{self.side} Sudoku"

    @property
    def seq_len(self) -> int:
        """Cells of the grid."""
        return self.side**2

    @property
    def grid(self) -> tuple[int, int]:
        """The grid."""
        return (self.side, self.side)

    @property
    def vocab_size(self) -> int:
        """Padding, blank and the n digits."""
        return self.side + 2

    @classmethod
    def readings(cls, text: str) -> list[tuple[TaskConfig, int]]:
        """Return the usual sizes of board, and by how many cells the text misses each."""
        cells = sum(not symbol.isspace() and symbol not in "|+-─│" for symbol in text)
        boards = [cls(box_rows=rows, box_cols=cols) for rows, cols in _USUAL_BOXES]
        return [(board, abs(board.seq_len - cells)) for board in boards]

    def problems(self) -> list[tuple[str, str]]:
        """Return the combinations that cannot work."""
        found = []
        if not 2 <= self.side <= MAX_SIDE:
            found.append(("box_rows", f"box_rows · box_cols is {self.side}: a grid has 2 to {MAX_SIDE} rows"))
        counts = {"clues": self.clues, "clues_max": self.clues_max}
        found += [
            (name, f"{count} clues in a grid of {self.seq_len} cells")
            for name, count in counts.items()
            if count > self.seq_len
        ]
        if 0 < self.clues_max < self.clues:
            found.append(("clues_max", f"{self.clues_max} is below clues = {self.clues}"))
        if 0 < self.train_pool < self.train_size:
            found.append(("train_pool", f"{self.train_pool} is below train_size = {self.train_size}"))
        if self.train_pool and self.data:
            found.append(("train_pool", "is for generated puzzles; `data` is set"))
        if self.images and not self.augment:
            found.append(("images", "augment = false shows each puzzle as it is; set this to 0"))
        if self.test_data and not self.data:
            found.append(("test_data", "is set but `data` is not: name the training puzzles too"))
        return found
