"""Damage to files, and all that a session says of itself: what changes there without a word is silent."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.sessions import Session, Store


@dataclass(frozen=True)
class Everything:
    """What a reader gets of a session, and the words that something is wrong."""

    content: tuple[object, ...]
    words: tuple[str, ...]


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Return the data with one bit changed."""
    damaged = bytearray(data)
    damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def read_everything(folder: Path) -> Everything:
    """Read a session as commands do; a refusal is a word."""
    store = Store(folder.parent)
    words: list[str] = []
    content: list[object] = []

    def add(read: object, *told: object) -> None:
        content.append(read)
        words.extend(map(str, told))

    try:
        session = store.get(folder.name)
    except SessionError as error:
        return Everything((), (str(error),))
    add(session.record)
    for part in (_configuration, _history, _figures, _log, _checkpoints):
        add(*_or_refusal(part, session))
    return Everything(tuple(content), tuple(words))


def _or_refusal(part: Callable[[Session], tuple[object, ...]], session: Session) -> tuple[object, ...]:
    try:
        return part(session)
    except SessionError as error:
        return None, str(error)


def _configuration(session: Session) -> tuple[object, ...]:
    found = session.configuration
    return (found.text, *found.warnings)


def _history(session: Session) -> tuple[object, ...]:
    return (session.history.entries(),)


def _figures(session: Session) -> tuple[object, ...]:
    records, damaged = session.metrics.read_through()
    return (records, *(f"line {number}" for number in damaged))


def _log(session: Session) -> tuple[object, ...]:
    events = session.events()
    return (events, *(event.message for event in events if "has changed" in event.message))


def _checkpoints(session: Session) -> tuple[object, ...]:
    found, warnings = session.load()
    weights = {name: tensor.tolist() for name, tensor in found.weights.items()}
    problems = [info.problem for info in session.checkpoints() if info.problem]
    return ((found.step, found.state, weights, session.best), *warnings, *problems)
