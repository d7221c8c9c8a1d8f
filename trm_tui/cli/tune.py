"""`tune`: what computes fastest here, measured anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from trm_tui.cli import completion
from trm_tui.cli.terminal.output import JsonFlag, print_facts, print_json
from trm_tui.cli.train import SetOption


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(tune)


def tune(
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
    """Measure what computes fastest here at the shapes of a configuration; later runs of it use that.

    A run does the same when it meets shapes for the first time. Do it on a quiet machine.
    """
    import trm_engine.tasks
    from trm_engine.config import apply, find_preset
    from trm_engine.hardware import detect
    from trm_engine.learning.build import build_learner
    from trm_engine.training.runs import require_fit
    from trm_engine.tuning.cache import TuningCache
    from trm_engine.tuning.tuner import tune as tune_learner
    from trm_tui.cli.terminal.printers import ProgressPrinter

    found = find_preset(preset)
    config = apply(found.config, overrides or [])
    hardware = detect(with_torch=True)
    require_fit(config, hardware)
    with ProgressPrinter(summary=False) as printer:
        learner = build_learner(config, trm_engine.tasks.build_task(config.task, printer.preparing))
    tuned = tune_learner(learner, hardware, cache=TuningCache(fresh=True))
    if json:
        print_json({"preset": found.name, "decisions": [asdict(decision) for decision in tuned.decisions]})
    else:
        print_facts([(d.subject, f"{d.choice} ({d.reason})") for d in tuned.decisions], title=found.name)
