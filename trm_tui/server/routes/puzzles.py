"""Puzzles to ask, and what can be said of one without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request

from trm_engine.errors import UsageError
from trm_engine.serving.answers import faults_json, marked, question_json
from trm_engine.serving.examples import EXAMPLES
from trm_engine.serving.puzzles import Asked, parsed, recognise, text_of_grid
from trm_engine.serving.residents import Resident
from trm_engine.serving.solving import Question
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.base import ContradictionError, Fault, PuzzleTask
from trm_engine.tasks.examples import Tokens
from trm_engine.text import safe_text
from trm_tui.server.context import context_of
from trm_tui.server.errors import ApiError
from trm_tui.server.shapes import ValidateBody, errors

router = APIRouter(tags=["puzzles"], responses=errors(404, 409, 413, 415, 422, 429))

_MOST_HELD_OUT = 50


@router.get("/api/examples")
def examples(
    request: Request,
    model: str = "",
    kind: str = "",
    n: Annotated[int, Query(ge=1, le=_MOST_HELD_OUT)] = 6,
) -> dict[str, Any]:
    """Return puzzles to begin with: of a kind, or with `model` those that it has not seen in training."""
    if model:
        resident = context_of(request).service.choose(model)
        return {"examples": [held_out(resident, number) for number in range(min(n, _count(resident)))]}
    found = [example for example in EXAMPLES if not kind or example["kind"] == kind]
    return {"examples": found, "kinds": sorted({str(example["kind"]) for example in EXAMPLES})}


@router.get("/api/task/{task_id}")
def task(task_id: str, request: Request, model: str = "auto") -> dict[str, Any]:
    """Return a puzzle that a model has held out, by its number, or an ARC task by its name."""
    resident = context_of(request).service.choose(model)
    if task_id.isascii() and task_id.isdigit() and len(task_id) < 10:
        number, count = int(task_id), _count(resident)
        if number >= count:
            raise ApiError(404, f"the model has {count} held-out puzzles, from 0", code="no_such_puzzle")
        return held_out(resident, number)
    if isinstance(resident.task, ArcTask):
        found = resident.task.task_json(task_id)
        if found is not None:
            return {"id": task_id, "kind": "arc", "model": resident.served.session, "task": found}
    raise ApiError(404, f'the model knows no puzzle "{safe_text(task_id[:60])}"', code="no_such_puzzle")


@router.post("/api/validate")
def validate(body: ValidateBody, request: Request) -> dict[str, Any]:
    """Say whether a puzzle can be read, what contradicts in it, and whether it has one solution.

    With an answer, judge that by the rules. A puzzle that is not readable because it breaks a rule is drawn
    all the same, with its `faults`.
    """
    asked = body.asked()
    unreadable: dict[str, Any] = {"readable": False, "solutions": None, "answer": None}
    try:
        kind, reader = _reader(body, request, asked)
    except UsageError as error:
        return {**unreadable, "reason": safe_text(str(error))}
    try:
        puzzle = parsed(reader, asked)
    except ContradictionError as error:
        drawn = _drawn(kind, reader, error.puzzle, error.faults)
        return {**unreadable, "reason": safe_text(str(error)), "solutions": 0, **drawn}
    except UsageError as error:
        return {**unreadable, "reason": safe_text(str(error))}
    solutions = reader.count_solutions(puzzle)
    found = {
        "readable": True,
        **_drawn(kind, reader, puzzle, reader.contradictions(puzzle)),
        "solutions": solutions,
        "reason": _said(solutions),
        "answer": None,
    }
    if body.answer is not None:
        text = body.answer if isinstance(body.answer, str) else text_of_grid(body.answer)
        given = reader.parse_answer(text)
        verdict = reader.check(puzzle, given)
        found["answer"] = {
            "solved": verdict.solved,
            "reason": safe_text(verdict.reason),
            "faults": faults_json(reader, puzzle, given),
        }
    return found


def _reader(body: ValidateBody, request: Request, asked: Asked) -> tuple[str, PuzzleTask]:
    """Return the kind and the task by which a puzzle is read: the model's, or the one that comes nearest."""
    if body.model is None:
        return recognise(asked)
    try:
        resident = context_of(request).service.choose(body.model, asked)
    except UsageError:
        return recognise(asked)
    return resident.served.kind, resident.task


def _drawn(kind: str, reader: PuzzleTask, puzzle: Tokens, faults: Sequence[Fault]) -> dict[str, Any]:
    """Return what a page draws of a puzzle, with the rules that it breaks by itself."""
    return {
        "kind": kind,
        "box": list(reader.box),
        "palette": dict(reader.palette),
        **question_json(reader, Question(puzzle)),
        "faults": marked(reader, faults),
    }


def _said(solutions: int | None) -> str:
    words = {0: "it has no solution", 1: "it has exactly one solution", 2: "it has more than one solution"}
    return words.get(-1 if solutions is None else solutions, "nobody can tell how many solutions it has")


def _count(resident: Resident) -> int:
    return len(resident.task.test)


def held_out(resident: Resident, number: int) -> dict[str, Any]:
    """Return a held-out puzzle by its number, with its solution."""
    reader = resident.task
    example = reader.test.take(slice(number, number + 1))
    truth = np.asarray(example.labels[0])
    found = question_json(reader, Question(example.inputs[0], int(example.puzzle_ids[0]), truth))
    puzzle = found["puzzle"]
    extra: dict[str, Any] = {}
    if isinstance(reader, ArcTask):
        name = reader.queries[number].task
        puzzle = f"task:{name} {puzzle}"
        extra = {"name": name, "task": reader.task_json(name)}
    return {
        "id": str(number),
        "title": f"Held-out {number + 1}",
        "kind": resident.served.kind,
        "model": resident.served.session,
        **found,
        "puzzle": puzzle,
        "solution": reader.line(truth),
        **extra,
    }
