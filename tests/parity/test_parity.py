"""The engine agrees with numbers recorded from the published TRM code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from engine.config.sections import ModelConfig, TrainConfig
from engine.models.carry import Carry
from engine.models.published import from_published, our_name
from engine.models.trm import TRM
from engine.tasks.base import Examples
from engine.training.step import StepResult, backward_step, refill

FOLDER = Path(os.environ.get("TRM_PARITY_DIR") or Path(__file__).parent)
CASES = sorted(FOLDER.glob("*.safetensors"))
assert CASES, f"no fixtures in {FOLDER}"
ROUNDINGS = 8  # two processors' rounding errors, amplified by recursion, differ by several times


class Fixture:
    def __init__(self, path: Path, *, fused: bool) -> None:
        self.fused = fused
        with safe_open(path, framework="pt") as file:
            self.published: dict[str, Any] = json.loads(file.metadata()["config"])
            self.tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        self.weights = {
            key.removeprefix("weights."): value
            for key, value in self.tensors.items()
            if key.startswith("weights.")
        }
        self.train = TrainConfig(
            loss="stablemax",
            halt_max_steps=self.published["halt_max_steps"],
            continue_loss=not self.published["no_ACT_continue"],
        )

    def model(self) -> TRM:
        published = self.published
        config = ModelConfig(
            hidden_size=published["hidden_size"],
            layers=published["L_layers"],
            mixer="mlp_t" if published["mlp_t"] else "attention",
            heads=published["num_heads"],
            positions=published["pos_encodings"],
            rope_theta=published["rope_theta"],
            h_cycles=published["H_cycles"],
            l_cycles=published["L_cycles"],
            expansion=float(published["expansion"]),
            width_multiple=256,
            states=2 if any(key.endswith("H_init") for key in self.weights) else 1,
            registers=0,
            puzzle_emb_ndim=published["puzzle_emb_ndim"],
            puzzle_emb_len=published["puzzle_emb_len"],
            rms_norm_eps=published["rms_norm_eps"],
        )
        needed = -(-published["puzzle_emb_ndim"] // published["hidden_size"])
        model = TRM(
            config,
            vocab_size=published["vocab_size"],
            seq_len=published["seq_len"],
            puzzle_emb_len=published["puzzle_emb_len"] or needed,
            num_puzzle_ids=published["num_puzzle_identifiers"],
            generator=torch.Generator().manual_seed(1),
        )
        model.use_fused(self.fused)
        missing = model.load_state_dict(from_published(self.weights), strict=False)
        assert missing.unexpected_keys == []
        assert set(missing.missing_keys) <= {"puzzle_emb", "y_init"}
        return model

    def batch(self, step: int, rows: Tensor) -> Examples:
        """The rows of batch `step` that are taken; an ignored label is padding to us."""

        def pick(name: str) -> np.ndarray[Any, Any]:
            tensor = self.tensors[name][step][rows]
            return np.asarray(torch.where(tensor == -100, 0, tensor).numpy())

        return Examples(pick("inputs"), pick("labels"), pick("puzzle_identifiers"))

    def scalar(self, key: str) -> float:
        return float(self.tensors[key].reshape(-1)[0])


@pytest.fixture(scope="module", params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(params=[False, True], ids=["plain", "fused"])
def fixture(request: pytest.FixtureRequest, case: Path) -> Fixture:
    return Fixture(case, fused=request.param)


def offered(fixture: Fixture, model: TRM, carry: Carry, step: int) -> Carry:
    return refill(model, carry, fixture.batch(step, carry.halted))


def first_carry(fixture: Fixture, model: TRM) -> Carry:
    rows = fixture.tensors["inputs"].shape[1]
    return Carry.empty(model.initial_state(rows), model.seq_len)


def assert_agrees(ours: Tensor, exact: Tensor, recorded: Tensor, atol: float, what: str) -> None:
    """Hold `ours` to `recorded` within `atol`, or within the rounding error that float32 has here.

    Recursion amplifies rounding: in some fixtures two correct float32 programs on different processors end
    up further apart than `atol`. How far is measured, not guessed: by our own distance from the same
    computation in float64 (`exact`). A wrong program is off by the size of the values themselves, and no
    bound may come near it.
    """
    rounding = float((ours.double() - exact).abs().max())
    bound = max(atol, ROUNDINGS * rounding)
    assert bound < 0.1 * float(recorded.abs().max()) + atol, (
        f"{what}: rounding error {rounding:.1e} drowns the values"
    )
    error = float((ours - recorded.view(ours.shape)).abs().max())
    assert error <= bound, (
        f"{what}: {error:.1e} from the recording, at most {bound:.1e} (rounding {rounding:.1e})"
    )


def test_parity_of_evaluation(fixture: Fixture) -> None:
    runs = [list(evaluation(fixture, dtype)) for dtype in (torch.float32, torch.float64)]
    assert runs[0]
    for step, (ours, exact) in enumerate(zip(*runs, strict=True)):
        for name in ("logits", "q_halt_logits"):
            key = f"eval.{step}.{name}"
            assert_agrees(ours[name], exact[name], fixture.tensors[key], 1e-4, key)


def evaluation(fixture: Fixture, dtype: torch.dtype) -> Iterator[dict[str, Tensor]]:
    model = fixture.model().to(dtype)
    carry = offered(fixture, model, first_carry(fixture, model), 0)
    state = carry.state
    rows_emb = model.puzzle_emb[carry.puzzle_ids] if model.puzzle_emb_len else None
    step = 0
    while f"eval.{step}.logits" in fixture.tensors:
        with torch.no_grad():
            state, output = model(state, carry.inputs, rows_emb)
        yield {"logits": output.logits.transpose(0, 1), "q_halt_logits": output.q_halt}
        step += 1


def test_parity_of_training(fixture: Fixture) -> None:
    runs = [list(training(fixture, dtype)) for dtype in (torch.float32, torch.float64)]
    assert runs[0]
    for step, ((ours, carry, grads), (exact, _, exact_grads)) in enumerate(zip(*runs, strict=True)):
        for name in ("count", "accuracy", "exact_accuracy", "steps"):
            assert getattr(ours, name) == pytest.approx(fixture.scalar(f"train.{step}.{name}"), rel=1e-6), (
                name
            )
        for name in ("loss", "lm_loss", "q_halt_loss"):
            values = (torch.tensor(getattr(run, name), dtype=torch.float64) for run in (ours, exact))
            recorded = torch.tensor(fixture.scalar(f"train.{step}.{name}"), dtype=torch.float64)
            assert_agrees(*values, recorded, 1e-5 * float(recorded.abs()), f"train.{step}.{name}")
        assert torch.equal(carry.halted, fixture.tensors[f"train.{step}.halted"].bool())
        assert torch.equal(carry.steps, fixture.tensors[f"train.{step}.carried_steps"])
        keys = [key for key in fixture.tensors if key.startswith(f"train.{step}.grad.")]
        assert keys
        for key in keys:
            name = our_name(key.removeprefix(f"train.{step}.grad."))
            assert name is not None
            recorded = fixture.tensors[key]
            atol = 1e-4 * float(recorded.abs().max()) + 1e-12
            assert_agrees(
                grads[name].view(recorded.shape), exact_grads[name].view(recorded.shape), recorded, atol, key
            )


def training(fixture: Fixture, dtype: torch.dtype) -> Iterator[tuple[StepResult, Carry, dict[str, Tensor]]]:
    model = fixture.model().to(dtype)
    carry = first_carry(fixture, model)
    no_exploration = torch.zeros(len(carry), dtype=torch.int32)
    step = 0
    while f"train.{step}.loss" in fixture.tensors:
        model.zero_grad()
        carry = offered(fixture, model, carry, step)
        carry, result, _ = backward_step(model, carry, no_exploration, fixture.train, scale=1.0)
        yield result, carry, {name: grad(parameter) for name, parameter in model.named_parameters()}
        step += 1


def grad(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
