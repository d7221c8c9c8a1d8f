"""The recursive character model: causal, recursive, trained through every step, and priced exactly."""

from __future__ import annotations

import pytest
import torch

from trm_engine.config import Config, apply
from trm_engine.models.text import RecursiveText, build_text_model
from trm_engine.planning.costs import costs_of
from trm_engine.planning.flops import forward_flops, parameters, training_flops
from trm_engine.planning.memory import footprint
from trm_engine.tasks.text.config import TextConfig

SMALL = (
    "model.architecture=text",
    "model.mixer=attention",
    "model.positions=rope",
    "model.hidden_size=16",
    "model.heads=2",
)
VOCABULARY = 11


def config(*overrides: str) -> Config:
    task = TextConfig(context=12, max_vocabulary=VOCABULARY)
    return apply(
        Config(task=task, model={"architecture": "text", "mixer": "attention"}), [*SMALL, *overrides]
    )  # type: ignore[arg-type]


def build(*overrides: str) -> RecursiveText:
    return build_text_model(config(*overrides), VOCABULARY, torch.Generator().manual_seed(3))


def tokens(rows: int = 3, length: int = 12) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(1))


KINDS = [(), ("model.positions=learned",), ("model.tied_head=false",), ("runtime.tuning=off",)]


@pytest.mark.parametrize("overrides", KINDS, ids=str)
def test_what_comes_later_changes_nothing_before(overrides: tuple[str, ...]) -> None:
    model, inputs = build(*overrides), tokens()
    changed = inputs.clone()
    changed[:, 7] = (changed[:, 7] + 1) % VOCABULARY
    with torch.no_grad():
        before, after = model(inputs), model(changed)
    assert torch.equal(before[:7], after[:7])
    assert not torch.allclose(before[7:], after[7:])


@pytest.mark.parametrize("overrides", KINDS, ids=str)
def test_a_shorter_window_gives_the_same_logits(overrides: tuple[str, ...]) -> None:
    model, inputs = build(*overrides), tokens()
    with torch.no_grad():
        torch.testing.assert_close(model(inputs[:, :5]), model(inputs)[:5], atol=1e-5, rtol=1e-5)


def test_fused_operations_are_the_same_mathematics() -> None:
    inputs, logits, gradients = tokens(), [], []
    for tuning in ("auto", "off"):
        model = build(f"runtime.tuning={tuning}")
        output = model(inputs)
        output.square().mean().backward()
        logits.append(output.detach())
        gradients.append([parameter.grad for parameter in model.parameters()])
    torch.testing.assert_close(*logits, atol=1e-5, rtol=1e-4)
    for fused, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(fused, plain, atol=1e-5, rtol=1e-3)


def test_the_blocks_are_applied_once_a_recursion_step() -> None:
    for steps in (1, 3):
        model, calls = build(f"model.recursion_steps={steps}"), 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        model.blocks[0].register_forward_hook(count)
        model(tokens())
        assert calls == steps


def test_every_step_is_what_the_formula_says() -> None:
    model, inputs = build("model.recursion_steps=2"), tokens()
    with torch.no_grad():
        x = model.embed(inputs)
        z = model.z_init.expand(x.shape)
        for _ in range(2):
            z = z + x
            for block in model.blocks:
                z = block(z)
        torch.testing.assert_close(model(inputs), z @ model.embed_tokens.t())


def test_the_gradient_goes_through_every_step() -> None:
    """The derivative by the first state, against differences: it is felt only through all the steps."""
    model = build("model.recursion_steps=3").double()
    inputs = tokens(1)
    model(inputs)[-1, 0, 0].backward()
    assert model.z_init.grad is not None
    direction = torch.randn(
        model.z_init.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    slope = float((model.z_init.grad * direction).sum())
    with torch.no_grad():
        ends = []
        for sign in (1, -1):
            model.z_init += sign * 1e-5 * direction
            ends.append(float(model(inputs)[-1, 0, 0]))
            model.z_init -= sign * 1e-5 * direction
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)
    assert slope != 0


@pytest.mark.parametrize("overrides", [*KINDS, ("model.layers=3", "model.recursion_steps=3")], ids=str)
def test_parameters_are_predicted_exactly(overrides: tuple[str, ...]) -> None:
    built = sum(parameter.numel() for parameter in build(*overrides).parameters())
    assert parameters(config(*overrides)) == built


def test_work_and_memory_grow_with_the_recursion() -> None:
    one, three = config("model.recursion_steps=1"), config("model.recursion_steps=3")
    assert [costs_of(config).applications(config) for config in (one, three)] == [1, 3]
    assert training_flops(three) == 3 * forward_flops(three)
    assert 2 < forward_flops(three) / forward_flops(one) < 3
    kept = [footprint(c, micro_batch=4, examples=0).training - 4 * 4 * parameters(c) for c in (one, three)]
    assert 2 < kept[1] / kept[0] < 3  # beside the gradients, which are as large with one step
