"""`data describe`: what a person should know of a task's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from trm_tui.cli.terminal.output import JsonFlag, notice, print_facts, print_json, print_table
from trm_tui.cli.train import SetOption


def register(app: typer.Typer) -> None:
    """Add the command to `data`."""
    app.command()(describe)


def describe(
    preset: Annotated[str, typer.Argument(metavar="PRESET|FILE.toml", help="Whose task it is.")],
    data: Annotated[
        str, typer.Option(metavar="FILE", help="Show these puzzles beside them: a list or a dataset folder.")
    ] = "",
    overrides: SetOption = None,
    json: JsonFlag = False,
) -> None:
    """Say where a preset's data come from, how many they are, what "unseen" means, and their statistics."""
    import trm_engine.tasks
    from trm_engine.config import apply, find_preset
    from trm_engine.errors import UsageError
    from trm_engine.tasks.base import PuzzleTask

    config = apply(find_preset(preset).config, overrides or []).task
    task = trm_engine.tasks.build_task(config)
    figures: dict[str, Mapping[str, float]] = {}
    if isinstance(task, PuzzleTask):
        # The file first: what is wrong with it is said before anything is generated.
        beside = task.load(data) if data else None
        for note in () if beside is None else beside.notes:
            notice(note)
        figures = {"training": task.statistics(task.train), "test": task.statistics(task.test)}
        if beside is not None:
            figures[data] = task.statistics(beside) or {"puzzles": len(beside)}
    elif data:
        raise UsageError(f'--data: a "{config.kind}" task has no puzzles to compare')
    if json:
        print_json({"preset": preset, "facts": task.facts, "statistics": figures})
        return
    print_facts(task.facts.items(), title=preset)
    names = list(dict.fromkeys(name for part in figures.values() for name in part))
    if names:
        print_table(
            ("figure", *(f">{part}" for part in figures)),
            [
                (name, *(_number(part[name]) if name in part else "—" for part in figures.values()))
                for name in names
            ],
        )


def _number(value: float) -> str:
    return f"{value:,.4g}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"
