"""A text that a model writes, as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass

LENGTH = 400
"""Characters that are written."""
TEMPERATURE = 0.8


@dataclass(frozen=True)
class Passage:
    """What is on screen of a text model. The texts may hold anything: whoever shows them makes them safe."""

    start: str
    """What a person wants the text to begin with; may be empty."""
    number: int
    """Of the sample, from 0: it decides the randomness, so that one number shows how the model changes."""
    text: str = ""
    """What the model has written after the start."""
    done: bool = False
