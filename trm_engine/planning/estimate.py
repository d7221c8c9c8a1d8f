"""What a configuration will cost before it runs: parameters, operations, memory, time; and does it fit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trm_engine.config.sections import Config, TaskConfig
from trm_engine.hardware.facts import Gpu, Hardware
from trm_engine.planning.alternatives import alternatives
from trm_engine.planning.costs import costs_of
from trm_engine.planning.devices import OnDevice, beside_device, on_device
from trm_engine.planning.flops import parameters, puzzle_parameters, training_flops
from trm_engine.planning.memory import Footprint, footprint
from trm_engine.planning.time import run_seconds, step_seconds
from trm_engine.remedies import ChangeSettings
from trm_engine.text import format_bytes


@dataclass(frozen=True)
class Fit:
    """What a configuration will cost, and whether that can be had."""

    parameters: int
    """Trained weights, without puzzle embeddings."""
    parameters_exact: bool
    """Do the settings alone decide how many they are? Else there are at most so many."""
    puzzle_parameters: int
    """Weights of the puzzle embeddings."""
    flops_per_sample: int
    """Floating-point operations of one supervision step of one row, with its backward pass."""
    flops_per_step: int
    """The same for the whole batch."""
    memory: Footprint
    """Bytes by what holds them."""
    peak_rss_bytes: int
    """The most memory the process will hold."""
    budget_bytes: int | None
    """The memory there is for it; None: unknown."""
    gemm_gflops: float | None
    """The rate of matrix products that times are planned with; None: unknown."""
    samples_per_second: float | None
    """Rows trained in a second, each through one supervision step; None without a rate."""
    epoch_seconds: float | None
    """Time in which as many rows are trained as there are training examples; None where not known."""
    seconds: float | None
    """Length of the run with its evaluations; None without a rate."""
    device: OnDevice | None = None
    """What it takes on the graphics processor that it would compute on; None: the processor computes."""
    problems: tuple[str, ...] = ()
    """Why it does not fit; empty when it does, or when the budget is not known."""
    alternatives: tuple[ChangeSettings, ...] = ()
    """Changes of settings each of which makes it fit."""

    @property
    def fits(self) -> bool:
        """Whether nothing known speaks against running it."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        alternatives = [dict(change.settings) for change in self.alternatives]
        return {**asdict(self), "alternatives": alternatives, "fits": self.fits}


def estimate(
    config: Config,
    *,
    budget_bytes: int | None = None,
    gemm_gflops: float | None = None,
    num_puzzle_ids: int | None = None,
    ranks: int = 1,
    gpu: Gpu | None = None,
) -> Fit:
    """Predict what `config` costs, and name alternatives where it does not fit `budget_bytes`.

    `gemm_gflops`: rate of fp32 matrix products. `num_puzzle_ids`: rows of the puzzle embedding, where the
    data have been read; else as many as the task's settings allow for. `gpu`: what computes, if it is not the
    processor (`device_of`); memory is then what stays beside it. `ranks`: processes here that share the rows.
    """
    if num_puzzle_ids is None:
        num_puzzle_ids = config.task.num_puzzle_ids
    ids, device = num_puzzle_ids, None if gpu is None else on_device(config, gpu)

    def held(by: Config) -> Footprint:
        memory = _memory(by, ids, ranks)
        return memory if gpu is None else beside_device(memory)

    memory = held(config)
    per_sample, rows = training_flops(config), config.train.batch_size
    speed = rows / step_seconds(config, gemm_gflops) if gemm_gflops else None
    seconds = run_seconds(config, gemm_gflops) if gemm_gflops else None
    if device is not None:
        speed, seconds = device.samples_per_second, device.run_seconds(config)

    def fits(other: Config) -> bool:
        here = budget_bytes is None or held(other).peak <= budget_bytes
        return here and (gpu is None or on_device(other, gpu).fits)

    problems: tuple[str, ...] = ()
    if budget_bytes is not None and memory.peak > budget_bytes:
        problems = (_too_large(config, memory, budget_bytes),)
    if device is not None and not device.fits:
        problems = (*problems, device.problem)
    smaller: tuple[ChangeSettings, ...] = alternatives(config, fits) if problems else ()
    return Fit(
        parameters=parameters(config),
        parameters_exact=costs_of(config).exact,
        puzzle_parameters=puzzle_parameters(config, num_puzzle_ids),
        flops_per_sample=per_sample,
        flops_per_step=per_sample * rows,
        memory=memory,
        peak_rss_bytes=memory.peak,
        budget_bytes=budget_bytes,
        gemm_gflops=gemm_gflops,
        samples_per_second=speed,
        epoch_seconds=_epoch_seconds(config.task, speed),
        seconds=seconds,
        device=device,
        problems=problems,
        alternatives=smaller,
    )


def memory_budget(config: Config, hardware: Hardware, *, held_bytes: int = 0) -> int | None:
    """Return the memory a run may plan with: the configured budget, else what the machine has available.

    `held_bytes`: what this process holds already; the estimate counts it, and the machine's figure does not.
    """
    if config.memory.budget_gb:
        return round(config.memory.budget_gb * 1e9)
    available = hardware.memory.effective_available_bytes
    return available + held_bytes if available is not None else None


def _memory(config: Config, num_puzzle_ids: int, ranks: int) -> Footprint:
    return footprint(
        config,
        micro_batch=config.micro_batch,
        examples=_examples(config.task),
        num_puzzle_ids=num_puzzle_ids,
        ranks=ranks,
    )


def _examples(task: TaskConfig) -> int:
    """Return the examples that a task's settings say it holds; 0 where it has no such settings."""
    sizes = (getattr(task, name, 0) for name in ("train_size", "test_size"))
    return sum(size for size in sizes if isinstance(size, int))


def _epoch_seconds(task: TaskConfig, samples_per_second: float | None) -> float | None:
    examples = getattr(task, "train_size", None)
    return examples / samples_per_second if samples_per_second and isinstance(examples, int) else None


def _too_large(config: Config, memory: Footprint, budget: int) -> str:
    largest = max(
        (memory.training, f"training {config.micro_batch} rows at once"),
        (memory.evaluation, f"evaluating {config.eval.batch_size} puzzles at once"),
        (memory.weights, "weights and optimizer"),
        (memory.data, "the examples"),
        (memory.base, "Python and torch"),
    )
    return (
        f"needs about {format_bytes(memory.peak)} of memory and may use {format_bytes(budget)}; "
        f"most of it, {format_bytes(largest[0])}, is for {largest[1]}"
    )
