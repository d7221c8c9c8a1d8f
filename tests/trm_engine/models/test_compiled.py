"""Compiled kernels compute what plain operations do, whatever the sizes, and the same bits again."""

from __future__ import annotations

import pytest
import torch

from trm_engine.compute.kernels import kernels_problem
from trm_engine.config.sections import ModelConfig, RuntimeConfig
from trm_engine.models.layers import Network, build_network, use_kernels
from trm_engine.planning.memory import LONGEST_COMPILED

PLAIN = RuntimeConfig(tuning="off")
COMPILED = RuntimeConfig(kernels="compiled")
# Widths and lengths that no vector or tile divides are among them.
SHAPES = {
    "mlp_t": (ModelConfig(hidden_size=20, heads=1), 17, False),
    "attention": (ModelConfig(hidden_size=24, heads=2, mixer="attention", positions="rope"), 19, False),
    "attention with learned positions": (
        ModelConfig(hidden_size=33, heads=3, mixer="attention", positions="learned"),
        5,
        False,
    ),
    "one position": (ModelConfig(hidden_size=16, heads=2, mixer="attention", positions="rope"), 1, False),
    "causal": (ModelConfig(hidden_size=24, heads=2, mixer="attention", positions="rope"), 19, True),
    "long": (
        ModelConfig(hidden_size=8, heads=1, mixer="attention", positions="rope"),
        LONGEST_COMPILED + 3,
        False,
    ),
}


@pytest.fixture(autouse=True)
def a_compiler() -> None:
    if (why := kernels_problem()) is not None:
        pytest.skip(why)


def network(name: str, runtime: RuntimeConfig) -> Network:
    config, length, causal = SHAPES[name]
    made = build_network(config, length, torch.Generator().manual_seed(1), causal=causal)
    use_kernels(made, runtime)
    return made


def state(name: str, rows: int = 3) -> torch.Tensor:
    config, length, _ = SHAPES[name]
    return torch.randn(length, rows, config.hidden_size, generator=torch.Generator().manual_seed(2))


def gradients(name: str, runtime: RuntimeConfig) -> list[torch.Tensor]:
    """Return the state after two applications, and the gradients of the first state and of all weights."""
    made, x = network(name, runtime), state(name).requires_grad_()
    after = made(made(x))
    generator = torch.Generator().manual_seed(3)
    (after * torch.randn(after.shape, generator=generator)).sum().backward()
    return [after.detach(), x.grad, *(parameter.grad for parameter in made.parameters())]


@pytest.mark.parametrize("name", SHAPES)
def test_states_and_gradients_are_those_of_plain_operations(name) -> None:
    for found, right in zip(gradients(name, COMPILED), gradients(name, PLAIN), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_without_gradients_the_state_is_the_same(name) -> None:
    made, x = network(name, COMPILED), state(name)
    with_gradients = made(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(made(x), with_gradients, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["mlp_t", "attention"])
def test_the_same_again_has_the_same_bits_with_any_number_of_threads(name) -> None:
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            found.append(gradients(name, COMPILED))
    finally:
        torch.set_num_threads(before)
    for one, two, three in zip(*found, strict=True):
        assert torch.equal(two, three)
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)  # torch's own products may be split


@pytest.mark.parametrize("name", ["mlp_t", "attention"])
def test_gradient_checkpointing_changes_no_bit(name) -> None:
    kept = gradients(name, COMPILED)
    again = gradients(name, COMPILED.model_copy(update={"checkpointing": True}))
    for one, two in zip(kept, again, strict=True):
        assert torch.equal(one, two)


def test_windowed_attention_keeps_its_windows() -> None:
    config = ModelConfig(hidden_size=24, heads=2, mixer="attention", positions="rope", attention_window=1)
    made = build_network(config, 13, torch.Generator().manual_seed(1), grid=(3, 4))
    x = torch.randn(13, 2, 24, generator=torch.Generator().manual_seed(2))
    use_kernels(made, PLAIN)
    right = made(x)
    use_kernels(made, COMPILED)
    torch.testing.assert_close(made(x), right, rtol=1e-4, atol=1e-5)


def test_numbers_of_another_type_are_not_given_to_them() -> None:
    made, x = network("mlp_t", COMPILED).double(), state("mlp_t").double()
    right = network("mlp_t", PLAIN).double()(x)
    torch.testing.assert_close(made(x), right)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["mlp_t", "attention"])
def test_what_is_not_finite_does_not_become_finite(name, bad) -> None:
    made, x = network(name, COMPILED), state(name)
    x[0, 1, 0] = bad
    after = made(x)
    assert not after[0, 1].isfinite().all()
    assert after[:, [0, 2]].isfinite().all()  # other rows of the batch know nothing of it
