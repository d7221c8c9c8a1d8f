"""What is asked of the gateway, and what it replies, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trm_engine.language.model import Message
from trm_tui.gateway.documents.passages import Passage

Route = Literal["trm", "ensemble", "language", "text", "question", "passages", "help"]
"""Who answered: a recursive model alone, with a language model, a language model alone, a text session, the
program asking back, passages of documents, or the program's help."""


@dataclass(frozen=True)
class Ask:
    """A message, the turns before it, and how to answer. `context` are texts that belong to the question."""

    message: str
    history: Sequence[Message] = ()
    model: str = "auto"
    context: Sequence[str] = ()
    max_tokens: int = 512
    temperature: float = 0.7
    seconds: float = 300.0


@dataclass
class Reply:
    """An answer; `marked` says what a language model said against the checked grid, and was overruled in."""

    response: str = ""
    model: str = ""
    route: Route = "help"
    reason: str = ""
    solved: bool | None = None
    steps: int | None = None
    grids: list[dict[str, Any]] = field(default_factory=list)
    sources: list[Passage] = field(default_factory=list)
    left_out: int = 0
    marked: dict[str, str] | None = None
    notes: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    tokens: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, Any]:
        """Return it as `POST /api/chat` answers: empty parts are left out."""
        found: dict[str, Any] = {
            "response": self.response,
            "status": "success",
            "model": self.model,
            "route": self.route,
            "reason": self.reason,
        }
        if self.grids:
            found |= {"solved": self.solved, "steps": self.steps, "grids": self.grids}
        if self.sources:
            found["sources"] = [
                {"number": number, "title": one.title, "where": one.where, "text": one.text}
                for number, one in enumerate(self.sources, 1)
            ]
        if self.left_out:
            found["left_out"] = self.left_out
        if self.marked:
            found["marked"] = self.marked
        if self.notes:
            found["notes"] = self.notes
        return {**found, "timings": self.timings}


def as_turns(history: Sequence[Mapping[str, str]]) -> list[Message]:
    """Return turns of JSON (`role`, `content`) as messages; other roles than the known are left out."""
    roles = ("system", "user", "assistant")
    return [Message(turn["role"], turn["content"]) for turn in history if turn["role"] in roles]  # type: ignore[arg-type]  # one of the three
