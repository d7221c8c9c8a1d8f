"""The cells of grids as people write them: frames, separators, blanks of several kinds, rows on lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.symbols import BLANKS, ZERO
from trm_engine.tasks.sudoku.rules import SYMBOLS

_LINES = "".join(map(chr, range(0x2500, 0x2580)))  # box drawings, light, heavy and double
_FRAME = f"|+=¦‖{_LINES}"
_AMBIGUOUS = "-*_"
"""Blanks to some, and what frames are drawn with to others."""
_CORNERS = frozenset("+=" + _LINES) - frozenset("│┃║|")
_BETWEEN = re.compile(rf"[\s,;:/\\\[\](){{}}\"'`\u200b\ufeff{re.escape(_FRAME)}]+")
_COLUMNS = re.compile(r"[\s,;:|]+")
_AROUND = "\"'`{}[]()"
_TITLE = re.compile(r"\W*[A-Za-z]{2,}[^=]{0,200}")
_NUMBER = re.compile(r"[0-9]{1,2}")


class Boards:
    """Reads grids of one size; `drawn_blanks` are those of `-*_` that are blanks here, and no frame."""

    def __init__(self, geometry: Geometry, drawn_blanks: str = "") -> None:
        self.geometry = geometry
        self._side, self._cells = geometry.side, geometry.cells
        self._digits = frozenset(SYMBOLS[: geometry.side] + SYMBOLS[: geometry.side].lower() + ZERO)
        self._known = self._digits | frozenset(BLANKS)
        known = re.escape("".join(sorted(self._known)))
        self._run = re.compile(rf"(?<![{known}])[{known}]{{{self._cells}}}(?![{known}])")
        self._frame = str.maketrans(dict.fromkeys(set(_AMBIGUOUS) - set(drawn_blanks), "|"))

    @classmethod
    def seen_in(cls, geometry: Geometry, lines: Iterable[str]) -> Boards:
        """Return a reader that takes a sign for a blank where it stands between digits on some line."""
        plain = cls(geometry)
        blanks = [sign for line in lines for sign in _AMBIGUOUS if sign in line and plain._has_cells(line)]
        return cls(geometry, "".join(blanks))

    def is_grid(self, word: str) -> bool:
        """Tell whether a word is the cells of a whole grid."""
        return len(word) == self._cells and self._known.issuperset(word)

    def is_nearly_grid(self, word: str) -> bool:
        """Tell whether a word is meant for a grid but is none: of another length, or with a strange cell."""
        known = sum(symbol in self._known for symbol in word)
        if len(word) == self._cells:
            return known < len(word) <= known * 4 // 3
        return known == len(word) >= max(self._cells // 2, 2)

    def columns(self, line: str) -> list[str]:
        """Return what stands between the separators of columns, without quotes and JSON's brackets."""
        return [word for part in _COLUMNS.split(line) if (word := part.strip(_AROUND))]

    def whole(self, text: str) -> list[str]:
        """Return the grids that all of a text is: one, or a puzzle and its solution; else none.

        Cells may stand apart, or in groups of one length: so a number after a grid that lacks a cell is no
        cell of it.
        """
        words = self._words(text)
        cells = self._joined(words, alike=True)
        if cells is None or not cells or len(cells) % self._cells or len(cells) > 2 * self._cells:
            return []
        return [cells[first : first + self._cells] for first in range(0, len(cells), self._cells)]

    def within(self, text: str) -> list[str]:
        """Return the grids that stand in a text, whatever stands between them."""
        return self._run.findall(text)

    def row(self, line: str) -> str | None:
        """Return the n cells that a line is, nothing for a line of a frame, None where it is neither."""
        cells = self._joined(self._words(line), alike=False)
        if cells is None:
            return None
        if self._digits.isdisjoint(cells) and (len(cells) != self._side or not _CORNERS.isdisjoint(line)):
            return "" if not cells or set(cells) <= set(_AMBIGUOUS) else None
        return cells if len(cells) == self._side else None

    def is_title(self, line: str) -> bool:
        """Tell whether a line is words about a puzzle, and no cells of one."""
        words = "".join(self._words(line))
        return _TITLE.fullmatch(line.strip()) is not None and not self._known.issuperset(words)

    def cells(self, text: str) -> str:
        """Return the cells of a text that is one grid, however many they are, strange ones too."""
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        lines = [line for line in lines if not self.is_title(line)] or lines
        rows = [self.row(line) for line in lines]
        if None not in rows:
            drawn = [row for row in rows if row]
            # A line of as many dashes as a row has cells may still be a frame.
            clear = [row for row in drawn if not set(row) <= set(_AMBIGUOUS)]
            for found in (drawn, clear):
                if len(found) == self._side:
                    return "".join(found)
        words = self._words("\n".join(lines))
        return self._joined(words, alike=False) or "".join(words)

    def _words(self, text: str) -> list[str]:
        return [word for word in _BETWEEN.split(text.translate(self._frame)) if word]

    def _joined(self, words: Sequence[str], *, alike: bool) -> str | None:
        """Return words as cells: numbers of up to two digits where they stand alone, or groups of symbols."""
        if len(words) in (self._side, self._cells, 2 * self._cells) and max(map(len, words)) == 2:
            numbers = [self._symbol(word) for word in words]
            return "".join(numbers) if all(numbers) else None
        if alike and len(set(map(len, words))) > 1:
            return None
        cells = "".join(words)
        return cells if self._known.issuperset(cells) else None

    def _symbol(self, word: str) -> str:
        """Return the symbol of a cell that is written as a number; nothing where it is no cell."""
        if word in self._known:
            return word
        if _NUMBER.fullmatch(word) and int(word) <= self._side:
            return SYMBOLS[int(word) - 1] if int(word) else ZERO
        return ""

    def _has_cells(self, line: str) -> bool:
        cells = "".join(_BETWEEN.split(line))
        return not self._digits.isdisjoint(cells) and self._known.issuperset(cells)
