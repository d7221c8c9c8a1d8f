"""The shapes, invariants and variants of the recursive model; its numbers are held by the parity tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from trm_engine.config import ModelConfig
from trm_engine.models.carry import Carry, halted_rows
from trm_engine.models.layers import truncated_normal
from trm_engine.models.trm import TRM

VOCAB, LENGTH, ROWS = 6, 9, 5


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def build(**fields: object) -> TRM:
    config = ModelConfig.model_validate({"hidden_size": 16, **fields})
    needed = -(-config.puzzle_emb_ndim // config.hidden_size)
    return TRM(
        config,
        vocab_size=VOCAB,
        seq_len=LENGTH,
        puzzle_emb_len=config.puzzle_emb_len or needed,
        num_puzzle_ids=3,
        generator=generator(),
    )


VARIANTS = {
    "mlp_t": {},
    "attention with rope": {"mixer": "attention", "positions": "rope"},
    "learned positions": {"mixer": "attention", "positions": "learned"},
    "no registers": {"registers": 0},
    "three registers": {"registers": 3},
    "single state": {"states": 1},
    "puzzle embedding": {"puzzle_emb_ndim": 24, "registers": 2},
}


@pytest.mark.parametrize("fields", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_variant_answers_each_position_and_trains_each_weight(fields: dict[str, object]) -> None:
    model = build(**fields)
    inputs = torch.arange(ROWS * LENGTH).view(ROWS, LENGTH) % VOCAB
    rows_emb = model.puzzle_emb[torch.arange(ROWS) % 3] if model.puzzle_emb_len else None
    state, output = model(model.initial_state(ROWS), inputs, rows_emb)
    assert output.logits.shape == (LENGTH, ROWS, VOCAB)
    assert output.q_halt.shape == output.q_continue.shape == (ROWS,)
    assert state.z.shape == (model.prefix_len + LENGTH, ROWS, 16)
    assert not state.y.requires_grad
    (output.logits.square().sum() + output.q_halt.sum() + output.q_continue.sum()).backward()
    untrained = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert untrained == []


def test_rows_of_a_batch_do_not_see_each_other() -> None:
    model = build()
    inputs = torch.arange(ROWS * LENGTH).view(ROWS, LENGTH) % VOCAB
    together = model(model.initial_state(ROWS), inputs)[1].logits
    alone = model(model.initial_state(1), inputs[2:3])[1].logits
    torch.testing.assert_close(together[:, 2:3], alone, atol=1e-5, rtol=0)


def test_halting_starts_at_never() -> None:
    output = build()(build().initial_state(1), torch.ones(1, LENGTH, dtype=torch.int32))[1]
    assert output.q_halt.item() == -5


def test_more_cycles_are_the_same_step_repeated_without_gradient() -> None:
    once, thrice = build(h_cycles=1), build(h_cycles=3)
    inputs = torch.ones(1, LENGTH, dtype=torch.int32)
    state = once.initial_state(1)
    for _ in range(3):
        state, output = once(state, inputs)
    torch.testing.assert_close(output.logits, thrice(thrice.initial_state(1), inputs)[1].logits)


def test_reset_touches_only_the_rows_that_halted() -> None:
    model = build()
    state = model(model.initial_state(2), torch.ones(2, LENGTH, dtype=torch.int32))[0]
    reset = model.reset(state, torch.tensor([True, False]))
    assert torch.equal(reset.z[:, 0], model.initial_state(1).z[:, 0])
    assert torch.equal(reset.y[:, 1], state.y[:, 1])


@pytest.mark.parametrize("states", [1, 2])
def test_a_batch_is_the_sum_of_its_parts(states: int) -> None:
    carry = Carry.empty(build(states=states).initial_state(5), LENGTH)
    for tensor in (carry.state.z, carry.state.y):
        tensor.normal_(generator=generator())
    other = Carry.empty(build(states=states).initial_state(5), LENGTH)
    joined = other.followed_by([carry.rows(start, stop) for start, stop in ((0, 2), (2, 4), (4, 5))])
    for name, tensor in carry.tensors().items():
        assert torch.equal(joined.tensors()[name], tensor), name
    assert (joined.state.y is joined.state.z) == (states == 1)


def test_truncated_normals_have_the_deviation_they_are_asked_for() -> None:
    drawn = truncated_normal(100_000, std=0.25, generator=generator())
    assert drawn.std().item() == pytest.approx(0.25, rel=0.01)
    # Cut at two deviations of the normal before the correction, which is about 2.27 of the result's.
    assert drawn.abs().max().item() <= 0.25 * 2.2746


Halts = Callable[..., list[bool]]


@pytest.fixture
def halts() -> Halts:
    def decide(q_halt: list[float], steps: int = 2, minimum: int = 0, **options: object) -> list[bool]:
        rows = len(q_halt)
        q_continue = torch.tensor(options.get("q_continue", [0.0] * rows))
        return halted_rows(
            torch.full((rows,), steps),
            torch.tensor(q_halt),
            q_continue,
            max_steps=int(str(options.get("max_steps", 4))),
            min_steps=torch.full((rows,), minimum),
            continue_loss="q_continue" in options,
        ).tolist()

    return decide


def test_a_row_halts_when_its_logit_is_positive(halts: Halts) -> None:
    assert halts([0.1, 0.0, -0.1]) == [True, False, False]


def test_every_row_halts_at_the_last_step(halts: Halts) -> None:
    assert halts([-9.0, 9.0], steps=4) == [True, True]


def test_exploration_keeps_a_row_going(halts: Halts) -> None:
    assert halts([9.0], steps=2, minimum=3) == [False]


def test_with_the_continue_loss_the_larger_logit_wins(halts: Halts) -> None:
    assert halts([1.0, 1.0], q_continue=[0.5, 2.0]) == [True, False]


def test_with_one_step_nothing_is_carried(halts: Halts) -> None:
    assert halts([-9.0], steps=1, minimum=9, max_steps=1) == [True]
