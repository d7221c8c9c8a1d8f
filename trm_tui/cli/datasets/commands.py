"""`data …`: puzzles as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trm_tui.cli import completion
from trm_tui.cli.datasets import fetch
from trm_tui.cli.lazy import group
from trm_tui.cli.terminal.context import user_path
from trm_tui.cli.terminal.output import JsonFlag, notice, print_facts, print_json, print_table, print_text
from trm_tui.cli.train import SetOption

if TYPE_CHECKING:
    from trm_engine.tasks.base import PuzzleTask
    from trm_engine.tasks.examples import Source


app = group(help="List, generate and check puzzles.")
fetch.register(app)

_LOOKED_AT = 5000
"""Puzzles that are looked at for having several solutions: some seconds."""

PresetArgument = Annotated[
    str,
    typer.Argument(metavar="PRESET|FILE.toml", help="Whose task it is.", autocompletion=completion.presets),
]


@app.command("list")
def list_data(json: JsonFlag = False) -> None:
    """List the data of each preset: generated, or read from where."""
    from trm_engine.config import list_presets
    from trm_engine.tasks.availability import availability

    rows = []
    for preset in list_presets():
        task = preset.config.task
        source = str(getattr(task, "data", "")) or "generated"
        rows.append(
            {
                "preset": preset.name,
                "task": task.kind,
                "positions": task.seq_len,
                "vocabulary": task.vocab_size,
                "source": source,
                "present": availability(task).ready,
            }
        )
    if json:
        print_json(rows)
    else:
        columns = ("preset", "task", ">positions", ">vocabulary", "source", "state")
        print_table(
            columns,
            [
                (*(row[key] for key in list(row)[:5]), "ready" if row["present"] else "not downloaded")
                for row in rows
            ],
        )


@app.command()
def build(
    preset: PresetArgument,
    output: Annotated[
        Path,
        typer.Argument(
            parser=user_path, metavar="OUTPUT", help="The file or folder to write; must not exist."
        ),
    ],
    form: Annotated[
        Literal["text", "csv", "published"],
        typer.Option("--format", help="A list, a CSV with solutions, or a published dataset folder."),
    ] = "text",
    part: Annotated[
        Literal["train", "test"], typer.Option(help="Which puzzles a text or CSV list gets.")
    ] = "test",
    overrides: SetOption = None,
) -> None:
    """Write the puzzles that a preset trains on or is tested with."""
    from trm_engine.errors import UsageError
    from trm_engine.interop.dataset_writer import write_task
    from trm_engine.tasks.puzzle_lists.files import write_list

    if output.exists():
        raise UsageError(f"{output} exists already; name a new file or folder")
    task = _task(preset, overrides)
    if form == "published":
        write_task(output, task)
        print_text(f"wrote {len(task.train):,} training and {len(task.test):,} test puzzles to {output}")
        return
    examples = task.train if part == "train" else task.test
    write_list(output, task, examples, as_csv=form == "csv")
    print_text(f"wrote {len(examples):,} puzzles to {output}")


@app.command()
def verify(
    preset: PresetArgument,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A text or CSV list, a dataset folder, or - for stdin.")
    ],
    unique: Annotated[
        bool, typer.Option("--unique", help="Also prove that each puzzle has one solution only.")
    ] = False,
    overrides: SetOption = None,
    json: JsonFlag = False,
) -> None:
    """Check that a file holds valid puzzles of a preset's task. Exit code 2 names the first fault.

    Unless --unique proves it of all, the first 5,000 puzzles are looked at for having several solutions.
    """
    task = _task(preset, overrides)
    examples = task.load(file, check_unique=unique)
    for note in examples.notes:
        notice(note)
    looked_at, several = (0, 0) if unique else _count_ambiguous(task, examples)
    if json:
        told = {"several_solutions": several, "looked_at": looked_at} if looked_at else {}
        print_json({"file": file, "puzzles": len(examples), "unique": unique or None, **told})
        return
    puzzles = "puzzle" if len(examples) == 1 else "puzzles"
    print_text(
        f"{file}: {len(examples):,} valid {puzzles}{_say_unique(unique, len(examples), looked_at, several)}"
    )


def _count_ambiguous(task: PuzzleTask, examples: Source) -> tuple[int, int]:
    """Return how many puzzles were looked at for having several solutions, and how many have."""
    looked_at = examples.head(min(_LOOKED_AT, len(examples)))
    found = task.ambiguous(looked_at.inputs)
    return (0, 0) if found is None else (len(looked_at), int(found.sum()))


def _say_unique(proved: bool, total: int, looked_at: int, several: int) -> str:
    if proved:
        return ", each with one solution"
    if not looked_at:
        return "; uniqueness was not checked"
    if total == 1:
        return "; it has several solutions" if several else "; no second solution was found"
    among = "of them" if looked_at == total else f"of the first {looked_at:,} (--unique looks at all)"
    have = "has" if several == 1 else "have"
    return f"; {f'{several:,}' if several else 'none'} {among} {have} several solutions"


def _task(preset: str, overrides: list[str] | None) -> PuzzleTask:
    import trm_engine.tasks
    from trm_engine.config import apply, find_preset

    return trm_engine.tasks.build_puzzles(apply(find_preset(preset).config, overrides or []).task)


@app.command()
def describe(
    preset: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|FILE.toml", help="Whose task it is.", autocompletion=completion.presets
        ),
    ],
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
