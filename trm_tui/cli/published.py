"""`import-checkpoint` and `export-checkpoint`: weights in the published code's own format."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from trm_tui.cli.context import settings
from trm_tui.cli.models import CheckpointOption
from trm_tui.cli.output import JsonFlag, notice, print_json, print_text
from trm_tui.cli.train import SessionArgument, SetOption


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import-checkpoint")(import_checkpoint)
    app.command("export-checkpoint")(export_checkpoint)


def import_checkpoint(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Published weights: a .pt file with a state_dict.")],
    preset: Annotated[
        str,
        typer.Option(metavar="PRESET|FILE.toml", help="The task and model that the weights are of."),
    ],
    overrides: SetOption = None,
    name: Annotated[str, typer.Option(help="A name for the session.")] = "",
    json: JsonFlag = False,
) -> None:
    """Make a session of published weights: evaluate them, watch them, train them further."""
    from trm_engine.config import apply, find_preset
    from trm_engine.interop.checkpoints import import_published

    found = find_preset(preset)
    config = apply(found.config, overrides or [])
    done = import_published(settings(ctx).store(), config, file, preset=found.name, name=name)
    for warning in done.warnings:
        notice(f"warning: {warning}")
    if json:
        print_json({"file": str(file), **asdict(done)})
    else:
        print_text(f"imported {done.session} ({done.parameters:,} weights)")


def export_checkpoint(
    ctx: typer.Context,
    session: SessionArgument,
    file: Annotated[Path, typer.Argument(help="The file to write; must not exist.")],
    checkpoint: CheckpointOption = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The weights as training left them, not their moving average.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Write a session's weights as the published code saves them."""
    from trm_engine.interop.checkpoints import export_published

    done = export_published(settings(ctx).store(), session, file, checkpoint=checkpoint, raw=raw)
    for warning in done.warnings:
        notice(f"warning: {warning}")
    if json:
        print_json({"file": str(file), "raw": raw, **asdict(done)})
    else:
        print_text(f"wrote {done.parameters:,} weights of {done.session}, step {done.step}, to {file}")
