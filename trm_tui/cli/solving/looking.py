"""How often a puzzle is looked at: the options of the commands that solve puzzles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trm_engine.inference.looks import Looking
    from trm_engine.inference.puzzle_model import PuzzleModel
    from trm_engine.tasks.base import PuzzleTask

_MOST = 4096

ViewsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=_MOST,
        metavar="N",
        help="Views of a puzzle at most: symmetry images, solved in turn until the rules accept.",
    ),
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=100.0,
        metavar="SIGMA",
        help="Noise on the latent state instead of views, for tasks without symmetries; 0.1 to 0.3.",
    ),
]
TriesOption = Annotated[
    int | None,
    typer.Option(min=1, max=_MOST, metavar="K", help="With --noise: attempts, the first without noise."),
]


def looking_for(
    model: PuzzleModel,
    task: PuzzleTask,
    views: int | None,
    noise: float | None,
    tries: int | None,
    max_steps: int | None,
) -> Looking:
    """Return what the options ask for; without any, as many views as is usual where the task has views.

    Raises `UsageError` for options that contradict each other, or that the task has no use for.
    """
    from trm_engine.errors import UsageError
    from trm_engine.tasks.kit.symmetry import VIEWS

    if tries is not None and not noise:
        raise UsageError("--tries counts tries with noise: give --noise SIGMA too, 0.1 to 0.3")
    if noise:
        if views is not None:
            raise UsageError("--views changes the puzzle and --noise the latent state: choose one")
        return model.looking(tries or VIEWS, max_steps=max_steps or 0, noise=noise)
    looking = model.looking(views or VIEWS, max_steps=max_steps or 0)
    if looking.can_help(task) and task.judges_all:
        return looking
    if views is not None and views > 1:
        raise UsageError(
            f'a "{model.config.task.kind}" task has no symmetries, or no rules that judge an answer: '
            "--noise SIGMA --tries K tries again without them"
        )
    return model.looking(1, max_steps=max_steps or 0)
