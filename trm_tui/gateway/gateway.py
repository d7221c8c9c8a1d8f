"""The gateway: a message comes in, puzzles in it are solved and checked, and a language model may word it.

Code looks for puzzles first. What a language model says never decides an answer: grids, verdicts and numbers
come from the solver and the rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trm_engine.errors import SessionError, TrmError
from trm_engine.hardware import Hardware
from trm_engine.language.stop import Stop
from trm_engine.serving.service import AUTO, Service
from trm_engine.text import safe_text
from trm_tui.gateway.documents.retrieval import Library
from trm_tui.gateway.models.languages import Languages, State
from trm_tui.gateway.models.registry import TrmEntry
from trm_tui.gateway.models.writers import Writers
from trm_tui.gateway.reply import Ask, Reply
from trm_tui.gateway.solving import Tell
from trm_tui.gateway.turn import TRM_ALONE, Chosen, Turn


@dataclass
class Gateway:
    """Answers messages; any number of threads may ask. `machine` tells what this machine can do."""

    service: Service
    languages: Languages
    library: Library
    writers: Writers
    machine: Callable[[], Hardware]
    clock: Callable[[], float] = field(default=time.perf_counter)

    def choose(self, model: str) -> Chosen:
        """Return who answers when a model is asked for: `auto`, `trm`, a language model's name, a session.

        Raises `SessionError` for a name that nothing has.
        """
        chosen = self.languages.registry.read()
        why = "it was asked for"
        if model == AUTO:
            model, why = chosen.selected_model, "it is selected (trm-tui models select)"
        if model == AUTO:
            first = next(iter(chosen.languages), "")
            why = "it is the first language model of the list" if first else "no language model is set up"
            return Chosen(first, AUTO, why)
        if model == TRM_ALONE:
            return Chosen("", AUTO, why)
        if model in chosen.languages:
            return Chosen(model, AUTO, why)
        entry = chosen.models.get(model)
        if isinstance(entry, TrmEntry):
            return Chosen("", entry.path, why)
        if (record := self.writers.find(model)) is not None:
            return Chosen("", AUTO, why, record.id)
        try:
            return Chosen("", self.service.residents.catalogue.get(model).session, why)
        except SessionError as error:
            raise SessionError(
                f'there is no model "{safe_text(model[:80])}": trm-tui models list shows those there are'
            ) from error

    def state(self) -> State:
        """Return how the language model is that answers by default; phase `none` where there is none."""
        try:
            name = self.choose(AUTO).language
        except TrmError as error:  # a broken file, or a session that has gone, is told where it is asked for
            return State("", "", "failed", reason=safe_text(str(error)), code="registry")
        return self.languages.state(name) if name else State("", "", "none")

    def reply(self, ask: Ask, tell: Tell, stop: Stop) -> Reply:
        """Answer a message, telling what happens: `route`, `puzzle`, `step`, `view`, `grid`, `text`.

        Raises `StoppedError` when the asker wants no more, `LanguageError` when a language model is needed
        and cannot answer, `SessionError` for a model that there is not, `BusyError` when too much is asked.
        """
        began = self.clock()
        chosen = self.choose(ask.model)
        reply = Reply(reason=chosen.reason)
        Turn(self, ask, chosen, reply, tell, stop).answer()
        reply.timings["milliseconds"] = round(1000 * (self.clock() - began), 1)
        return reply
