"""The fused operations have the values and the gradients of the plain ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from trm_engine.config import ModelConfig, RuntimeConfig
from trm_engine.models.fused import residual_norm, rotate, swiglu_norm
from trm_engine.models.fused_attention import attention_norm
from trm_engine.models.layers import use_kernels
from trm_engine.models.trm import TRM


def numbers(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("along_length", [False, True])
def test_swiglu_norm_has_the_right_gradients(along_length: bool) -> None:
    x = numbers(5, 6)
    size = 5 if along_length else 6
    gate_up, down = numbers(8, size), numbers(size, 4)
    assert gradcheck(
        lambda *tensors: swiglu_norm(*tensors, 1e-5, along_length=along_length), (x, gate_up, down)
    )


def test_residual_norm_has_the_right_gradients() -> None:
    assert gradcheck(lambda x, branch: residual_norm(x, branch, 1e-5), (numbers(3, 4), numbers(3, 4)))


def test_rotation_has_the_right_gradients() -> None:
    cos, sin = numbers(3, 1, 1, 2).detach(), numbers(3, 1, 1, 2).detach().cos()
    assert gradcheck(lambda x: rotate(x, cos, sin), (numbers(3, 2, 2, 4),))


@pytest.mark.parametrize("turned", [False, True])
def test_attention_by_products_has_the_right_gradients(turned: bool) -> None:
    tables = (numbers(3, 1, 1, 2).detach(), numbers(3, 1, 1, 2).detach().cos()) if turned else None
    tensors = numbers(3, 2, 8), numbers(24, 8), numbers(8, 8)
    assert gradcheck(lambda *given: attention_norm(*given, tables, heads=2, eps=1e-5), tensors)


def test_attention_without_gradient_takes_few_rows_at_once_and_finds_the_same() -> None:
    x, qkv, out = numbers(3, 5, 8), numbers(24, 8), numbers(8, 8)
    whole = attention_norm(x, qkv, out, None, heads=2, eps=1e-5)
    with torch.no_grad():
        some = attention_norm(x, qkv, out, None, heads=2, eps=1e-5, most_scores=3 * 9)  # of ten heads' scores
    torch.testing.assert_close(some, whole)


PLAIN = RuntimeConfig(tuning="off")


@pytest.mark.parametrize("kernel", ["sdpa", "products"])
@pytest.mark.parametrize(
    ("mixer", "positions"), [("mlp_t", "none"), ("attention", "rope"), ("attention", "none")]
)
def test_a_fused_model_agrees_with_the_plain_one(mixer: str, positions: str, kernel: str) -> None:
    config = ModelConfig.model_validate(
        {"hidden_size": 16, "mixer": mixer, "positions": positions, "h_cycles": 2, "l_cycles": 2}
    )
    inputs = torch.arange(3 * 7).view(3, 7) % 5
    found = []
    for runtime in (PLAIN, RuntimeConfig.model_validate({"attention": kernel})):
        model = TRM(config, vocab_size=5, seq_len=7, generator=torch.Generator().manual_seed(0)).double()
        use_kernels(model, runtime)
        logits = model(model.initial_state(3), inputs)[1].logits
        logits.square().sum().backward()
        found.append((logits, {name: parameter.grad for name, parameter in model.named_parameters()}))
    torch.testing.assert_close(found[0][0], found[1][0])
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(gradient, found[1][1][name], msg=lambda text, name=name: f"{name}: {text}")
