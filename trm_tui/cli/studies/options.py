"""What the commands of `studies` have in common: what is meant, and on which machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_tui.cli.terminal.context import Settings

if TYPE_CHECKING:
    from trm_engine.hardware import Hardware
    from trm_engine.studies.forecast import Forecast
    from trm_engine.studies.plan import Plan

StudyArgument = Annotated[
    str,
    typer.Argument(
        metavar="SUITE|STUDY|EXPERIMENT|FILE.toml", help="laptop, laptop/exp01, laptop/exp01a, a file."
    ),
]
PatternOption = Annotated[
    str, typer.Option(metavar="GLOB", help="Only experiments whose name fits, such as 'exp01*'.")
]
SeedsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1000, help="Seeds 0 … N−1 for each experiment, instead of the study's own."),
]
CorrectedFlag = Annotated[
    bool, typer.Option("--corrected", help="Apply the corrections that a study's file lists for its design.")
]
ParallelOption = Annotated[
    str, typer.Option(metavar="N|auto", help="Trials that run at once; auto: one a physical core.")
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="WHERE",
        help="Where trials run: local, ray, ray://HOST:PORT, slurm, or slurm:local to try that out.",
    ),
]


@dataclass(frozen=True)
class Planned:
    """A plan and what the machine, or the machines that it is to run `on`, make of it."""

    plan: Plan
    machine: Hardware
    workers: int
    threads: int
    forecast: Forecast
    on: str = "local"

    @property
    def here(self) -> bool:
        """Whether trials run on this machine, which is all that is known beforehand."""
        return self.on == "local"


def planned(
    chosen: Settings,
    name: str,
    *,
    pattern: str,
    seeds: int | None,
    overrides: list[str] | None,
    corrected: bool,
    parallel: str = "auto",
    on: str = "local",
) -> Planned:
    """Resolve and check what is meant, and predict what it takes here."""
    from trm_engine.hardware import detect
    from trm_engine.studies.catalogue import select
    from trm_engine.studies.forecast import Forecast
    from trm_engine.studies.plan import build_plan
    from trm_engine.tuning.choices import choose_threads
    from trm_engine.tuning.gemm_rate import with_gemm_rate

    selection = select(name, pattern)
    plan = build_plan(selection, seeds=seeds, overrides=overrides or [], corrected=corrected)
    machine = with_gemm_rate(chosen.machine())
    cores = choose_threads(0, machine)[0]
    if on != "local":
        # Each takes a processor, unless its settings say more; how many there are the scheduler knows.
        workers = _workers(parallel, len(plan.trials))
        rate = machine.gemm_gflops and machine.gemm_gflops / cores * workers
        return Planned(plan, machine, workers, 1, Forecast(rate, workers), on)
    workers = _workers(parallel, cores)

    def available() -> int | None:
        return detect(with_torch=False).memory.effective_available_bytes

    forecast = Forecast(machine.gemm_gflops, workers, available_bytes=available)
    return Planned(plan, machine, workers, max(1, cores // workers), forecast)


def _workers(parallel: str, cores: int) -> int:
    if parallel == "auto":
        return cores
    if not parallel.isdigit() or not 1 <= int(parallel) <= 1024:
        raise UsageError(f'--parallel {parallel}: a number from 1 to 1024, or "auto"')
    return int(parallel)
