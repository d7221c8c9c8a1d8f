"""How the cells of a grid are written: digits, blanks, and the 0 that can be either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.rules import SYMBOLS, find_repeat

Zero: TypeAlias = Literal["auto", "blank", "digit"]
"""What 0 stands for in grids of ten and more digits: 1–G with 0 for a blank, or 0–F."""

BLANKS = ".-*_xX?·•∙⋅"
"""What an empty cell may be written as, beside 0."""
ZERO = "0"
_FEWEST_DIGITS = 10


@dataclass(frozen=True)
class Symbols:
    """What each symbol of a cell stands for; with `zero_is_digit` the digits are written 0 … n − 1."""

    geometry: Geometry
    zero_is_digit: bool = False

    @cached_property
    def values(self) -> dict[str, int]:
        """The digit of each symbol, 0 for a blank."""
        digits = self.digits
        values = {symbol: digit for digit, symbol in enumerate(digits, 1)}
        values |= {symbol.lower(): digit for symbol, digit in values.items()}
        blanks = BLANKS if self.zero_is_digit else BLANKS + ZERO
        return dict.fromkeys(blanks, 0) | values

    @property
    def digits(self) -> str:
        """The symbols of the digits 1 … n."""
        return ((ZERO if self.zero_is_digit else "") + SYMBOLS)[: self.geometry.side]

    def __str__(self) -> str:
        blank = ". for a blank" if self.zero_is_digit else ". or 0 for a blank"
        return f"a cell is one of {self.digits}, or {blank}"


def may_begin_at_zero(geometry: Geometry) -> bool:
    """Tell whether some write grids of this size with the digits 0 … n − 1: hexadecimal and its kin."""
    return geometry.side >= _FEWEST_DIGITS


@dataclass
class ZeroEvidence:
    """What the grids of a file show of their 0: a blank, or the first digit.

    A 0 beside the highest of the digits 1 … n is a blank, and so is one that a row, column or box has twice.
    Otherwise a 0 in a grid with other blanks, or in one that is full, is a digit.
    """

    geometry: Geometry
    _highest: bool = False
    _twice: bool = False
    _as_digit: bool = False
    _blanks: set[str] = field(default_factory=set)

    def add(self, grid: str) -> None:
        """Look at a grid as it is written (n² symbols)."""
        top = SYMBOLS[self.geometry.side - 1]
        self._highest |= top in grid.upper()
        if ZERO not in grid:
            return
        zeros = np.array([symbol == ZERO for symbol in grid], np.uint8)
        self._twice |= find_repeat(self.geometry, zeros) is not None
        blanks = set(grid) & set(BLANKS)
        self._blanks |= blanks
        self._as_digit |= bool(blanks) or int(zeros.sum()) == self.geometry.side

    @property
    def is_digit(self) -> bool:
        """Whether 0 stands for a digit."""
        return self._as_digit and not self._highest and not self._twice

    @property
    def reason(self) -> str:
        """Why 0 is taken for a digit."""
        top = SYMBOLS[self.geometry.side - 1]
        beside = f"beside {' '.join(sorted(self._blanks))} for blanks" if self._blanks else "in full grids"
        return f"it stands {beside}, and no {top} occurs"


def shown_range(digits: Sequence[str]) -> str:
    """Return digits for people: `0–F`."""
    return f"{digits[0]}–{digits[-1]}"
