"""What the tests of short memory share: a small run, a machine that is full, what was heard."""

from __future__ import annotations

import pytest
import torch

from trm_engine.models.trm import TRM, State
from trm_engine.training.events import Stepped

SMALL = ("train.batch_size=8", "train.log_every=1")


class FullMachine:
    """A machine whose memory holds `rows` rows of a forward pass; more raise what torch raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: int, error: Exception, passes: int = 1) -> None:
        self.passes = 0
        forward = TRM.forward

        def limited(model: TRM, state: State, inputs: torch.Tensor, *rest: object, **how: object):
            self.passes += 1
            if len(inputs) > rows and self.passes >= passes:
                raise error
            return forward(model, state, inputs, *rest, **how)

        monkeypatch.setattr(TRM, "forward", limited)


def in_flight(heard) -> list[int]:
    return [event.micro_batch for event in heard.of(Stepped)]
