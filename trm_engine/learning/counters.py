"""The numbers that travel with the weights of a learner, and those of one step."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trm_engine.compute.sums import Sums

_COUNTED = 2**63


@dataclass
class Counters:
    """Numbers that travel with the weights; all of them are in every checkpoint."""

    step: int = 0
    """Supervision steps taken, skipped ones included."""
    updates: int = 0
    """Optimizer updates made."""
    samples: int = 0
    """Rows trained on, counted once a supervision step."""
    skipped_in_a_row: int = 0
    """Steps skipped since the last update, because the loss or its gradient was unsound."""
    lr_scale: float = 1.0
    """Extra factor on the learning rate, lowered when training diverges."""
    loss_scale: float = 1.0
    """Factor on the loss before its gradients are computed in float16, which has no small numbers."""
    scaled_in_a_row: int = 0
    """Updates since that factor changed."""
    digest: str = ""
    """Running hash of the loss of every step: equal digests mean that every loss agreed bit for bit."""

    @classmethod
    def parse(cls, saved: Mapping[str, Any]) -> Counters:
        """Return the counters in a checkpoint's state; raise `TypeError` or `ValueError` for others."""
        counters = cls(**saved)
        for field in dataclasses.fields(cls):
            value = getattr(counters, field.name)
            if type(value) is not type(field.default) and (field.type != "float" or type(value) is not int):
                raise TypeError(f"{field.name} is {value!r}")
            if isinstance(value, (int, float)) and not 0 <= value < _COUNTED:
                raise ValueError(f"{field.name} is {value!r}")
        bytes.fromhex(counters.digest)
        return counters

    def chain(self, loss: float) -> None:
        """Take the loss of a step into the digest."""
        data = bytes.fromhex(self.digest) + struct.pack("<d", loss)
        self.digest = hashlib.blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Update:
    """What one step did: sums over the batch, the gradient's norm, and whether the weights moved."""

    sums: Sums
    grad_norm: float
    applied: bool
    step: int = 0
    """Which one it was, from 1."""
    skipped_in_a_row: int = 0
    """Steps skipped up to this one, if it was skipped."""
