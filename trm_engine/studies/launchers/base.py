"""What a runner asks of whatever starts its trials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from trm_engine.studies.claims import Claim
from trm_engine.studies.state import Found

Tell = Callable[[Mapping[str, Any]], None]
"""Hears an event of a trial; called in a thread of its own."""
ELSEWHERE = 75
"""The code with which a trial ends that somebody else runs already."""


@dataclass(frozen=True)
class Request:
    """What a trial is to do: begin with `config`, or go on with the session `resume`."""

    root: str
    preset: str
    name: str
    config: str
    resume: str = ""
    overrides: tuple[str, ...] = ()
    threads: int = 1
    """Processors that it computes with."""

    def continuing(self, found: Found) -> Request:
        """Return it for where its trial stands now: a session to go on with, more steps, or neither."""
        overrides = (f"train.steps={found.trial.config.train.steps}",) if found.shorter else ()
        return replace(self, resume=found.record.id if found.record else "", overrides=overrides)

    def to_json(self) -> str:
        """Return it on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "overrides": tuple(fields["overrides"])})


class Running(Protocol):
    """A trial that was started. When it ends, its last event is `{"event": "ended", "code": n, "why": …}`."""

    def stop(self) -> None:
        """Ask it to save and stop."""


class Launcher(Protocol):
    """Starts trials somewhere."""

    slots: int
    """Trials side by side."""

    def start(self, request: Request, claim: Claim, tell: Tell) -> Running:
        """Start a trial that keeps `claim` as long as it lives."""

    def close(self) -> None:
        """Give back what was held to start trials."""
