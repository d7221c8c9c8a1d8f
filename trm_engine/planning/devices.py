"""What a configuration costs on a graphics processor: its memory there, and the time of a step.

A step there is matrix products at the device's own rate, and numbers that go through its memory between them:
each half of a block reads and writes what it keeps for its way back. What happens between two launches is a
constant. Constants fitted to steps at D 64, 128 and 512 on an H200 (`make bench-gpu`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from trm_engine.config.sections import Config
from trm_engine.hardware.facts import Gpu
from trm_engine.planning.costs import Shape, costs_of, shape_of
from trm_engine.planning.flops import parameters
from trm_engine.planning.memory import Footprint
from trm_engine.text import format_bytes

LONGEST_TILE = 128
"""The longest side of a half block that is one kernel (`trm_engine.models.tiled`)."""
_PRODUCTS = 0.82
"""Share of the rate of large square products that those of a step reach."""
_TILED = 0.23
"""The same of a half block that is one kernel, which moves next to nothing."""
_MOVED = 1.3
"""Times that what a half block keeps goes through memory, each time that it is passed."""
_SECONDS_PER_PASSAGE = 1.5e-5
_SECONDS_PER_STEP = 1.6e-3  # rows drawn and sent, the optimizer, the heads
_WEIGHT_BYTES = 5 * 4 + 3 * 2  # weights, gradients, average and moments in float32; 16-bit twins beside them
_STEP_COPIES = 4 * 4  # of the optimizer's state, while a step may still be undone
_SLACK = 1.05
_BESIDE_BYTES = 600_000_000  # libraries' workspaces, and blocks that two pools keep apart
_DRIVER_BYTES = 1_500_000_000  # of the machine's memory: the driver's libraries, kernels, pinned buffers


@dataclass(frozen=True)
class OnDevice:
    """What a configuration takes on a device."""

    device: str
    """Its name: `cuda:0`."""
    title: str
    """What its maker calls it."""
    precision: str
    """What its products are in."""
    peak_bytes: int
    """The most of its memory that a run holds."""
    memory_bytes: int | None
    """The memory that it has."""
    samples_per_second: float | None
    """Rows trained in a second; None without measured rates."""

    @property
    def fits(self) -> bool:
        """Whether nothing known speaks against it."""
        return self.memory_bytes is None or self.peak_bytes <= self.memory_bytes

    @property
    def problem(self) -> str:
        """Why it does not fit, for a person."""
        return (
            f"needs about {format_bytes(self.peak_bytes)} of the memory of {self.title} ({self.device}), "
            f"which has {format_bytes(self.memory_bytes or 0)}"
        )

    def run_seconds(self, config: Config) -> float | None:
        """Return the time of all training steps; evaluations are short beside them."""
        rate = self.samples_per_second
        return config.train.steps * config.train.batch_size / rate if rate else None


def on_device(config: Config, gpu: Gpu) -> OnDevice:
    """Predict what a configuration takes on a graphics processor."""
    precision: str = config.runtime.precision
    if precision == "auto":
        precision = "exact" if gpu.bf16_gflops is None else "bf16"
    half = precision != "exact"
    return OnDevice(
        device=f"{gpu.kind}:{gpu.number}",
        title=gpu.name,
        precision=precision,
        peak_bytes=_peak_bytes(config, half=half),
        memory_bytes=gpu.memory_bytes,
        samples_per_second=_samples_per_second(config, gpu, half=half),
    )


def beside_device(memory: Footprint) -> Footprint:
    """Return what a process holds of the machine's memory while a device does the rest."""
    base = memory.base + _DRIVER_BYTES
    return Footprint(base, memory.weights, 0, memory.data, training=0, evaluation=0, saving=memory.saving)


def device_of(config: Config, gpus: tuple[Gpu, ...]) -> Gpu | None:
    """Return the graphics processor that a configuration would compute on; None: the processor.

    Where a machine is only described, or `auto` chooses, the first CUDA device that can be used.
    """
    asked = config.runtime.device
    if asked == "auto":
        asked = os.environ.get("TRM_DEVICE") or asked
    usable = [gpu for gpu in gpus if gpu.usable]
    if asked == "auto":
        return next((gpu for gpu in usable if gpu.kind == "cuda"), None)
    name = asked if ":" in asked else f"{asked}:0"
    return next((gpu for gpu in usable if f"{gpu.kind}:{gpu.number}" == name), None)


def _peak_bytes(config: Config, *, half: bool) -> int:
    shape, costs, rows = shape_of(config), costs_of(config), config.micro_batch
    applications, number = costs.applications(config), 2 if half else 4
    whole = 1 if config.runtime.checkpointing else applications
    kept = (
        whole * shape.layers * sum(one.kept for one in _halves(shape, half=half))
        + (applications + 4) * shape.state
    )
    if config.train.recursion_penalty:
        kept += applications * shape.state
    work = 3 * max(shape.width * shape.positions, shape.length_width * shape.size) + 4 * shape.state
    logits = 12 * 8 * config.task.vocab_size * config.task.seq_len
    carried = 2 * costs.carried_states(config) * shape.state * 4 + 24 * config.task.seq_len
    weights = parameters(config) * (_WEIGHT_BYTES + _STEP_COPIES)
    return round(_SLACK * (rows * (number * (kept + work) + logits + carried) + weights)) + _BESIDE_BYTES


def _samples_per_second(config: Config, gpu: Gpu, *, half: bool) -> float | None:
    rate, copies = gpu.bf16_gflops if half else gpu.fp32_gflops, gpu.copy_gb_per_second
    if rate is None or copies is None:
        return None
    shape, costs, rows = shape_of(config), costs_of(config), config.train.batch_size
    parts, number = -(-rows // config.micro_batch), 2 if half else 4
    forward = costs.cycles(config) * costs.applications(config) * shape.layers
    forward *= 2 if costs.looks_ahead(config) else 1
    backward = (3 if config.runtime.checkpointing else 2) * costs.applications(config) * shape.layers
    seconds = 0.0
    for one in _halves(shape, half=half):
        share = _TILED if one.tiled else _PRODUCTS
        moved = 0 if one.tiled else _MOVED * one.kept * number / (copies * 1e9)
        seconds += rows * (one.flops / (share * rate * 1e9) + moved)
    passages = forward + backward
    return rows / (passages * (seconds + parts * _SECONDS_PER_PASSAGE) + parts * _SECONDS_PER_STEP)


@dataclass(frozen=True)
class _Half:
    """Half a block, for one row: operations of a passage, numbers kept, and whether one kernel does it."""

    flops: int
    kept: int
    tiled: bool


def _halves(shape: Shape, *, half: bool) -> tuple[_Half, _Half]:
    """Return both halves of a block.

    A half that is one kernel keeps its output alone. Else a SwiGLU keeps gate, up, their product and the sum
    before the norm; attention q, k, v, rotated copies, the mixed values and the sum.
    """
    state = shape.state
    if shape.length_width:
        tiled = half and shape.positions <= LONGEST_TILE
        kept = state if tiled else 3 * shape.length_width * shape.size + 2 * state
        mixer = _Half(2 * shape.mixer_weights * shape.size, kept, tiled)
    else:
        mixer = _Half(2 * shape.mixer_weights * shape.positions + shape.attention_flops, 8 * state, False)
    tiled = half and shape.size <= LONGEST_TILE
    kept = state if tiled else 3 * shape.width * shape.positions + 2 * state
    return mixer, _Half(2 * shape.mlp_weights * shape.positions, kept, tiled)
