"""`bench`: what this machine makes of the engine."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from trm_engine.text import three_digits
from trm_tui.cli.terminal.output import JsonFlag, print_json, print_table, print_text

_SECONDS = 110.0  # for all shapes
_LIBRARIES = ("default", "onednn", "bf16")


class Shape(str, enum.Enum):
    """The standard shapes; see `trm_engine.tuning.bench.shapes`."""

    ATTENTION_512 = "attention-512"
    ATTENTION_128 = "attention-128"
    MLP_512 = "mlp-512"
    MLP_256 = "mlp-256"
    MLP_64 = "mlp-64"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(bench)


def bench(
    shape: Annotated[Shape | None, typer.Option(help="Only this shape; default: all.")] = None,
    precision: Annotated[
        Literal["exact", "auto"],
        typer.Option(help="float32, or the faster precision that is measured here (auto)."),
    ] = "exact",
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="Steps of each kind; medians count.")] = 7,
    json: JsonFlag = False,
) -> None:
    """Measure training steps at standard shapes, against plain PyTorch and this CPU's matrix products."""
    from trm_engine.tuning.bench.compare import SECONDS, compare
    from trm_tui.cli.terminal.printers import ProgressPrinter

    seconds = SECONDS if shape else _SECONDS / len(Shape)
    with ProgressPrinter(summary=False) as printer:
        measured = [
            compare(
                each.value, precision=precision, rounds=rounds, progress=printer.preparing, seconds=seconds
            )
            for each in ([shape] if shape else Shape)
        ]
    if json:
        print_json([comparison.to_dict() for comparison in measured])
        return
    print_table(
        (
            "shape",
            ">samples/s",
            ">plain PyTorch",
            ">speed-up",
            ">GFLOP/s",
            ">of GEMM rate",
            ">GEMM fp32",
            ">oneDNN",
            ">bf16",
            ">puzzles solved/s",
            ">halting early",
        ),
        [
            (
                c.shape,
                three_digits(c.samples_per_second),
                three_digits(c.plain_samples_per_second),
                f"{c.speedup:.2f}×",
                f"{c.gflops:,.0f}",
                "-" if c.share_of_gemm_rate is None else f"{c.share_of_gemm_rate:.0%}",
                *(f"{c.gemm_gflops[name]:,.0f}" if name in c.gemm_gflops else "-" for name in _LIBRARIES),
                *_solving(c.solving),
            )
            for c in measured
        ],
    )
    for each in measured:
        if each.skipped:
            print_text(f"{each.shape}: not measured, for it would take too long: {'; '.join(each.skipped)}")


def _solving(rates: Mapping[str, float] | None) -> tuple[str, str]:
    if rates is None:
        return "-", "-"
    fixed = f"{three_digits(rates['fixed'])} in {rates['steps']} steps"
    return fixed, f"{three_digits(rates['early'])} in {rates['ran_steps']:.1f}"
