"""Puzzles as people paste them: blanks, marks and frames."""

from __future__ import annotations

import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.text import parse

FOUR, NINE, SIXTEEN = Geometry(2, 2), Geometry(3, 3), Geometry(4, 4)
CELLS = "1..4......4..23."
ROWS = [CELLS[first : first + 4] for first in range(0, 16, 4)]
LARGE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
LARGE = LARGE[:72] + "........."
LARGE_ROWS = [LARGE[first : first + 9] for first in range(0, 81, 9)]


def boxed(rows: list[str], box: int, edge: str, between: str, side: str, wall: str) -> str:
    """Draw rows with a frame: `edge` and `between` are lines, `side` and `wall` signs between cells."""
    lines = [edge]
    for number, row in enumerate(rows):
        lines += [between] if number and number % box == 0 else []
        parts = [row[first : first + box] for first in range(0, len(row), box)]
        lines.append(side + wall.join(parts) + side)
    return "\n".join([*lines, edge, ""])


SIMPLE = boxed(LARGE_ROWS, 3, " *-----------*", " |---+---+---|", "|", "|")
HEAVY = boxed(LARGE_ROWS, 3, "┏━━━┯━━━┯━━━┓", "┠───┼───┼───┨", "┃", "│").replace(".", "·")
DOUBLE = boxed(LARGE_ROWS, 3, "╔═══╦═══╦═══╗", "╠═══╬═══╬═══╣", "║", "║")

PASTED = {
    "dashes on a line": (FOUR, CELLS.replace(".", "-")),
    "dashes between spaces": (NINE, "\n".join(" ".join(row) for row in LARGE_ROWS).replace(".", "-")),
    "dashes in a frame of dashes": (NINE, SIMPLE.replace(".", "-")),
    "stars": (FOUR, CELLS.replace(".", "*")),
    "low lines": (FOUR, "\n".join(ROWS).replace(".", "_")),
    "x": (NINE, LARGE.replace(".", "x")),
    "question marks": (FOUR, CELLS.replace(".", "?")),
    "Simple Sudoku": (NINE, SIMPLE + " Simple Sudoku\n  Version 9.9z\n"),
    "SadMan with comments": (NINE, "#Anobody\n#DA puzzle\n[Puzzle]\n" + "\n".join(LARGE_ROWS)),
    "heavy and light lines, points in the middle": (NINE, HEAVY),
    "double lines": (NINE, DOUBLE),
    "a title above": (NINE, f"Puzzle 12, hard\n{LARGE}\n"),
    "a list of lists": (FOUR, str([[int(cell.replace(".", "0")) for cell in row] for row in ROWS])),
    "commas": (FOUR, ",".join(CELLS.replace(".", "0"))),
    "slashes between rows": (FOUR, "/".join(ROWS)),
    "spaces that do not break": (FOUR, "\n".join("\u00a0".join(row) for row in ROWS)),
    "a byte order mark": (FOUR, "\ufeff" + CELLS),
    "semicolons and tabs": (FOUR, ";\n".join("\t".join(row) for row in ROWS)),
}


@pytest.mark.parametrize(("geometry", "text"), PASTED.values(), ids=PASTED.keys())
def test_every_way_to_write_a_puzzle_is_the_same_puzzle(geometry: Geometry, text: str) -> None:
    cells = CELLS if geometry == FOUR else LARGE
    assert parse(geometry, text).tolist() == [1 if cell == "." else int(cell) + 1 for cell in cells]


def test_numbers_of_two_digits_are_cells() -> None:
    numbers = [16, 0, 3, 10, *[0] * 252]
    text = "\n".join(" ".join(map(str, numbers[first : first + 16])) for first in range(0, 256, 16))
    assert parse(SIXTEEN, text)[:4].tolist() == [17, 1, 4, 11]


def test_a_zero_that_looks_like_a_digit_is_asked_about() -> None:
    text = "0123456789abcdef" + "." * 240
    with pytest.raises(UsageError, match="the puzzle's 0 looks like a digit") as caught:
        parse(SIXTEEN, text)
    assert "Write the digits as 1 … G" in str(caught.value)
    assert parse(SIXTEEN, text, "digit")[:2].tolist() == [2, 3]
    assert parse(SIXTEEN, text, "blank")[:2].tolist() == [1, 2]


def test_rows_of_letters_are_no_titles() -> None:
    rows = ["abcdefg123456789", *["." * 16] * 15]
    assert parse(SIXTEEN, "\n".join(rows))[0] == 11


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2 3 4", "4 cells; a 4×4 grid has 16 (a space is not a cell: write blanks as . or 0)"),
        (f"{CELLS[:-1]}Z", 'cell 16 of the puzzle is "Z": a cell is one of 1234, or . or 0 for a blank'),
        ("puzzle,solution", 'cell 1 of the puzzle is "p"'),
    ],
)
def test_what_is_no_puzzle_is_said_with_its_remedy(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(FOUR, text)
    assert words in str(caught.value)
