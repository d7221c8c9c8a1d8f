"""What can be done to a run now: the one answer that keys, footer, palette and refusals all ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trm_engine.errors import UsageError
from trm_tui.workbench.snapshot import RunState, Snapshot

Deed = Literal["pause", "checkpoint", "stop", "extend", "evaluate", "scale_lr", "close"]
"""What a person can ask of a run."""

_NO_RUN = "No run is open. n starts one, s shows the sessions."
_QUEUED = "Queued; wait until it starts."
_PREPARING = "Still preparing; wait until training begins."
_SAVING = "Saving; wait until it has stopped."
_PAUSED = "Paused and saved. space resumes it."
_UNSAVED = "Nothing was saved before it stopped. n starts a new run."
_FINISHED = "Finished. + trains more steps."
_NOT_TRAINING = "Not training. space resumes it."
_ELSEWHERE = "Another process trains it; shown from its files."

_NOT_YET: Mapping[RunState, str] = {"waiting": _QUEUED, "preparing": _PREPARING, "stopping": _SAVING}
_PAUSES: frozenset[RunState] = frozenset({"waiting", "preparing", "running"})


@dataclass(frozen=True)
class Possible:
    """One deed as it is now."""

    label: str
    """What its key does, in a word or two."""
    refusal: str = ""
    """Why it cannot be done, and what can be; empty where it can."""


def possible(deed: Deed, run: Snapshot) -> Possible:
    """Return whether a deed can be done to a run, and what it is called then."""
    if deed == "close":
        return Possible("close slot", _NO_RUN if run.state == "empty" else "")
    if run.state == "empty":
        return Possible(_LABELS[deed], _NO_RUN)
    if run.state == "elsewhere":
        return Possible(_LABELS[deed], _ELSEWHERE)
    if deed == "pause":
        return _pause(run)
    if deed == "stop":
        return Possible("stop", _stop(run))
    if deed == "extend":
        return Possible("more steps", _extend(run))
    return Possible(_LABELS[deed], _learning(deed, run))


def require(deed: Deed, run: Snapshot) -> None:
    """Raise `UsageError`, saying what can be done instead, where a deed cannot be done."""
    if refusal := possible(deed, run).refusal:
        raise UsageError(refusal)


_LABELS: Mapping[Deed, str] = {
    "pause": "pause",
    "checkpoint": "checkpoint",
    "stop": "stop",
    "extend": "more steps",
    "evaluate": "evaluate",
    "scale_lr": "learning rate",
    "close": "close slot",
}


def _pause(run: Snapshot) -> Possible:
    """Return what `space` does: pause what trains or is about to, resume everything else."""
    if run.state in _PAUSES:
        return Possible("pause")
    if run.state == "stopping":
        return Possible("resume", _SAVING)
    if run.state in ("paused", "pausing"):
        return Possible("resume")
    return Possible("resume", _ended(run))


def _stop(run: Snapshot) -> str:
    if run.state == "stopping":
        return _SAVING
    return "" if run.active else "It has stopped already. shift+x closes its slot."


def _extend(run: Snapshot) -> str:
    if run.state in ("waiting", "stopping"):
        return _NOT_YET[run.state]
    if run.active or run.state == "completed":
        return ""
    return _ended(run)


def _learning(deed: Deed, run: Snapshot) -> str:
    """Say why a deed that needs a run in training cannot be done."""
    if run.state in _NOT_YET:
        return _NOT_YET[run.state]
    if run.active:
        # A pause saves, and what is to come after the next step comes when the run goes on.
        resting = run.state == "paused" and deed in ("checkpoint", "evaluate")
        return _PAUSED if resting else ""
    return _ended(run) or _NOT_TRAINING


def _ended(run: Snapshot) -> str:
    """Say why a run that has ended cannot be resumed as it is; nothing where it can."""
    if run.state == "completed":
        return _FINISHED
    return "" if run.saved is not None else _UNSAVED
