"""Tiny networks whose halting is left to chance, so that rows halt at different steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from trm_engine.config import Config, apply
from trm_engine.models.trm import TRM, build_model
from trm_engine.tasks.sudoku.config import SudokuConfig

VARIANTS = {
    "mlp": (),
    "one state": ("model.states=1",),
    "puzzle embedding": ("model.puzzle_emb_ndim=8", "model.puzzle_emb_len=2"),
    "attention": ("model.mixer=attention", "model.heads=2", "model.positions=rope"),
}


@pytest.fixture
def tiny() -> Callable[..., tuple[Config, TRM]]:
    """Make a configuration of 4×4 Sudoku and a network for it, by the name of a variant."""

    def make(variant: str = "mlp") -> tuple[Config, TRM]:
        config = apply(
            Config(task=SudokuConfig(train_size=20, test_size=20, clues=6)),
            ["model.hidden_size=16", "train.halt_max_steps=6", "eval.batch_size=8", *VARIANTS[variant]],
        )
        model = build_model(config, 5, torch.Generator().manual_seed(3)).requires_grad_(False)
        model.q_head.normal_(generator=torch.Generator().manual_seed(1))
        model.q_bias.zero_()
        model.puzzle_emb.normal_(generator=torch.Generator().manual_seed(2))
        return config, model

    return make
