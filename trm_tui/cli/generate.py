"""`generate`: have a text model write."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trm_engine.text import safe_text
from trm_tui.cli.context import settings
from trm_tui.cli.output import JsonFlag, notice, print_json
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
        typer.Option(min=0, max=100, help="Lower is more predictable; 0 always takes the likeliest."),
    ] = 0.8,
    top_k: Annotated[
        int, typer.Option(min=0, max=65535, help="Draw from the so many likeliest characters; 0: from all.")
    ] = 0,
    max_tokens: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Characters of each text, after its start.")
    ] = 500,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Start of the randomness: the same, the same texts.")
    ] = 0,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="STEP|best", help="Which checkpoint; default: the newest.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write text with a model that has learned some, shown as it comes."""
    from trm_engine.inference.generate import Sampling, check_start
    from trm_engine.inference.generate import generate as write
    from trm_engine.inference.load_text import load_text

    model = load_text(settings(ctx).store(), session, checkpoint)
    for warning in model.warnings:
        notice(f"warning: {warning}")
    begin = check_start(model.vocabulary, start)
    sampling = Sampling(temperature, top_k, max_tokens, seed)
    for number in range(samples):
        written = write(model.network, model.vocabulary, begin, sampling, number)
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
