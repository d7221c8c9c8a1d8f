"""Training by several processes from the command line: `--ranks`, and what torchrun starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.compute.place import FOLDER, Place
from trm_engine.errors import LostRankError, UsageError
from trm_engine.training.ranks.launch import require_ranks, supervise
from trm_tui.cli.terminal.output import notice
from trm_tui.shared.program import PROGRAM
from trm_tui.shared.signals import stopping_signals

if TYPE_CHECKING:
    from trm_engine.compute.group import Group
    from trm_engine.config import Config

RanksOption = Annotated[
    str,
    typer.Option(metavar="N|auto", help="Processes that train together; auto: the fastest number."),
]


def asked_ranks(ranks: str, config: Config) -> tuple[int, str]:
    """Return how many processes to start, and why: 1 where none were asked for."""
    if not ranks:
        return 1, ""
    if Place.told() is not None:
        raise UsageError("--ranks starts the processes itself: leave it out where torchrun does")
    if ranks == "auto":
        return _fastest(config)
    if not ranks.isascii() or not ranks.isdigit() or not 1 <= int(ranks) <= 65536:
        raise UsageError(f"--ranks {ranks}: give a number of processes, 1 or more, or auto")
    require_ranks(config, int(ranks))
    return int(ranks), Place.why


def _fastest(config: Config) -> tuple[int, str]:
    from trm_engine.hardware import detect
    from trm_engine.training.ranks.trial import fastest_ranks

    count, why = fastest_ranks(config, detect(with_torch=True), tell=notice)
    notice(f"ranks: {count} ({why})")
    return count, why


def supervised(words: Sequence[str], ranks: int, why: str) -> int:
    """Run a command of `trm-tui` as rank 0, with the others beside it; return its exit code."""

    def tell(message: str) -> None:
        notice(f"warning: {message}")

    command = [*PROGRAM, "--no-ui", *words]
    return supervise(command, ranks, tell, why=why, stopping=stopping_signals())


def follows() -> bool:
    """Whether torchrun has started this process as another rank than the first."""
    place = Place.told()
    return place is not None and place.rank > 0


@contextmanager
def joined() -> Iterator[Group | None]:
    """Provide the group that this process leads; None for a process on its own."""
    place = Place.told()
    if place is None:
        yield None
        return
    from trm_engine.compute.group import Group
    from trm_engine.training.ranks.lead import dismissing

    try:
        with dismissing(Group.join(place)) as group:
            yield group
    except LostRankError as error:
        if FOLDER not in os.environ:  # else the launcher says it, and which rank it was
            raise
        raise typer.Exit(error.exit_code) from error
