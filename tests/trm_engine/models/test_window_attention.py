"""Sparse attention agrees with dense attention under a mask, in its values and gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck

from trm_engine.config import Config, ModelConfig, RuntimeConfig
from trm_engine.models.trm import TRM, build_model
from trm_engine.models.window_attention import Windows, window_attention
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.sudoku.config import SudokuConfig


def heads(windows: Windows, rows: int = 2, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = len(windows.allowed()), rows, 2, 3
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for _ in range(3)]


def dense(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
    parts = (part.permute(1, 2, 0, 3) for part in (query, key, value))
    return F.scaled_dot_product_attention(*parts, attn_mask=allowed).permute(2, 0, 1, 3)


@pytest.mark.parametrize(
    ("grid", "window", "prefix"),
    [((30, 30), 7, 1), ((13, 25), 3, 2), ((9, 9), 7, 16), ((4, 2), 3, 1), ((12, 1), 5, 0), ((3, 3), 99, 1)],
)
def test_values_and_gradients_are_those_of_dense_attention_with_the_mask(
    grid: tuple[int, int], window: int, prefix: int
) -> None:
    windows = Windows(grid, window, prefix)
    tensors = heads(windows)
    found, wanted = window_attention(*tensors, windows), dense(*tensors, windows.allowed())
    torch.testing.assert_close(found, wanted)
    way_back = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for mine, theirs in zip(
        torch.autograd.grad(found, tensors, way_back),
        torch.autograd.grad(wanted, tensors, way_back),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_gradients_are_right() -> None:
    windows = Windows((7, 5), 3, 1)
    assert gradcheck(lambda *parts: window_attention(*parts, windows), heads(windows, rows=1))


def test_a_cell_sees_its_window_and_the_prefix_and_the_prefix_sees_everything() -> None:
    allowed = Windows((4, 5), 3, 2).allowed()
    assert allowed[:2].all()
    assert allowed[:, :2].all()
    corner = allowed[2, 2:].view(4, 5)
    assert corner.nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    middle = allowed[2 + 7, 2:].view(4, 5)
    assert middle[:3, 1:4].all()
    assert middle.sum() == 9


def test_numbers_of_16_bits_stay_near_those_of_32() -> None:
    windows = Windows((12, 12), 5, 1)
    tensors = heads(windows, dtype=torch.float32)
    found = window_attention(*(tensor.bfloat16() for tensor in tensors), windows)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), dense(*tensors, windows.allowed()), atol=0.03, rtol=0.03)


def model_of(window: int, **fields: object) -> TRM:
    config = ModelConfig.model_validate(
        {"hidden_size": 16, "mixer": "attention", "positions": "rope", "attention_window": window, **fields}
    )
    generator = torch.Generator().manual_seed(0)
    return build_model(Config(task=SudokuConfig(box_rows=3, box_cols=3), model=config), 1, generator).double()


def logits(model: TRM) -> Tensor:
    inputs = torch.arange(2 * 81).view(2, 81) % 5
    output: Tensor = model(model.initial_state(2), inputs)[1].logits
    return output


@pytest.mark.parametrize("positions", ["rope", "learned"])
def test_a_window_over_the_whole_grid_is_dense_attention(positions: str) -> None:
    dense, wide = (model_of(window, positions=positions) for window in (0, 17))
    torch.testing.assert_close(logits(wide), logits(dense))


def test_a_window_changes_no_weight_and_no_name() -> None:
    dense, narrow = model_of(0).state_dict(), model_of(3).state_dict()
    assert dense.keys() == narrow.keys()
    assert all(torch.equal(dense[name], narrow[name]) for name in dense)
    assert not torch.allclose(logits(model_of(0)), logits(model_of(3)))


@pytest.mark.parametrize("tuning", ["auto", "off"])
def test_a_maze_of_fifty_rows_trains_each_weight(tuning: str) -> None:
    config = Config(
        task=MazeConfig(rows=50, cols=50),
        model=ModelConfig(
            hidden_size=8,
            heads=2,
            mixer="attention",
            positions="rope",
            attention_window=7,
            l_cycles=1,
            h_cycles=1,
        ),
        runtime=RuntimeConfig.model_validate({"tuning": tuning}),
    )
    model = build_model(config, 1, torch.Generator().manual_seed(0))
    state, output = model(model.initial_state(1), torch.arange(2500).view(1, 2500) % 6)
    assert state.z.shape == (2501, 1, 8)
    (output.logits.square().sum() + output.q_halt.sum() + output.q_continue.sum()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())
