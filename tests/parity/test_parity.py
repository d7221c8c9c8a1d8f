"""The engine agrees with numbers recorded from the published TRM code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from parity_fixtures import (
    CASES,
    DEVICE,
    Fixture,
    assert_agrees,
    assert_evaluation_agrees,
    first_carry,
)
from torch import Tensor

from trm_engine.compute.kernels import kernels_problem
from trm_engine.interop.weight_names import our_name
from trm_engine.learning.step import PuzzleRows, supervision_step
from trm_engine.models.carry import Carry

if DEVICE.type != "cpu":  # torch's compiler warns of its own parts that are to go
    pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture(params=["plain", "fused", "compiled"])
def fixture(request: pytest.FixtureRequest, case: Path) -> Fixture:
    if request.param != "compiled":
        return Fixture(case, fused=request.param == "fused")
    if (why := kernels_problem()) is not None:
        pytest.skip(why)
    return Fixture(case, fused=True, kernels="compiled")


def test_parity_of_evaluation(fixture: Fixture) -> None:
    assert_evaluation_agrees(fixture, fixture.model(), fixture.model())


def test_parity_of_training(fixture: Fixture) -> None:
    runs = [list(training(fixture, dtype)) for dtype in (torch.float32, torch.float64)]
    assert runs[0]
    for step, ((ours, carry, grads), (exact, _, exact_grads)) in enumerate(zip(*runs, strict=True)):
        for name in ("count", "accuracy", "exact_accuracy", "steps"):
            assert ours[name] == pytest.approx(fixture.scalar(f"train.{step}.{name}"), rel=1e-6), name
        for name in ("loss", "lm_loss", "q_halt_loss"):
            values = (torch.tensor(run[name], dtype=torch.float64) for run in (ours, exact))
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


def training(
    fixture: Fixture, dtype: torch.dtype
) -> Iterator[tuple[dict[str, float], Carry, dict[str, Tensor]]]:
    model = fixture.model().to(dtype)
    carry = first_carry(fixture, model)
    least = torch.zeros(len(carry), dtype=torch.int32, device=DEVICE)
    step = 0
    while f"train.{step}.loss" in fixture.tensors:
        model.zero_grad()
        rows = PuzzleRows(carry, fixture.fresh(step), least, fixture.train.halt_max_steps)
        result = supervision_step(model, rows, fixture.train, weight=1.0)
        carry = result.carry
        yield (
            result.sums.figures(),
            carry,
            {name: grad(parameter) for name, parameter in model.named_parameters()},
        )
        step += 1


def grad(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
