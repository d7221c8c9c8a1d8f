"""Puzzles in a message of prose, found by code: a language model of any size copies them wrongly.

Every place that may hold one (`candidates`) is offered to the tasks of the trained models and to the loaders
of all kinds. What they read is a puzzle only if it cannot well be anything else: numbers in prose are many
things, so a grid of zeros and digits counts where the message speaks of puzzles, or where it is all there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from trm_engine.config.sections import TaskConfig
from trm_engine.errors import UsageError
from trm_engine.serving.candidates import Candidate, candidates
from trm_engine.serving.puzzles import Asked, kinds_of, question_of, task_of
from trm_engine.serving.solving import Question
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.text import safe_text

MOST_PUZZLES = 8
_USUAL = (16, 36, 64, 81, 144, 256)
_FEW_CLUES = 3
_MANY_CLUES, _MANY_CELLS = 17, 81
_WHOLE = 0.8
_SPEAKS = re.compile(
    r"\b(sudokus?|puzzles?|mazes?|labyrinth|grid|board|clues?|arc|futoshiki|unequal|light[ _-]?up|akari)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\b(solve|solution|complete|fill|finish|crack|answer|path|route)\b", re.IGNORECASE)
_OF_MAZES = re.compile(r"\b(maze|labyrinth)", re.IGNORECASE)
_OTHER = re.compile(r"\b(maze|labyrinth|sudoku|arc\b)", re.IGNORECASE)
_SIZES = re.compile(r"(?:\d\s?[xX]\s?\d\D*){2}")
_ARC = re.compile(r"\barc\b|task:", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A puzzle in a message: where it stands, how it is asked, and the task that reads it."""

    start: int
    end: int
    asked: Asked
    config: TaskConfig
    task: PuzzleTask
    question: Question


@dataclass(frozen=True)
class NearMiss:
    """What looks like a puzzle but is not a valid one; `reason` names the cell or the rule."""

    start: int
    end: int
    reason: str
    kind: str


@dataclass(frozen=True)
class Reading:
    """What was found in a message."""

    puzzles: Sequence[Found]
    near: NearMiss | None
    more: bool = False
    """Whether there are puzzles beyond the first few."""


def read_message(message: str, configs: Iterable[TaskConfig] = ()) -> Reading:
    """Find the puzzles of a message. `configs` are the tasks of trained models, the best first."""
    known = list(dict.fromkeys(configs))
    found: list[Found] = []
    misses: list[tuple[int, NearMiss]] = []
    for candidate in candidates(message):
        if any(one.start < candidate.end and candidate.start < one.end for one in found):
            continue
        read = _read(candidate, known, message)
        if isinstance(read, Found):
            found.append(read)
        elif read is not None:
            misses.append(read)
    found.sort(key=lambda one: one.start)
    near = None if found or not misses else min(misses, key=lambda one: one[0])[1]
    return Reading(found[:MOST_PUZZLES], near, len(found) > MOST_PUZZLES)


@lru_cache(maxsize=64)
def _says(pattern: re.Pattern[str], message: str) -> bool:
    """Tell whether a pattern occurs in a message; kept, since every candidate asks it of the same one."""
    return pattern.search(message) is not None


def speaks_of_puzzles(message: str) -> bool:
    """Tell whether a message is about a puzzle, by its words."""
    return _says(_SPEAKS, message) or _says(_ASKS, message)


def _read(
    candidate: Candidate, known: Sequence[TaskConfig], message: str
) -> Found | tuple[int, NearMiss] | None:
    """Return the puzzle that stands there; else how far it is from being one, if it is meant for one."""
    nearest: tuple[int, NearMiss] | None = None
    for asked in _ways_to_ask(candidate, known, message):
        for config, distance in _readings(asked, known, message):
            try:
                question = _question(config, asked)
            except UsageError as error:
                miss = _near_miss(candidate, asked, config, distance, error, message)
                if miss is not None and (nearest is None or distance < nearest[0]):
                    nearest = distance, miss
                continue
            found = Found(candidate.start, candidate.end, asked, config, task_of(config), question)
            if _is_meant(candidate, found, message):
                return found
    return _without_ends(candidate, message) or nearest


def _without_ends(candidate: Candidate, message: str) -> tuple[int, NearMiss] | None:
    """Say that a maze lacks its start or goal: without them no loader takes it for one."""
    text = candidate.text
    walls = sum(symbol in "#█" for symbol in text)
    if not candidate.clear or walls < _FEW_CLUES or not _says(_OF_MAZES, message):
        return None
    starts, goals = text.count("S"), sum(text.count(letter) for letter in "GETF")
    if starts == 1 and goals == 1:
        return None
    reason = f"a maze has one start (S) and one goal (G), and this has {starts} and {goals}"
    return 0, NearMiss(candidate.start, candidate.end, reason, "maze")


def _ways_to_ask(candidate: Candidate, known: Sequence[TaskConfig], message: str) -> list[Asked]:
    if candidate.arc is not None:
        return [Asked(arc=candidate.arc)]
    if candidate.grid is not None:
        named = message[candidate.start : candidate.end]
        if named.startswith("task:"):
            return [Asked(text=named)]
        return [Asked(grid=candidate.grid)]
    text = candidate.text
    cells = sum(not symbol.isspace() and symbol not in ",;/|" for symbol in text)
    sizes = {*_USUAL, *(config.seq_len for config in known)}
    ways = [Asked(text=text)]
    if candidate.form == "run" and cells not in sizes and cells - 1 in sizes:
        # The full stop of the sentence, or an ellipsis before it, is no cell.
        ways += [Asked(text=text[:-1])] if text.endswith(".") else []
        ways += [Asked(text=text[1:])] if text.startswith((".", "-")) else []
    return ways


def _readings(asked: Asked, known: Sequence[TaskConfig], message: str) -> list[tuple[TaskConfig, int]]:
    """Return the configurations to read with, those of trained models first, and their distances."""
    speaks_of_arc = asked.arc is not None or _says(_ARC, message) or asked.text.startswith("task:")
    usual = [one for one in kinds_of(asked) if speaks_of_arc or not isinstance(one[0], ArcConfig)]
    if (
        asked.grid is not None
        and not speaks_of_arc
        and not any(isinstance(one, SudokuConfig) for one, _ in usual)
    ):
        return []
    trained = [
        (config, 0 if not isinstance(config, SudokuConfig) else _distance(config, asked))
        for config in known
        if speaks_of_arc or not isinstance(config, ArcConfig)
    ]
    return [*trained, *(one for one in usual if one[0] not in known)]


def _question(config: TaskConfig, asked: Asked) -> Question:
    """Return the question as a task reads it; whether a model knows an ARC task's rule is asked later."""
    if isinstance(config, ArcConfig) and asked.arc is not None:
        return question_of(task_of(config), replace(asked, allow_unknown=True))
    return question_of(task_of(config), asked)


def _distance(config: SudokuConfig, asked: Asked) -> int:
    text = asked.written
    cells = sum(not symbol.isspace() and symbol not in "|+-─│,;/" for symbol in text)
    return abs(config.seq_len - cells)


# --- is it one? -------------------------------------------------------------------------------------------


def _is_meant(candidate: Candidate, found: Found, message: str) -> bool:
    """Tell whether what can be read as a puzzle was meant as one."""
    if candidate.arc is not None:
        return True
    if isinstance(found.config, ArcConfig):
        return found.asked.grid is not None or found.asked.text.startswith("task:") or candidate.clear
    if found.config.unmistakable:
        return True
    if not isinstance(found.config, SudokuConfig):
        return _is_other_kind(candidate, found, message)
    given = found.task.given(found.question.puzzle)
    clues, cells = int(given.sum()), len(given)
    if _says(_SPEAKS, message):
        return clues < cells
    if clues >= cells or clues < _FEW_CLUES:
        return False
    if _is_all(candidate, message):
        return True
    if cells >= _MANY_CELLS and clues >= _MANY_CLUES:
        return True
    blanks_are_signs = "0" not in candidate.text and candidate.grid is None
    return blanks_are_signs and (candidate.clear or _says(_ASKS, message) or ".." in candidate.text)


def _is_other_kind(candidate: Candidate, found: Found, message: str) -> bool:
    """Other kinds count where the message names them, is nothing else, or their notation has its name."""
    named = re.sub("[_-]", "[ _-]?", found.config.kind)
    written = candidate.text.lower()
    return (
        _says(re.compile(rf"\b{named}\b", re.IGNORECASE), message)
        or (_says(_SPEAKS, message) and not _says(_OTHER, message))
        or (_is_all(candidate, message) and (candidate.clear or ":" in written))
    )


def _is_all(candidate: Candidate, message: str) -> bool:
    """Tell whether hardly anything else stands in the message."""
    inside = len(re.sub(r"\s", "", message[candidate.start : candidate.end]))
    return inside >= _WHOLE * len(re.sub(r"[\s`]", "", message))


def _near_miss(
    candidate: Candidate,
    asked: Asked,
    config: TaskConfig,
    distance: int,
    error: UsageError,
    message: str,
) -> NearMiss | None:
    """Return what keeps a text from being a puzzle, where it is meant for one."""
    text = asked.written
    drawn = candidate.clear and _is_all(candidate, message) and bool(set(text) & set("._*·"))
    if not (_says(_SPEAKS, message) or drawn):
        return None
    if isinstance(config, SudokuConfig):
        if (
            "#" in text
            or distance > max(2, config.seq_len // 10)
            or (candidate.form == "run" and _is_prose(text))
        ):
            return None
        reason = str(error).removeprefix("the puzzle has no solution: ")
        reason = (_uneven(text, config) if distance else "") or reason
    elif candidate.clear and config.looks_like(text):
        reason = str(error)
    else:
        return None
    return NearMiss(candidate.start, candidate.end, safe_text(reason), config.kind)


def _is_prose(text: str) -> bool:
    """Tell whether a run is dates, telephone numbers or rules, and not cells."""
    symbols = {symbol for symbol in text if not symbol.isspace()}
    return (
        bool(_SIZES.search(text))
        or symbols == {"-"}
        or ("-" in symbols and not symbols & set("._*"))
        or symbols <= set("01")
    )


def _uneven(text: str, config: SudokuConfig) -> str:
    """Name the row of a drawing that has another number of cells than the grid is wide."""
    rows = [re.sub(r"[\s|+,;=─-╿]", "", line) for line in text.splitlines()]
    rows = [row for row in rows if row.strip("-")]
    widths = [len(row) for row in rows]
    wrong = [(number, width) for number, width in enumerate(widths, 1) if width != config.side]
    if len(rows) < 2 or len(wrong) > 2:
        return ""
    cells = f"the puzzle has {sum(widths)} cells; a {config.side}×{config.side} grid has {config.seq_len}"
    told = ", and ".join(f"row {number} has {width}" for number, width in wrong)
    return f"{cells}: {told}" if told else f"{cells}: it has {len(rows)} rows"
