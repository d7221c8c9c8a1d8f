"""The standard shapes, so that machines can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trm_engine.config import Config, ModelConfig, TrainConfig
from trm_engine.tasks.sudoku.config import SudokuConfig

_GRID = SudokuConfig(box_rows=3, box_cols=3, clues=36, train_size=64, test_size=1)
_SMALL_GRID = SudokuConfig(box_rows=2, box_cols=3, clues=18, train_size=64, test_size=1)
_PREFIX = 16


def _published(size: int, **model: object) -> ModelConfig:
    """Return a model with the published prefix and widths."""
    fixed = {"width_multiple": 256, "registers": 0, "puzzle_emb_ndim": size, "puzzle_emb_len": _PREFIX}
    return ModelConfig.model_validate({"hidden_size": size, **fixed, **model})


SHAPES: Mapping[str, Config] = MappingProxyType(
    {
        "attention-512": Config(
            title="attention, D 512, H 3, L 6, 81 + 16 positions, batch 16",
            task=_GRID,
            model=_published(512, mixer="attention", positions="rope", heads=8, h_cycles=3, l_cycles=6),
            train=TrainConfig(batch_size=16),
        ),
        "attention-128": Config(
            title="attention, D 128, H 2, L 3, 81 + 16 positions, batch 64",
            task=_GRID,
            model=_published(128, mixer="attention", positions="rope", heads=4, h_cycles=2, l_cycles=3),
            train=TrainConfig(batch_size=64),
        ),
        "mlp-512": Config(
            title="MLP along the length, D 512, H 3, L 6, 81 + 16 positions, batch 16",
            task=_GRID,
            model=_published(512, heads=8, h_cycles=3, l_cycles=6),
            train=TrainConfig(batch_size=16),
        ),
        "mlp-256": Config(
            title="MLP along the length, D 256, H 2, L 3, 81 positions with one register, batch 32",
            task=_GRID,
            model=ModelConfig(hidden_size=256, l_cycles=3),
            train=TrainConfig(batch_size=32),
        ),
        "mlp-64": Config(
            title="MLP along the length, D 64, H 2, L 2, 6×6 with one register, batch 64",
            task=_SMALL_GRID,
            model=ModelConfig(),
            train=TrainConfig(batch_size=64),
        ),
    }
)
"""Configurations by name; their titles say what they are."""
