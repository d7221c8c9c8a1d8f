"""The tools that programs and language models may use: solve a puzzle, check an answer, list the models.

There are no others, and none of them reads a file, opens an address or runs anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trm_engine.errors import TrmError
from trm_engine.language.model import Tool
from trm_engine.language.stop import Stop
from trm_engine.serving.answers import faults_json
from trm_engine.serving.puzzles import Asked, recognise
from trm_engine.serving.recogniser import Found, read_message
from trm_engine.serving.residents import Resident
from trm_engine.serving.service import AUTO, Service
from trm_engine.serving.solving import Answer
from trm_engine.text import safe_text
from trm_tui.gateway.solving import Tell, solve

_LONGEST = 20_000
_TEXT = {"type": "string", "maxLength": _LONGEST}

SOLVE = Tool(
    "solve_puzzle",
    "Solve a grid puzzle (Sudoku 4x4 to 16x16, maze, ARC grid) with a trained recursive model; the answer is "
    "checked by the puzzle's rules. Blanks are dots. Mazes are lines of # . S G.",
    {
        "type": "object",
        "properties": {"puzzle": {**_TEXT, "description": "The puzzle, exactly as it was given."}},
        "required": ["puzzle"],
        "additionalProperties": False,
    },
)
CHECK = Tool(
    "check_answer",
    "Check a completed grid against its puzzle by the rules.",
    {
        "type": "object",
        "properties": {"puzzle": _TEXT, "answer": {**_TEXT, "description": "The completed grid."}},
        "required": ["puzzle", "answer"],
        "additionalProperties": False,
    },
)
LIST = Tool(
    "list_models", "List the trained models and what each solves.", {"type": "object", "properties": {}}
)
FOR_MODELS = (SOLVE, CHECK)
"""What a language model is offered."""
FOR_PROGRAMS = (SOLVE, CHECK, LIST)


class ToolError(TrmError):
    """A call that cannot be carried out; its words go back to who called."""


@dataclass
class Toolbox:
    """Carries out calls of tools. With `spoken`, puzzles must have been said in that text: clue by clue."""

    service: Service
    tell: Tell = lambda _name, _data: None
    stop: Stop = field(default_factory=Stop)
    model: str = AUTO
    spoken: str | None = None
    solved: list[tuple[Resident, Answer]] = field(default_factory=list)
    """The answers of `solve_puzzle`, in their order."""

    def call(self, name: str, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a call. Raises `ToolError` for what is no tool, or cannot be done."""
        given = _arguments(arguments)
        tools: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            SOLVE.name: self._solve,
            CHECK.name: self._check,
            LIST.name: self._list,
        }
        if name not in tools:
            raise ToolError(f'there is no tool "{safe_text(name[:60])}"; there are {", ".join(tools)}')
        return tools[name](given)

    def _solve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        text = _text(given, "puzzle")
        found = _found(text, [one.config.task for one in self.service.residents.catalogue.list()])
        if self.spoken is not None and not occurs(text, self.spoken):
            raise ToolError("this puzzle is not in the conversation: its clues differ from what was written")
        try:
            number = len(self.solved)
            resident, answer = solve(self.service, found, self.model, self.tell, self.stop, number)
        except TrmError as error:
            raise ToolError(str(error)) from error
        self.solved.append((resident, answer))
        task = resident.task
        return {
            "solved": answer.verdict.solved,
            "reason": safe_text(answer.verdict.reason),
            "grid": task.render(answer.answer) if answer.verdict.solved else None,
            "line": task.line(answer.answer) if answer.verdict.solved else None,
            "model": resident.served.title,
            "steps": len(answer.steps),
        }

    def _check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        puzzle, completed = _text(given, "puzzle"), _text(given, "answer")
        try:
            _, task = recognise(Asked(text=puzzle))
            asked, answer = task.parse(puzzle), task.parse_answer(completed)
        except TrmError as error:
            return {"solved": False, "reason": safe_text(str(error)), "faults": []}
        if not task.judges_all:
            raise ToolError("nobody wrote down the rules of this kind of puzzle: no answer can be checked")
        verdict = task.check(asked, answer)
        return {
            "solved": verdict.solved,
            "reason": safe_text(verdict.reason),
            "faults": faults_json(task, asked, answer),
        }

    def _list(self, given: Mapping[str, Any]) -> dict[str, Any]:
        del given
        return {
            "models": [
                {
                    "id": one.session,
                    "title": one.title,
                    "kind": one.kind,
                    "cells": one.config.task.seq_len,
                    "accuracy": one.best_score,
                }
                for one in self.service.residents.catalogue.list()
            ]
        }


def occurs(puzzle: str, message: str) -> bool:
    """Tell whether every clue of a puzzle stands in a message, in the same order, with nothing between.

    Blanks may be written otherwise there: what counts is the digits and walls.
    """
    clues = re.sub(r"[^1-9A-Ga-g#SGETF]", "", puzzle).upper()
    spoken = re.sub(r"[^1-9A-Ga-g#SGETF]", "", message).upper()
    return bool(clues) and clues in spoken


def _found(text: str, configs: Sequence[Any]) -> Found:
    read = read_message(f"puzzle:\n{text}", configs)
    if read.puzzles:
        return read.puzzles[0]
    if read.near is not None:
        raise ToolError(read.near.reason)
    try:
        recognise(Asked(text=text))[1].parse(text)
    except TrmError as error:
        raise ToolError(safe_text(str(error))) from error
    raise ToolError("this is not a puzzle that can be read")


def _arguments(given: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(given, str):
        return given
    try:
        found = json.loads(given) if given.strip() else {}
    except (ValueError, RecursionError):
        raise ToolError("the arguments are no JSON") from None
    if not isinstance(found, dict):
        raise ToolError("the arguments are no JSON object")
    return found


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ToolError(f"{name} must be a text")
    if len(value) > _LONGEST:
        raise ToolError(f"{name} is longer than {_LONGEST} characters")
    return value
