"""Messages as people write them, with puzzles in prose and without, drawn with fixed seeds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.geometry import Geometry

SYMBOLS = ".123456789ABCDEFG"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


@dataclass(frozen=True)
class Written:
    """A message, and the cells (blank: `.`) of the puzzle in it."""

    text: str
    cells: str
    kind: str = "sudoku"


def boards(box: tuple[int, int], count: int, seed: int) -> list[str]:
    """Return puzzles with one solution each, as their cells."""
    geometry = Geometry(*box)
    clues = ClueRange(140 if geometry.side == 16 else 0, 0)
    found = generate(geometry, count, clues, np.random.default_rng(seed))
    return ["".join(SYMBOLS[digit] for digit in puzzle) for puzzle in found.puzzles.clues]


def rows_of(cells: str) -> list[str]:
    side = round(len(cells) ** 0.5)
    return [cells[first : first + side] for first in range(0, len(cells), side)]


def _framed(cells: str, box: tuple[int, int]) -> str:
    lines = []
    rows = rows_of(cells)
    rule = "+" + "+".join(["-" * (2 * box[1] + 1)] * box[0]) + "+"
    for number, row in enumerate(rows):
        if number % box[0] == 0:
            lines.append(rule)
        parts = [" ".join(row[at : at + box[1]]) for at in range(0, len(row), box[1])]
        lines.append("| " + " | ".join(parts) + " |")
    return "\n".join([*lines, rule])


def _told(cells: str, rng: random.Random) -> str:
    blank = rng.choice(["blank", "empty", "_"])
    parts = []
    for number, row in enumerate(rows_of(cells), 1):
        said = [blank if cell == "." else cell for cell in row]
        parts.append(f"row {number}: {' '.join(said)}")
    return rng.choice(["; ", "\n", ", "]).join(parts)


def _in_words(cells: str) -> str:
    told = []
    for name, row in zip(ORDINALS, rows_of(cells), strict=False):
        told.append(
            f"the {name} row is {', '.join('blank' if cell == '.' else WORDS[int(cell)] for cell in row)}"
        )
    return "; ".join(told)


BEFORE = (
    "Hi! Could you solve this sudoku for me? ",
    "My daughter's newspaper has this puzzle:\n",
    "I am stuck on a Sudoku, here it is: ",
    "Please help. The grid is ",
    "Sudoku time 🙂\n\n",
    "can u do this one\n",
    "Here's the board from page 12 (rated 3/5 by 1200 players):\n\n",
    "> quoted from a friend\nwhat is the answer of this puzzle?\n\n",
)
AFTER = ("", " Thanks!", "\n\nThank you, I have been at it for 25 minutes.", "\nIs there only one solution?")

Writer = Callable[[str, tuple[int, int], random.Random], str]


def writers() -> list[Writer]:
    """Return the ways to write a board of digits into a message."""
    return [
        lambda cells, box, rng: cells,
        lambda cells, box, rng: cells.replace(".", "0"),
        lambda cells, box, rng: f"`{cells}`",
        lambda cells, box, rng: f"\n```\n{_lines(cells)}\n```\n",
        lambda cells, box, rng: f"\n{_lines(cells.replace('.', '_'))}\n",
        lambda cells, box, rng: f"\n{_framed(cells, box)}\n",
        lambda cells, box, rng: f"\n```text\n{_framed(cells, box)}\n```\n",
        lambda cells, box, rng: f"\n{_lines(cells, ' ')}\n",
        lambda cells, box, rng: f"\n{_lines(cells, ' ', '> ')}\n",
        lambda cells, box, rng: " / ".join(rows_of(cells)),
        lambda cells, box, rng: ", ".join(rows_of(cells.replace(".", "0"))),
        lambda cells, box, rng: json.dumps(_numbers_of(cells)),
        lambda cells, box, rng: "\n" + "".join(f"{json.dumps(row)},\n" for row in _numbers_of(cells)),
        lambda cells, box, rng: json.dumps({"puzzle": [list(row) for row in rows_of(cells)]}),
        lambda cells, box, rng: _told(cells, rng) + ".",
        lambda cells, box, rng: "".join(f"Row {n}: {row}\n" for n, row in enumerate(rows_of(cells), 1)),
        lambda cells, box, rng: "\n" + _lines(cells, "|", "|", "|").replace(".", " · ") + "\n",
        lambda cells, box, rng: f"\n{_lines(cells.replace('.', '?'), ' ')}\n",
    ]


def _lines(cells: str, between: str = "", before: str = "", after: str = "") -> str:
    return "\n".join(f"{before}{between.join(row)}{after}" for row in rows_of(cells))


def _numbers_of(cells: str) -> list[list[int]]:
    return [[SYMBOLS.index(cell) for cell in row] for row in rows_of(cells)]


def maze(rng: random.Random, rows: int = 10, cols: int = 10) -> str:
    """Return a maze with walls around it and a way from S to G."""
    cells = [["#"] * cols for _ in range(rows)]
    at, seen = (1, 1), [(1, 1)]
    for _ in range(120):
        down, right = rng.choice([(0, 1), (1, 0), (0, -1), (-1, 0)])
        there = (at[0] + down, at[1] + right)
        if 0 < there[0] < rows - 1 and 0 < there[1] < cols - 1:
            at = there
            seen.append(at)
    for row, col in seen:
        cells[row][col] = " "
    far = max(seen, key=lambda place: place[0] + place[1])
    cells[1][1], cells[far[0]][far[1]] = "S", "G"
    return "\n".join("".join(row) for row in cells)


def with_puzzles() -> list[Written]:
    """Return 100 messages that hold one puzzle each."""
    rng = random.Random(16)
    found: list[Written] = []
    sizes = [((2, 2), 40), ((2, 3), 30), ((3, 3), 16)]
    ways = writers()
    for seed, (box, count) in enumerate(sizes):
        for number, cells in enumerate(boards(box, count, seed)):
            text = ways[number % len(ways)](cells, box, rng)
            found.append(Written(rng.choice(BEFORE) + text + rng.choice(AFTER), cells))
    found += [
        Written(f"A small sudoku: {_in_words(cells)}. What goes where?", cells)
        for cells in boards((2, 2), 4, 11)
    ]
    for cells in boards((4, 4), 1, 5):
        drawn = "\n".join(rows_of(cells))
        found.append(Written(f"a sixteen by sixteen sudoku:\n{drawn}\nsolve it please", cells))
    for number in range(8):
        drawn = maze(rng)
        drawings = [
            f"Find the way:\n\n```\n{drawn}\n```",
            f"shortest path of this maze?\n{drawn.replace(' ', '.')}\n",
            f"A labyrinth: {drawn.replace(' ', '.').replace(chr(10), '/')} and how do I get out?",
            f"Solve\n{drawn.replace('#', '█')}\nplease",
        ]
        found.append(Written(drawings[number % 4], drawn.replace("\n", ""), "maze"))
    task = {
        "train": [{"input": [[1, 0], [0, 1]], "output": [[2, 0], [0, 2]]}],
        "test": [{"input": [[1, 1], [0, 0]]}],
    }
    found.append(Written(f"What is the output? {json.dumps(task)}", "11/00", "arc"))
    assert len(found) == 100, len(found)
    return found


def _numbers(rng: random.Random) -> Iterator[str]:
    digits = lambda count: "".join(rng.choice("0123456789") for _ in range(count))  # noqa: E731
    yield f"My card number is {digits(4)} {digits(4)} {digits(4)} {digits(4)}, is that a valid one?"
    yield f"Call me at +44 20 {digits(4)} {digits(4)} or 0171-{digits(7)}, please answer soon."
    hexes = lambda count: "".join(rng.choice("0123456789abcdef") for _ in range(count))  # noqa: E731
    yield f"The commit is {hexes(40)}, please solve the merge conflict."
    yield f"sha256: {hexes(64)}"
    yield f"{digits(8)}-{digits(4)}-{digits(4)}-{digits(4)}-{digits(12)}"
    yield f"IBAN DE{digits(20)} amount 1,{digits(3)}.00 EUR"
    yield f"Compute {digits(9)} * {digits(9)} + {digits(5)}."
    yield "pi is 3.14159265358979323846264338327950288419716939937510"
    yield "0101010101010101 in decimal?"
    yield "1000000000000000 is how many?"
    yield f"192.168.0.{rng.randrange(255)} and 10.0.0.{rng.randrange(255)}/16 do not answer, find the path"
    yield "\n".join(f"2026-11-27 15:34:2{n},00{n} INFO done" for n in range(4))
    yield "Solve the linear system\n1 0 0 4\n0 1 2 0\n0 3 1 0\n2 0 0 1\nfor b = (1, 2, 3, 4)."
    yield "Determinant of [[1,0,0,4],[0,2,0,0],[0,0,3,0],[4,0,0,1]]?"
    yield "The matrix [[0,1],[1,0]] swaps two coordinates."


PROSE = (
    "Hello!",
    "What is the capital of France?",
    "Explain recursion to a child of 4, in 4 by 4 sentences.",
    "How do I resume a training run?",
    "What are the rules of Sudoku?",
    "Which sudoku sizes can you solve: 4x4, 6x6, 9x9, 16x16?",
    "How many sudoku grids of 9x9 are there? 6670903752021072936960, I have heard.",
    "Is a 17-clue sudoku always unique?",
    "Tell me about mazes in history.",
    "What is ARC-AGI?",
    "How long does sudoku-9x9 take to train on 2 cores?",
    "My session 20261127-153423-sudoku-4x4 stopped at step 250, why?",
    "Write a poem about a maze with a start S and a goal G.",
    "--------------------------------",
    "................",
    "Well... that is ................ strange",
    "****************",
    "- one\n- two\n- three\n- four",
    "1. first\n2. second\n3. third\n4. fourth",
    "| a | b | c | d |\n|---|---|---|---|\n| 1 | 2 | 3 | 4 |\n| 5 | 6 | 7 | 8 |",
    "# Heading S\n\n## Goal G\n\ntext",
    "```python\nfor i in range(16):\n    print(i)\n```",
    "```\n0\n1\n2\n3\n```",
    "x = [1, 2, 3, 4]\ny = [4, 3, 2, 1]",
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
    "a bad egg\nadd a bag\nfade a cab\nface a bee",
    "C G Am F\nC G F C\nC G Am F\nC G F C",
    "6 9 12 15\n18 21 24 27\n30 33 36 39\n42 45 48 51",
    "1 2 3 4\n2 3 4 1\n3 4 1 2\n4 1 2 3",
    "ls -la /usr/local/lib/python3.11/site-packages",
    "https://example.org/path/1234567890123456?x=1.2.3.4",
    "Score 3:2, 1:0, 0:0, 4:1, 2:2, 1:1, 0:3, 2:0",
    "Fill in the form 27B/6, please. Answer by 2026-12-01.",
    "crack the code: 4 8 15 16 23 42",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7",
    "Sunrise 07:12 07:13 07:15 07:16 07:18",
    "row 1 of the table is about cats, row 2 about dogs, row 3 about mice",
    "First row of seats is free, second row is full, third row is free.",
    "ABBA ABBA CDE CDE",
    "Complete this sentence: to be or not to ______________",
    "Your ticket: ________________",
    "My grid of solar panels makes 4.2 kW.",
    "What does board meeting mean?",
    "Any clue where my keys are?",
    "version 1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16",
    "x x x x o o o o x x x x o o o o",
    "tic tac toe:\nx . o\n. x .\no . x",
    "game of life:\n.....\n..#..\n...#.\n.###.\n.....",
    "ping 1.1.1.1 64 bytes seq=0 ttl=64 time=1.2 ms",
    "0.5 0.25 0.125 0.0625 0.03125",
    "e = 2.718281828459045235360287471352662497757",
    "1/2 + 1/3 + 1/4 + 1/6 + 1/8 + 1/9 = ?",
    "9 8 7 6 5 4 3 2 1 0 lift off!",
    "Dial *100# or #31# first.",
    "2 4 6 8 who do we appreciate",
)


def without_puzzles() -> list[str]:
    """Return 100 messages that hold none, with what looks most like one."""
    found = list(PROSE)
    rng = random.Random(61)
    while len(found) < 100:
        found += list(_numbers(rng))
    return found[:100]
