"""Lists of puzzles as people have them: separators, encodings, blanks, drawings; what is named instead."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.data import load_examples
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.files import Reading, read_list
from trm_engine.tasks.sudoku.task import SudokuTask

NINE, SIXTEEN = Geometry(3, 3), Geometry(4, 4)
HEX, LETTERS = "0123456789abcdef", "123456789ABCDEFG"


def solution_of(geometry: Geometry, turn: int) -> list[int]:
    """A grid by the usual pattern, its digits turned."""
    side, band = geometry.side, geometry.box_rows
    return [
        (geometry.box_cols * (row % band) + row // band + column + turn) % side + 1
        for row in range(side)
        for column in range(side)
    ]


def puzzle_of(solution: list[int], missing: int) -> list[int]:
    """The grid without its seventh row, and without one cell of each other row: one way leads back."""
    return [
        0 if cell // 9 == 6 or cell % 9 == (cell // 9 * 2 + missing) % 9 else digit
        for cell, digit in enumerate(solution)
    ]


SOLUTIONS = [solution_of(NINE, turn) for turn in range(4)]
PUZZLES = [puzzle_of(solution, number % 3) for number, solution in enumerate(SOLUTIONS)]


def text(grid: list[int], blank: str = ".", symbols: str = LETTERS) -> str:
    return "".join(symbols[digit - 1] if digit else blank for digit in grid)


PAIRS = [(text(puzzle), text(solution)) for puzzle, solution in zip(PUZZLES, SOLUTIONS, strict=True)]


def table(separator: str, header: str = "puzzle,solution", end: str = "\n") -> str:
    lines = [header.replace(",", separator), *(separator.join(pair) for pair in PAIRS)]
    return end.join([*lines, ""])


def drawn(grid: list[int], blank: str = ".") -> list[str]:
    cells = text(grid, blank)
    return [cells[first : first + 9] for first in range(0, 81, 9)]


def simple_sudoku(grid: list[int], blank: str = ".") -> str:
    lines = [" *-----------*"]
    for number, row in enumerate(drawn(grid, blank)):
        lines += [" |---+---+---|"] if number in (3, 6) else []
        lines.append(f" |{row[:3]}|{row[3:6]}|{row[6:]}|")
    return "\n".join([*lines, " *-----------*", ""])


FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
ARABIC = {ord("0") + digit: 0x0660 + digit for digit in range(10)}
FORMS = {
    **{f"CSV with {separator!r}": table(separator) for separator in ",;\t|:"},
    "UTF-8 with its mark": table(",").encode("utf-8-sig"),
    "UTF-16 of PowerShell": table(",", end="\r\n").encode("utf-16"),
    "UTF-16 without a mark": table("\t", end="\r\n").encode("utf-16-le"),
    "UTF-16, big end first": b"\xfe\xff" + table(";").encode("utf-16-be"),
    "UTF-32": table(",").encode("utf-32"),
    "line ends of old Macs": table(",", end="\r"),
    "line ends of old Macs, no header": "\r".join(pair[0] for pair in PAIRS),
    "a DOS end of file": table(",", end="\r\n") + "\x1a",
    "a comment in Latin-1": "# für alle\n".encode("latin-1") + table(",").encode(),
    "Sudoku-Bench": "task_name,initial_board,solution,rows,cols\n"
    + "".join(f"own_{number},{a},{b},9,9\n" for number, (a, b) in enumerate(PAIRS)),
    "input and output": table(",", "input,output"),
    "board and label": table(";", "Board;Label"),
    "names in quotes": table(",", '"Initial Board","Solved Board"'),
    "names that nobody knows": table(",", "rätsel,lösung"),
    "a column of numbers and unknown names": "nr;rätsel;lösung\n"
    + "".join(f"{number};{a};{b}\n" for number, (a, b) in enumerate(PAIRS)),
    "one column": "quizzes\n" + "".join(f"{a}\n" for a, _ in PAIRS),
    "hash, puzzle, rating": "".join(f"3e8a16124d{n}1 {a}  1.{n}\n" for n, (a, _) in enumerate(PAIRS)),
    "columns without names": "".join(f"EZ,1,1,{n},{a},{b}\n" for n, (a, b) in enumerate(PAIRS)),
    "solution first": "".join(f"{b};{a}\n" for a, b in PAIRS),
    "puzzle | solution": "".join(f"{a} | {b}\n" for a, b in PAIRS),
    "puzzle:solution": "".join(f"{a}:{b}\n" for a, b in PAIRS),
    **{
        f"a puzzle {sign} its solution": "".join(f"{a}{sign}{b}\n" for a, b in PAIRS)
        for sign in ("#", "&", " -> ", "=", "~", " § ")
    },
    "full-width digits": "".join(a.translate(FULL_WIDTH) + "\n" for a, _ in PAIRS),
    "Arabic digits": "".join(a.translate(ARABIC) + "\n" for a, _ in PAIRS),
    "zeros at its end": "".join(f"{a}\n" for a, _ in PAIRS) + "\0\0\0",
    "quotes without names": "".join(f'"{a}","{b}"\n' for a, b in PAIRS),
    "JSON lines": "".join(json.dumps({"id": "k", "puzzle": a, "n": 3}) + "\n" for a, _ in PAIRS),
    "JSON lines with solutions": "".join(json.dumps({"answer": b, "question": a}) + "\n" for a, b in PAIRS),
    "a count first": f"{len(PAIRS)}\n" + "".join(f"{a}\n" for a, _ in PAIRS),
    **{
        f"{blank!r} for a blank": "".join(f"{text(puzzle, blank)}\n" for puzzle in PUZZLES)
        for blank in "*_xX-?0·"
    },
    "a point of Latin-1 for a blank": "".join(f"{text(puzzle, '·')}\n" for puzzle in PUZZLES).encode(
        "latin-1"
    ),
    "cells between spaces": "".join(f"{' '.join(a)}\n" for a, _ in PAIRS),
    "cells between commas, with solutions": "".join(
        ",".join([*text(puzzle, "0"), *b]) + "\n" for puzzle, (_, b) in zip(PUZZLES, PAIRS, strict=True)
    ),
    "rows between slashes": "".join("/".join(drawn(puzzle)) + "\n" for puzzle in PUZZLES),
    "SadMan (.sdk)": "".join(
        "#Anobody\n#DA puzzle\n#B27-11-2026\n[Puzzle]\n" + "\n".join(drawn(puzzle)) + "\n"
        for puzzle in PUZZLES
    ),
    "SudoCue (.sdk with its state)": "".join(
        "[Puzzle]\n" + "\n".join(drawn(puzzle)) + "\n[State]\n" + "\n".join(drawn(solution)) + "\n"
        for puzzle, solution in zip(PUZZLES, SOLUTIONS, strict=True)
    ),
    "a puzzle a line (.sdm)": "# a collection\n" + "".join(f"{text(puzzle, '0')}\n" for puzzle in PUZZLES),
    "Simple Sudoku (.ss)": "\n".join(simple_sudoku(puzzle) for puzzle in PUZZLES),
    "Simple Sudoku with X": "".join(simple_sudoku(puzzle, "X") for puzzle in PUZZLES),
    "rows of cells between spaces": "\n\n".join(
        "\n".join(" ".join(row) for row in drawn(puzzle, "-")) for puzzle in PUZZLES
    ),
    "titles (Project Euler)": "".join(
        f"Grid {number:02d}\n" + "\n".join(drawn(puzzle, "0")) + "\n" for number, puzzle in enumerate(PUZZLES)
    ),
}


def written(folder: Path, content: str | bytes, name: str = "list.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_list_is_the_same_puzzles(tmp_path: Path, content: str | bytes) -> None:
    read = read_list(NINE, written(tmp_path, content))
    assert read.clues.tolist() == PUZZLES
    assert read.solutions.tolist() == SOLUTIONS


@pytest.mark.parametrize("separator", ",;\t|")
def test_a_long_table_is_read_whatever_stands_between_its_columns(tmp_path: Path, separator: str) -> None:
    lines = [separator.join(("puzzle", "solution")), *[separator.join(pair) for pair in PAIRS] * 50]
    assert len(read_list(NINE, written(tmp_path, "\n".join(lines)))) == 4 * 50


def compressed() -> bytes:
    return gzip.compress(table(",").encode())


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("list.csv", table(","))
    return buffer.getvalue()


def numbers(save) -> bytes:  # type: ignore[no-untyped-def]  # NumPy's savers have no common type
    buffer = io.BytesIO()
    save(buffer, np.array(PUZZLES))
    return buffer.getvalue()


NAMED = {
    "gzip": (compressed(), r"is compressed (gzip): unpack it first (gunzip FILE)"),
    "zip": (zipped(), "is compressed (ZIP): unpack it first"),
    "npz": (numbers(np.savez), "is compressed (ZIP)"),
    "npy": (numbers(np.save), "is a NumPy array: write it as text"),
    "Parquet": (b"PAR1" + bytes(60), "is a Parquet file: write it as CSV"),
    "JSON": (json.dumps(PUZZLES), "is JSON: write a puzzle a line, or CSV"),
    "JSON on a line": (json.dumps([{"p": a, "s": b} for a, b in PAIRS]), "is JSON: write a puzzle a line"),
    "long JSON": (json.dumps([a for a, _ in PAIRS] * 60), "as JSON, XML and HTML are: write a puzzle a line"),
    "XML": (f'<?xml version="1.0"?>\n<game data="{PAIRS[0][0]}x"/>', "is XML or HTML: write a puzzle a line"),
    "what cannot be shown": ("\x01\x02\n", "what it holds (no text) is not a puzzle"),
    "half a drawing": ("\n".join(drawn(PUZZLES[0])[:8]), "has 8 of its 9 rows"),
    "another size": ("\n".join(["1234.31...4..42."]), "the puzzle has 16 cells; a 9×9 grid has 81"),
    "a cell too few beside a number": (f"{PAIRS[0][0][1:]} 1\n", "the puzzle has 80 cells"),
    "three grids a line": (" ".join([*PAIRS[0], PAIRS[1][0]]), "task.columns=PUZZLE,SOLUTION"),
}


@pytest.mark.parametrize(("content", "words"), NAMED.values(), ids=NAMED.keys())
def test_what_is_no_list_is_named_with_its_remedy(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_list(NINE, written(tmp_path, content))
    assert words in str(caught.value)


def test_a_setting_names_the_columns(tmp_path: Path) -> None:
    rows = "".join(f"{PAIRS[3][1]},{a},{b}\n" for a, b in PAIRS[:3])
    path = written(tmp_path, "Other,Mine,Yours\n" + rows)
    read = read_list(NINE, path, reading=Reading(columns="mine,Yours"))
    assert read.clues.tolist() == PUZZLES[:3]
    with pytest.raises(UsageError, match="no column his; it has Other, Mine, Yours"):
        read_list(NINE, path, reading=Reading(columns="his"))


# --- 0 in grids of ten and more digits -------------------------------------------------------------------


WIDE = solution_of(SIXTEEN, 5)
WIDE_PUZZLE = [0 if cell % 5 == 0 and cell < 64 else digit for cell, digit in enumerate(WIDE)]


def wide(
    content: str, folder: Path, zero: str = "auto"
) -> tuple[list[list[int]], list[list[int]], tuple[str, ...]]:
    read = read_list(SIXTEEN, written(folder, content), reading=Reading(zero=zero))  # type: ignore[arg-type]
    return read.clues.tolist(), read.solutions.tolist(), read.notes


def test_hexadecimal_digits_are_told_by_other_blanks_and_no_g(tmp_path: Path) -> None:
    clues, solutions, notes = wide(text(WIDE_PUZZLE, ".", HEX), tmp_path)
    assert (clues, solutions) == ([WIDE_PUZZLE], [WIDE])
    assert "0 is read as a digit (0–F): it stands beside . for blanks, and no G occurs" in notes[0]
    assert "task.zero=blank" in notes[0]


def test_hexadecimal_solutions_decide_for_their_puzzles(tmp_path: Path) -> None:
    row = f"{text(WIDE_PUZZLE, '.', HEX)},{text(WIDE, '', HEX)}\n"
    assert wide("puzzle,solution\n" + row, tmp_path)[:2] == ([WIDE_PUZZLE], [WIDE])


@pytest.mark.parametrize("blank", ["0", "."])
def test_zero_is_a_blank_beside_a_g(tmp_path: Path, blank: str) -> None:
    assert wide(text(WIDE_PUZZLE, blank), tmp_path)[0] == [WIDE_PUZZLE]


def test_numbers_up_to_16_are_digits(tmp_path: Path) -> None:
    rows = [WIDE_PUZZLE[first : first + 16] for first in range(0, 256, 16)]
    content = "\n".join(" ".join(f"{digit:2d}" for digit in row) for row in rows)
    assert wide(content, tmp_path)[:2] == ([WIDE_PUZZLE], [WIDE])


def test_a_zero_that_a_row_has_twice_is_a_blank(tmp_path: Path) -> None:
    blanks = [0 if digit in (16, 15) else digit for digit in WIDE_PUZZLE]
    with pytest.raises(UsageError, match="more than one solution"):
        wide(text(blanks, "0"), tmp_path)


def test_full_grids_from_0_on_are_told_by_their_zeros(tmp_path: Path) -> None:
    twelve = Geometry(3, 4)
    grid = solution_of(twelve, 0)
    read = read_list(twelve, written(tmp_path, text(grid, "", HEX[:12])))
    assert read.solutions.tolist() == [grid]
    assert "0–B" in read.notes[0]


def test_zero_as_a_setting(tmp_path: Path) -> None:
    content = text(WIDE_PUZZLE, ".", HEX)
    assert wide(content, tmp_path, "digit")[0] == [WIDE_PUZZLE]
    assert wide(content, tmp_path, "digit")[2] == ()
    assert wide(content, tmp_path, "blank")[0] != [WIDE_PUZZLE]


def test_a_solution_with_zeros_is_told_what_0_is(tmp_path: Path) -> None:
    row = f"{text(WIDE_PUZZLE)},{text([0 if digit == 1 else digit for digit in WIDE], '0')}\n"
    with pytest.raises(
        UsageError, match=r"the solution is incomplete.*0 is a blank here; write the digits 1–G"
    ):
        wide("puzzle,solution\n" + row, tmp_path)


def test_the_task_says_how_0_was_read(tmp_path: Path) -> None:
    path = written(tmp_path, text(WIDE_PUZZLE, ".", HEX))
    task = SudokuTask(SudokuConfig(box_rows=4, box_cols=4))
    assert "0 is read as a digit" in task.load(str(path)).notes[0]


def test_in_small_grids_0_is_a_blank_beside_points(tmp_path: Path) -> None:
    assert read_list(NINE, written(tmp_path, PAIRS[0][0].replace(".", "0", 3))).clues.tolist() == [PUZZLES[0]]


# --- pipes -------------------------------------------------------------------------------------------------


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(table(",").encode("utf-16")))
    writer.start()
    try:
        assert len(load_examples(NINE, pipe, split="test")) == len(PAIRS)
    finally:
        writer.join(10)


def test_an_open_pipe_by_its_number_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, table(";").encode())
    os.close(writing)
    try:
        assert read_list(NINE, Path(f"/dev/fd/{reading}")).clues.tolist() == PUZZLES
    finally:
        os.close(reading)


def test_a_run_does_not_begin_from_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"\[task\] data: .* is a pipe.*save it as a file"):
        _ = SudokuTask(SudokuConfig(data=str(tmp_path / "pipe"))).facts
