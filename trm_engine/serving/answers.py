"""Answers as plain JSON values: what the page draws, a program reads and the cache keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.inference.vote import ATTEMPTS
from trm_engine.serving.puzzles import cell_places
from trm_engine.serving.residents import Resident
from trm_engine.serving.solving import Answer, Question, Step
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.base import Fault, PuzzleTask
from trm_engine.tasks.examples import PAD, Tokens
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.text import safe_text

Json = dict[str, object]


def question_json(task: PuzzleTask, question: Question) -> Json:
    """Return a question as it is drawn: its text, its rows of symbols and which of them are given."""
    rows = task.grid(question.puzzle)
    given = np.asarray(task.given(question.puzzle), np.bool_)
    return {
        "puzzle": task.line(question.puzzle),
        "question": rows,
        "given": given.reshape(len(rows), -1).tolist(),
        "truth": None if question.truth is None else task.grid(question.truth),
    }


def step_json(task: PuzzleTask, step: Step) -> Json:
    """Return the grid after one supervision step, cell by cell."""
    rows = task.grid(step.answer)
    return {
        "view": step.view,
        "step": step.step,
        "rows": rows,
        "confidence": np.round(step.confidence.astype(np.float64), 3).reshape(len(rows), -1).tolist(),
        "halt_probability": round(step.halt_probability, 4),
        "changed": cell_places(task, step.changed),
        "solved": step.solved,
    }


def answer_json(resident: Resident, answer: Answer, *, steps: bool) -> Json:
    """Return everything there is to say of an answer; with `steps`, the grid after each as well."""
    task, question = resident.task, answer.question
    found = answer.found
    return {
        "model": resident.served.session,
        "title": resident.served.title,
        "kind": resident.served.kind,
        "checkpoint": resident.trained.step,
        "weights": resident.digest[:16],
        **question_json(task, question),
        "answer": task.line(answer.answer),
        "grid": natural_grid(resident, answer.answer),
        "rows": task.grid(answer.answer),
        "status": _status(task, answer),
        "solved": answer.verdict.solved,
        "reason": safe_text(answer.verdict.reason),
        "faults": faults_json(task, question.puzzle, answer.answer),
        "compared": compared_json(task, question, answer.answer),
        "steps_used": len(answer.steps),
        "views_used": answer.views + 1,
        "ended": answer.ended,
        "halt_probability": round(found.halt_probability, 4),
        "confidence": step_json(task, found)["confidence"],
        "changed": cell_places(task, found.changed),
        "answer_step": answer.place,
        "votes": None if task.judges_all else _votes(task, answer),
        **({"steps": [step_json(task, step) for step in answer.steps]} if steps else {}),
    }


def _votes(task: PuzzleTask, answer: Answer) -> list[Json]:
    """Return what the views of a question voted for, the answer first; as many as a submission may hold."""
    return [{"answer": task.line(one.answer), "votes": one.votes} for one in answer.ballots[:ATTEMPTS]]


def faults_json(task: PuzzleTask, puzzle: Tokens, answer: Tokens) -> list[Json]:
    """Return the rules that an answer breaks, each with its cells as pairs of row and column."""
    return marked(task, task.faults(puzzle, answer)) if task.judges_all else []


def marked(task: PuzzleTask, faults: Sequence[Fault]) -> list[Json]:
    """Return broken rules, each with its cells as pairs of row and column."""
    found: list[Json] = []
    for fault in faults:
        flags = np.zeros(task.seq_len, np.bool_)
        flags[list(fault.cells)] = True
        found.append({"cells": cell_places(task, flags), "reason": safe_text(fault.reason)})
    return found


def _status(task: PuzzleTask, answer: Answer) -> str:
    if answer.verdict.solved:
        return "solved"
    return "wrong" if task.judges_all else "unproven"


def compared_json(task: PuzzleTask, question: Question, answer: Tokens) -> Json | None:
    """Compare an answer (L,) with the known solution; None where there is none."""
    truth = question.truth
    if truth is None:
        return None
    asked = _asked(task, question, truth)
    wrong = (np.asarray(answer) != truth) & (np.asarray(truth) != PAD)
    right = int((asked & ~wrong).sum())
    return {
        "right": right,
        "of": int(asked.sum()),
        "exact": not bool(wrong.any()),
        "wrong": cell_places(task, wrong),
    }


def _asked(task: PuzzleTask, question: Question, truth: Tokens) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = ~np.asarray(task.given(question.puzzle)) & (np.asarray(truth) != PAD)
    return found


def natural_grid(resident: Resident, answer: Tokens) -> Sequence[Sequence[int | str]]:
    """Return a grid in the values that programs expect: numbers for digits and colours, else symbols."""
    task, config = resident.task, resident.trained.config.task
    if isinstance(config, ArcConfig):
        return [[int(cell) for cell in row] for row in task.line(answer).split("/") if row]
    rows = task.grid(answer)
    if isinstance(config, SudokuConfig):
        return [[int(cell, 17) if cell.isalnum() else 0 for cell in row] for row in rows]
    return rows
