"""`generate`: have a text model write."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trm_engine.text import safe_text
from trm_tui.cli.solving.models import CheckpointOption, load_model
from trm_tui.cli.terminal.output import JsonFlag, notice, print_json
from trm_tui.cli.train import SessionArgument


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(generate)


def generate(
    ctx: typer.Context,
    session: SessionArgument,
    start: Annotated[
        str, typer.Option(metavar="TEXT", help="What the text begins with; default: a line break.")
    ] = "",
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Texts to write.")] = 1,
    temperature: Annotated[
        float,
        typer.Option(min=0, max=100, help="Lower is more predictable; 0 always takes the most likely."),
    ] = 0.8,
    top_k: Annotated[
        int, typer.Option(min=0, max=65535, help="Sample from the k most likely characters; 0: no limit.")
    ] = 0,
    max_tokens: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Characters of each text, after its start.")
    ] = 500,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Random seed: the same seed gives the same texts.")
    ] = 0,
    checkpoint: CheckpointOption = None,
    json: JsonFlag = False,
) -> None:
    """Generate text with a trained text model, printed as it is generated."""
    from trm_engine.inference.generate import Sampling
    from trm_engine.inference.text_model import TextModel

    model = load_model(ctx, session, checkpoint, TextModel)
    begin = model.check_start(start)
    sampling = Sampling(temperature, top_k, max_tokens, seed)
    for number in range(samples):
        written = model.write(begin, sampling, number)
        if json:
            about = {"session": model.session, "step": model.step, "sample": number, "seed": seed}
            print_json({**about, "start": begin, "text": "".join(written)})
            continue
        if samples > 1:
            notice(f"— sample {number + 1} of {samples} —")
        _stream(start)
        for character in written:
            _stream(character)
        _stream("\n")


def _stream(text: str) -> None:
    sys.stdout.write(safe_text(text))
    sys.stdout.flush()
