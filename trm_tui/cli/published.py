"""`import-checkpoint` and `export-checkpoint`: weights in the published code's own format."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_tui.cli import completion
from trm_tui.cli.solving.models import CheckpointOption
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, notice, print_json, print_text
from trm_tui.cli.train import SessionArgument, SetOption

if TYPE_CHECKING:
    from trm_engine.sessions import Store

_PUBLISHED = ("sudoku-extreme", "sudoku-extreme-attention", "maze-hard", "arc-1", "arc-2")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import-checkpoint")(import_checkpoint)
    app.command("export-checkpoint")(export_checkpoint)


def import_checkpoint(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            parser=user_path, metavar="FILE", help="Published weights: a .pt file with a state_dict."
        ),
    ],
    preset: Annotated[
        str,
        typer.Option(
            metavar="PRESET|FILE.toml",
            help="The task and model that the weights are of.",
            autocompletion=completion.presets,
        ),
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
    file: Annotated[
        Path, typer.Argument(parser=user_path, metavar="FILE", help="The file to write; must not exist.")
    ],
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


def session_of_weights(store: Store, file: Path) -> str:
    """Return the session that a file of published weights has become, importing it where there is none yet.

    The published presets are tried one after the other. Raises `UsageError` when the weights are of none.
    """
    from trm_engine.config import find_preset
    from trm_engine.interop.checkpoints import import_published
    from trm_engine.interop.weights_file import origin_of

    digest = origin_of(file).sha256
    for record in store.list():
        if record.origin is not None and record.origin.sha256 == digest:
            return record.id

    def attempt(name: str) -> str | UsageError:
        try:
            return import_published(store, find_preset(name).config, file, preset=name).session
        except UsageError as error:
            return error

    reasons = []
    for name in _PUBLISHED:
        found = attempt(name)
        if isinstance(found, str):
            return found
        reasons.append(f"{name}: {str(found).splitlines()[0]}")
    raise UsageError("\n".join([f"{file} holds weights of none of the published presets:", *reasons]))
