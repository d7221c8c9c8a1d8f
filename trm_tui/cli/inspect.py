"""`check`, `presets` and `hardware`: what there is, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.text import duration, format_bytes, three_digits
from trm_tui.cli import completion
from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, notice, print_facts, print_json, print_table, print_text
from trm_tui.cli.train import SetOption, configured
from trm_tui.shared.gpu import gpu_words

if TYPE_CHECKING:
    from trm_engine.config import Preset
    from trm_engine.hardware import Hardware
    from trm_engine.planning.estimate import Fit
    from trm_tui.workbench.presets import Prospect


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (check, presets, hardware):
        app.command()(command)


def check(
    ctx: typer.Context,
    preset: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|FILE.toml",
            help="A preset's name or a TOML file.",
            autocompletion=completion.presets,
        ),
    ],
    overrides: SetOption = None,
    json: JsonFlag = False,
) -> None:
    """Say what a configuration will cost, and whether it fits the machine. Exit code 4 when it does not."""
    from trm_engine.planning.devices import device_of
    from trm_engine.planning.estimate import estimate, memory_budget
    from trm_engine.training.runs import require_fit
    from trm_engine.tuning.gemm_rate import with_gemm_rate

    name, config = configured(preset, overrides or [])
    machine = with_gemm_rate(settings(ctx).machine())
    fit = estimate(
        config,
        budget_bytes=memory_budget(config, machine),
        gemm_gflops=machine.gemm_gflops,
        gpu=device_of(config, machine.gpus),
    )
    if json:
        print_json({"preset": name, **fit.to_dict()})
    else:
        at_most = "" if fit.parameters_exact else "at most "  # its text has the last word
        print_facts(
            _fit_facts(fit, at_most, machine), title=f"{name} on {machine.title or machine.cpu.model}"
        )
    require_fit(config, machine)


def _fit_facts(fit: Fit, at_most: str, machine: Hardware) -> Iterator[tuple[str, object]]:
    yield (
        "parameters",
        f"{at_most}{fit.parameters:,}"
        + (f" and {fit.puzzle_parameters:,} in puzzle embeddings" if fit.puzzle_parameters else ""),
    )
    yield "work", f"{fit.flops_per_sample / 1e9:.3g} GFLOP a sample, {fit.flops_per_step / 1e9:.3g} a step"
    budget = format_bytes(fit.budget_bytes) if fit.budget_bytes is not None else "unknown"
    yield "peak memory", f"about {format_bytes(fit.peak_rss_bytes)} of {budget}"
    if fit.device is not None:
        there = format_bytes(fit.device.memory_bytes) if fit.device.memory_bytes else "unknown"
        yield "computes on", f"{fit.device.title} ({fit.device.device}), {fit.device.precision}"
        yield "memory there", f"about {format_bytes(fit.device.peak_bytes)} of {there}"
    if fit.samples_per_second and fit.seconds:
        speed = three_digits(fit.samples_per_second)
        planned = "" if fit.device else f", planned with {fit.gemm_gflops:.0f} GFLOP/s"
        yield "speed", f"about {speed} samples/s{planned}"
        from trm_tui.shared.rates import disturbance

        if disturbed := disturbance(machine):
            yield "", disturbed
        epoch = f"{duration(fit.epoch_seconds)} an epoch, " if fit.epoch_seconds else ""
        yield "time", f"about {epoch}{duration(fit.seconds)} to the last step"
    yield "verdict", "fits" if fit.fits else "does not fit"


def presets(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Print this one as TOML.", autocompletion=completion.presets)
    ] = None,
    json: JsonFlag = False,
) -> None:
    """List your presets, recent ones and shipped ones, or print one as TOML."""
    from trm_engine.config import dumps, find_preset
    from trm_engine.monitoring.monitor import Sample
    from trm_engine.paths import presets_folder
    from trm_engine.tuning.gemm_rate import with_gemm_rate
    from trm_tui.workbench.editor.machine import this_machine
    from trm_tui.workbench.presets import list_all, prospect

    if name is not None:
        found = find_preset(name)
        if json:
            print_json({"name": found.name, "path": str(found.path), "config": found.config.model_dump()})
        else:
            print_text(dumps(found.config))
        return
    machine = this_machine(with_gemm_rate(settings(ctx).machine()), Sample(0.0), None)
    everything, problems = list_all(settings(ctx).store())
    for problem in problems:
        notice(f"warning: {problem}")
    if json:
        print_json([_preset_facts(preset, prospect(preset.config, machine)) for preset in everything])
        return
    titles = {"yours": f"yours, in {presets_folder()}", "recent": "recent", "shipped": "shipped"}
    for group, title in titles.items():
        rows = [
            _preset_row(preset, prospect(preset.config, machine))
            for preset in everything
            if preset.group == group
        ]
        if rows:
            print_table(_SHIPPED if group == "shipped" else _OWN, rows, title=title)
    basis = f" ({machine.rate.gflops:.0f} GFLOP/s, {machine.rate.source})" if machine.rate else ""
    notice(f"times are predicted from this machine's rate{basis}; trm-tui presets NAME shows one in full")


_COSTS = (">params", ">memory", ">whole run here", "data")
_SHIPPED = ("preset", *_COSTS, "reaches", "measured in")
_OWN = ("preset", *_COSTS, "what it is")


def _preset_facts(preset: Preset, found: Prospect) -> dict[str, object]:
    from trm_engine.planning.expectation import expectation_of

    expected = expectation_of(preset.config)
    return {
        "name": preset.name,
        "group": preset.group,
        "path": str(preset.path),
        "title": preset.config.title,
        "expect": preset.config.expect,
        "reaches": expected.reached,
        "seconds_here": expected.seconds(preset.config, found.rate.gflops if found.rate else None),
        "parameters": found.parameters,
        "memory_bytes": found.memory_bytes,
        "fits": found.fits,
        "run_seconds_here": found.seconds,
        "data": found.data.state,
        "download_bytes": found.data.size if found.data.state == "download" else None,
    }


def _preset_row(preset: Preset, found: Prospect) -> tuple[str, ...]:
    """Return a preset on one line: what it is, what it takes here, what it reaches and where that was."""
    from trm_engine.planning.expectation import expectation_of
    from trm_tui.workbench.browser.columns import short_count
    from trm_tui.workbench.presets import about

    expected = expectation_of(preset.config)
    said = (expected.reached, expected.measured) if preset.group == "shipped" else (about(preset),)
    return (
        preset.name,
        f"{'≤ ' if found.at_most else ''}{short_count(found.parameters)}",
        f"{format_bytes(found.memory_bytes)}{'' if found.fits else ' (too much)'}",
        duration(found.seconds) if found.seconds else "unknown",
        str(found.data),
        *said,
    )


def hardware(ctx: typer.Context, json: JsonFlag = False) -> None:
    """Show what was detected of this machine or the one that --hardware names, and what is chosen for it."""
    from trm_engine.config import RuntimeConfig
    from trm_engine.tuning.cache import TuningCache
    from trm_engine.tuning.choices import choose_threads, decisions
    from trm_engine.tuning.gemm_rate import with_gemm_rate

    machine = with_gemm_rate(settings(ctx).machine())
    chosen = [*decisions(RuntimeConfig()), choose_threads(0, machine)[1]]
    trials = TuningCache().trials()
    if json:
        made = {"decisions": [asdict(decision) for decision in chosen]}
        print_json({**machine.to_dict(), **made, "trials": [asdict(trial) for trial in trials]})
    else:
        print_facts(_hardware_facts(machine), title=machine.title or machine.cpu.model)
        print_facts([(d.subject, f"{d.choice} ({d.reason})") for d in chosen], title="chosen for it")
        if trials:
            print_table(
                ("measured in trial steps", "setting", "how fast", "when"),
                [(trial.shape, trial.setting, str(trial), trial.measured) for trial in trials],
            )


def _hardware_facts(machine: Hardware) -> Iterator[tuple[str, object]]:
    cpu, memory, torch, system = machine.cpu, machine.memory, machine.torch, machine.os
    yield "processor", f"{cpu.model} ({cpu.vendor}, {cpu.architecture})"
    yield "cores", f"{_known(cpu.physical_cores)} physical, {_known(cpu.logical_cores)} logical"
    if cpu.performance_cores or cpu.efficiency_cores:
        yield (
            "kinds of core",
            f"{_known(cpu.performance_cores)} fast, {_known(cpu.efficiency_cores)} efficient",
        )
    quota = f"; a quota of {cpu.quota_cores:g}" if cpu.quota_cores else ""
    yield "cores for this process", f"{_known(cpu.usable_physical_cores)} physical{quota}"
    yield "vector extensions", " ".join(cpu.extensions) or "unknown"
    sizes = (cpu.caches.l1d_bytes, cpu.caches.l2_bytes, cpu.caches.l3_bytes)
    yield "caches", ", ".join(f"L{level} {_size(size)}" for level, size in enumerate(sizes, 1))
    yield (
        "memory",
        f"{_size(memory.effective_total_bytes)}, {_size(memory.effective_available_bytes)} available",
    )
    limit = _size(memory.limit_bytes) if memory.limit_bytes is not None else "none"
    yield "container limit", limit
    yield "swap", f"{_size(memory.swap_used_bytes)} of {_size(memory.swap_total_bytes)} used"
    for gpu in machine.gpus:
        yield gpu.kind.upper(), gpu_words(gpu)
    if machine.power.battery_percent is not None:
        source = "plugged in" if machine.power.plugged_in else "on battery"
        yield "battery", f"{machine.power.battery_percent:.0f} %, {source}"
    yield (
        "torch",
        f"{torch.version} · BLAS {torch.blas} · kernels {torch.cpu_capability} · OpenMP {torch.openmp}",
    )
    yield "system", f"{system.name} {system.version} · Python {system.python}"


def _known(value: object) -> str:
    return "unknown" if value is None else str(value)


def _size(count: int | None) -> str:
    return "unknown" if count is None else format_bytes(count)
