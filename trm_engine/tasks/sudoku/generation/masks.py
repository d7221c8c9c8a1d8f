"""Candidate masks: the digits a cell may still hold, one bit each (bit d − 1 for digit d), in 16 bits."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.kit.search import Masks
from trm_engine.tasks.sudoku.geometry import Digits, Geometry

_DIGIT_OF: Digits = np.zeros(1 << 16, np.uint8)
_DIGIT_OF[1 << np.arange(16)] = np.arange(1, 17)


def full_mask(geometry: Geometry) -> np.uint16:
    """Return the mask that allows every digit."""
    return np.uint16((1 << geometry.side) - 1)


def to_masks(geometry: Geometry, digits_cell_major: Digits) -> Masks:
    """Return masks of the same shape: one bit for a given digit, every bit for a blank."""
    table = np.left_shift(np.uint16(1), np.arange(-1, geometry.side).clip(0).astype(np.uint16))
    table[0] = full_mask(geometry)
    return table[digits_cell_major]


def to_digits(masks: Masks) -> Digits:
    """Return the digit of each mask with one candidate, 0 for any other."""
    return _DIGIT_OF[masks]
