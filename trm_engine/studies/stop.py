"""Stopping what runs: a runner with all its trials, or one trial."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

from trm_engine.errors import SessionError
from trm_engine.sessions import Store
from trm_engine.sessions.lock import holder_of
from trm_engine.studies.catalogue import select
from trm_engine.studies.claims import is_away, runners
from trm_engine.studies.launchers.away import Messages
from trm_engine.studies.plan import build_plan
from trm_engine.studies.state import Found, look
from trm_engine.text import did_you_mean


def stop_study(store: Store, name: str) -> int:
    """Have the runners of a study save and stop, and its trials that no runner watches over.

    Returns how many processes were told. Raises `SessionError` where nothing of it runs on this machine.
    """
    plan = build_plan(select(name))
    wanted = {trial.digest for trial in plan.trials}
    told = 0
    for about in runners(store.root):
        trials = about.get("trials")
        if about.get("name") == name or (isinstance(trials, list) and wanted & set(trials)):
            told += _told(about)
    if not told:
        told = sum(_told_trial(store, one) for one in look(store, plan.trials) if one.stage == "running")
    if not told:
        raise SessionError(f"{name}: nothing of it is running on this machine")
    return told


def stop_trial(store: Store, name: str, trial: str) -> str:
    """Have one running trial save and stop; return the id of its session. Raises `SessionError`."""
    found = {one.trial.name: one for one in look(store, build_plan(select(name)).trials)}
    if trial not in found:
        raise SessionError(f'{name} has no trial "{trial}".{did_you_mean(trial, found)}')
    one = found[trial]
    if one.stage != "running" or one.record is None or not _told_trial(store, one):
        raise SessionError(f"{trial} is not running on this machine")
    return one.record.id


def _told_trial(store: Store, one: Found) -> int:
    """Have a running trial save and stop, here or where a scheduler runs it; return whether it was told."""
    if is_away(store.root, one.trial.digest):
        Messages(store.root, one.trial.digest).ask_to_stop()
        return 1
    return _told(holder_of(store.root / one.record.id)) if one.record is not None else 0


def _told(about: dict[str, object]) -> int:
    """Send SIGTERM to the process that someone says they are; return whether it was sent."""
    pid = about.get("pid")
    if about.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 1:
        return 0
    with suppress(OSError):
        os.kill(pid, signal.SIGTERM)
        return 1
    return 0
