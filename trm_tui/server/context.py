"""What the routes of one server share."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from fastapi import Request

from trm_engine.serving.cache import AnswerCache
from trm_engine.serving.residents import Resident
from trm_engine.serving.service import Service
from trm_engine.serving.solving import Effort, Job
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.kit.symmetry import VIEWS
from trm_tui.server.batches import Batches
from trm_tui.server.chats import Chats
from trm_tui.server.errors import ApiError
from trm_tui.server.finetune import Finetuning
from trm_tui.server.settings import ServerSettings
from trm_tui.server.shapes import EffortBody


@dataclass
class Context:
    """The service, the cache and the figures of a server."""

    service: Service
    settings: ServerSettings
    cache: AnswerCache
    batches: Batches
    chats: Chats
    finetuning: Finetuning | None = None
    """Where the server may train."""
    statuses: Counter[int] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    seconds_of_answers: float = 0.0
    streams_open: int = 0
    jobs: WeakValueDictionary[str, Job] = field(default_factory=WeakValueDictionary)
    """Questions under way, by the id that the asker was told."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server is being stopped: streams end then."""

    @property
    def is_closing(self) -> bool:
        """Whether the server is being stopped."""
        return self.closing.is_set()

    def require_open(self) -> None:
        """Refuse work when the server is being stopped."""
        if self.is_closing:
            raise ApiError(503, "the server is shutting down", code="closing", headers={"Retry-After": "5"})

    def effort(self, resident: Resident, body: EffortBody) -> Effort:
        """Return what is done for an answer: what was asked for, within the bounds, or the model's own.

        Where no rule tells a right answer (ARC), all steps are taken, and views are voted on where asked for.
        """
        limits = self.settings.limits
        judged = resident.task.judges_all
        steps = min(body.max_steps or resident.trained.config.eval_steps, limits.max_steps)
        views = body.views if body.views is not None else views_by_default(resident.task)
        until = body.until or ("checked" if judged else "all")
        if until == "checked" and not judged:
            raise ApiError(
                422,
                "until: nobody wrote down the rules of ARC tasks, so no answer can be checked by them",
                hint='Ask until "all" or "halt".',
            )
        most = min(limits.views, limits.steps_in_all // steps - 1)
        return Effort(until, steps, min(views, max(most, 0)), limits.solve_seconds)


def views_by_default(task: PuzzleTask) -> int:
    """Return how many further views a question may have: as many as `trm-tui solve` allows."""
    return VIEWS - 1 if task.judges_all else 0


def context_of(request: Request) -> Context:
    """Return what the server of a request shares."""
    found = request.app.state.context
    assert isinstance(found, Context)
    return found
