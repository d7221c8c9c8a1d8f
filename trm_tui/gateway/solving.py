"""A puzzle on its way to a checked answer: the model is chosen, asked through the service, and waited for."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from trm_engine.language.stop import Stop, StoppedError
from trm_engine.serving.answers import answer_json, question_json, step_json
from trm_engine.serving.puzzles import question_of
from trm_engine.serving.recogniser import Found
from trm_engine.serving.residents import Resident
from trm_engine.serving.service import Service
from trm_engine.serving.solving import Answer, Done, Effort, Event, Failed, Step, ViewBegun
from trm_engine.tasks.kit.symmetry import VIEWS

Tell: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Hears of what happens: the name of an event, and its data as JSON values."""

_SECONDS = 60.0
_LOOK_SECONDS = 0.05


def effort_for(resident: Resident, seconds: float = _SECONDS) -> Effort:
    """Return what is done for an answer: until the rules accept; all steps where no rule tells."""
    judged = resident.task.judges_all
    steps = resident.trained.config.eval_steps
    return Effort("checked" if judged else "all", steps, VIEWS - 1 if judged else 0, seconds)


def solve(
    service: Service, found: Found, model: str, tell: Tell, stop: Stop, number: int = 0
) -> tuple[Resident, Answer]:
    """Solve a puzzle with a model, telling `puzzle`, each `step` and `view` on the way.

    Raises what choosing a model raises, `StoppedError` when the asker has gone, and what a model fails with.
    """
    resident = service.choose(model, found.asked)
    question = question_of(resident.task, found.asked)
    about = {"number": number, "model": resident.served.session, "kind": resident.served.kind}
    drawn = {"box": list(resident.task.box), "palette": dict(resident.task.palette)}
    tell("puzzle", {**about, **drawn, **question_json(resident.task, question)})
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    job = service.ask(resident, question, effort_for(resident), events.put)
    try:
        while True:
            stop.check()
            try:
                event = events.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if isinstance(event, Done):
                return resident, event.answer
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Step):
                tell("step", {"number": number, **step_json(resident.task, event)})
            elif isinstance(event, ViewBegun):
                tell("view", {"number": number, "view": event.view})
    except StoppedError:
        service.abandon(job)
        raise


def grid_json(resident: Resident, answer: Answer, number: int) -> dict[str, Any]:
    """Return everything there is to draw and to say of a puzzle's answer."""
    drawn = {"box": list(resident.task.box), "palette": dict(resident.task.palette)}
    return {"number": number, **drawn, **answer_json(resident, answer, steps=True)}
