"""Recorded runs of the published TRM code, and how close the engine must come to them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import safe_open
from torch import Tensor

from trm_engine.config.sections import ModelConfig, RuntimeConfig, TrainConfig
from trm_engine.interop.weight_names import from_published
from trm_engine.learning.step import Fresh, refill
from trm_engine.models.carry import Carry
from trm_engine.models.layers import use_kernels
from trm_engine.models.trm import TRM

FOLDER = Path(os.environ.get("TRM_PARITY_DIR") or Path(__file__).parent)
CASES = sorted(FOLDER.glob("*.safetensors"))
assert CASES, f"no fixtures in {FOLDER}"
DEVICE = torch.device(os.environ.get("TRM_PARITY_DEVICE") or "cpu")
"""Where the engine computes; recordings stay what they are."""
ROUNDINGS = 8  # two processors' rounding errors, amplified by recursion, differ by several times


class Fixture:
    def __init__(self, path: Path, *, fused: bool, kernels: Literal["fused", "compiled"] = "fused") -> None:
        self.fused = fused
        self.kernels = kernels
        with safe_open(path, framework="pt") as file:
            self.published: dict[str, Any] = json.loads(file.metadata()["config"])
            self.tensors: dict[str, Tensor] = {
                key: file.get_tensor(key).to(DEVICE)
                for key in file.keys()  # noqa: SIM118
            }
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

    def model_config(self) -> ModelConfig:
        published = self.published
        return ModelConfig(
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

    def model(self) -> TRM:
        published, config = self.published, self.model_config()
        needed = -(-published["puzzle_emb_ndim"] // published["hidden_size"])
        model = TRM(
            config,
            vocab_size=published["vocab_size"],
            seq_len=published["seq_len"],
            puzzle_emb_len=published["puzzle_emb_len"] or needed,
            num_puzzle_ids=published["num_puzzle_identifiers"],
            generator=torch.Generator().manual_seed(1),
        )
        # Fused operations are for processors; elsewhere what is compiled takes their place.
        model.to(DEVICE)
        compiled = self.fused and DEVICE.type != "cpu"
        runtime = RuntimeConfig(tuning="auto" if self.fused else "off", kernels=self.kernels)
        use_kernels(model, runtime, compiled=compiled)
        missing = model.load_state_dict(from_published(self.weights), strict=False)
        assert missing.unexpected_keys == []
        assert set(missing.missing_keys) <= {"puzzle_emb", "y_init"}
        return model

    def fresh(self, step: int) -> Fresh:
        """The rows of batch `step`, of which those that halted take theirs."""
        names = ("inputs", "labels", "puzzle_identifiers")
        inputs, labels, puzzle_ids = (self.tensors[name][step] for name in names)
        return Fresh(inputs.int(), labels.long(), puzzle_ids.long())

    def scalar(self, key: str) -> float:
        return float(self.tensors[key].reshape(-1)[0])


def offered(fixture: Fixture, model: TRM, carry: Carry, step: int) -> Carry:
    return refill(model, carry, fixture.fresh(step))


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


def evaluation(fixture: Fixture, model: TRM, dtype: torch.dtype) -> Iterator[dict[str, Tensor]]:
    """The outputs of `model` on the puzzles of the recording, supervision step by supervision step."""
    model = model.to(dtype)
    carry = offered(fixture, model, first_carry(fixture, model), 0)
    state = carry.state
    rows_emb = model.puzzle_emb[carry.puzzle_ids] if model.puzzle_emb_len else None
    step = 0
    while f"eval.{step}.logits" in fixture.tensors:
        with torch.no_grad():
            state, output = model(state, carry.inputs, rows_emb)
        yield {"logits": output.logits.transpose(0, 1), "q_halt_logits": output.q_halt}
        step += 1


def assert_evaluation_agrees(fixture: Fixture, single: TRM, double: TRM) -> None:
    """Hold what two copies of a model say, computing in float32 and float64, to the recording."""
    runs = [
        list(evaluation(fixture, single, torch.float32)),
        list(evaluation(fixture, double, torch.float64)),
    ]
    assert runs[0]
    for step, (ours, exact) in enumerate(zip(*runs, strict=True)):
        for name in ("logits", "q_halt_logits"):
            key = f"eval.{step}.{name}"
            assert_agrees(ours[name], exact[name], fixture.tensors[key], 1e-4, key)
