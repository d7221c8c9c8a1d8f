"""What a language model says of a checked answer, compared with it: where they differ, the grid stands."""

from __future__ import annotations

import re

from trm_engine.serving.candidates import candidates
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import Tokens

_DENIES = re.compile(
    r"\b(no (?:valid )?solution|unsolvable|(?:can|could)(?:not|n't) be solved|"
    r"(?:not|never) (?:been )?solved|unsolved|"
    r"impossible|(?:is|are|was|looks|seems) (?:wrong|incorrect|invalid)|not (?:valid|correct|right|possible)|"
    r"breaks? (?:a|the) rules?|(?:has|is|contains?) (?:an )?errors?)\b",
    re.IGNORECASE,
)
_CLAIMS = re.compile(
    r"\b(?:(?:is|was|been|correctly|successfully) (?:solved|correct|right|valid)|"
    r"the (?:correct )?solution is|"
    r"solved (?:it|the|this)|every (?:row|rule))\b",
    re.IGNORECASE,
)
_CELL = re.compile(
    r"\br(?:ow)?\s*(\d{1,2})\s*,?\s*(?:and\s+)?c(?:ol(?:umn)?)?\s*(\d{1,2})\W{0,3}(?:is|=|:|holds|contains|has|becomes|"
    r"should be|must be|gets)\W{0,3}(?:an?\s+|the\s+(?:digit|number)\s+)?([0-9A-G])\b",
    re.IGNORECASE,
)
_STEPS = re.compile(r"\b(\d{1,4})\s+(?:supervision\s+)?steps?\b", re.IGNORECASE)
_NOT_CELLS = re.compile(r"[\s|+,;/=\[\]()\"'`─-╿]")


def contradiction(
    said: str, task: PuzzleTask, puzzle: Tokens, answer: Tokens, *, solved: bool, steps: int
) -> str:
    """Return what a text says that the checked answer is not; empty where it agrees."""
    if solved and (found := _DENIES.search(said)):
        return f'it says "{found[0]}", and the rules accept the grid'
    if not solved and (found := _CLAIMS.search(said)):
        return f'it says "{found[0]}", and the rules refuse the grid'
    if wrong := _other_cell(said, task, answer):
        return wrong
    if _other_grid(said, task, puzzle, answer):
        return "it writes a grid that is another one"
    told = [int(match[1]) for match in _STEPS.finditer(said)]
    if any(number != steps for number in told):
        return f"it tells another number of steps than {steps}"
    return ""


def _other_cell(said: str, task: PuzzleTask, answer: Tokens) -> str:
    rows = task.grid(answer)
    for match in _CELL.finditer(said):
        row, column = int(match[1]) - 1, int(match[2]) - 1
        if not (0 <= row < len(rows) and 0 <= column < len(rows[row])):
            return f"it speaks of row {row + 1}, column {column + 1}, which there is not"
        if rows[row][column] != match[3].upper():
            return f"it says that row {row + 1}, column {column + 1} is {match[3].upper()}"
    return ""


def _other_grid(said: str, task: PuzzleTask, puzzle: Tokens, answer: Tokens) -> bool:
    own = {_plain(task.line(answer)), _plain(task.line(puzzle)), _plain(task.line(puzzle)).replace(".", "0")}
    lines = {_plain("".join(row)) for row in task.grid(answer)}
    for one in candidates(said):
        text = "".join("".join(map(str, row)) for row in one.grid) if one.grid is not None else one.text
        cells = _plain(text)
        if len(cells) >= max(8, len(answer) // 2) and cells not in own:
            return True
    # A row of digits of the grid's width that is none of its rows.
    width = len(task.grid(answer)[0])
    rows = re.findall(rf"(?<![\w.])(?:[1-9][ ,|]+){{{width - 1}}}[1-9](?![\w])", said) if width > 3 else []
    return any(_plain(row) not in lines for row in rows)


def _plain(text: str) -> str:
    return _NOT_CELLS.sub("", text).upper()
