"""Ranks as threads of one process: what they compute and say is the same, and they start in no time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trm_engine.compute.group import Group
from trm_engine.compute.place import FOLDER, RESTARTS, Place
from trm_engine.config import Config
from trm_engine.learning.build import build_learner
from trm_engine.learning.follow import follow
from trm_engine.learning.learner import Learner
from trm_engine.tasks.base import Task
from trm_engine.training.ranks.lead import be_led, dismissing

Change = Callable[[Learner], None]


@contextmanager
def _others(folder: Path, ranks: int, work: Callable[[Group], None]) -> Iterator[Group]:
    """Provide rank 0's side of a group whose other ranks do `work` in threads; raises what one has met."""
    folder.mkdir(exist_ok=True)
    environment = {FOLDER: str(folder), RESTARTS: str(len(list(folder.iterdir())))}
    errors: list[BaseException] = []

    def beside(rank: int) -> None:
        try:
            work(Group.join(Place(rank, ranks, rank, ranks), environment))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=beside, args=(rank,)) for rank in range(1, ranks)]
    for thread in threads:
        thread.start()
    try:
        yield Group.join(Place(0, ranks, 0, ranks), environment)
    finally:
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


@contextmanager
def leading(
    folder: Path, config: Config, task: Task, ranks: int, *, change_follower: Change = lambda _: None
) -> Iterator[Learner]:
    """Provide a learner that leads those of other ranks, or, with one rank, a learner alone."""
    if ranks == 1:
        yield build_learner(config, task)
        return

    def work(group: Group) -> None:
        learner = build_learner(config, task)
        change_follower(learner)
        learner.join(group)
        follow(learner, group)

    with _others(folder, ranks, work) as group:
        learner = build_learner(config, task)
        learner.join(group)
        try:
            yield learner
        finally:
            group.tell({"call": "end"})


@contextmanager
def followed(folder: Path, ranks: int, others: list[Group] | None = None) -> Iterator[Group | None]:
    """Provide a group for a sitting, with threads as its other ranks; None for one rank.

    The other ranks' sides of the group are added to `others`.
    """
    if ranks == 1:
        yield None
        return

    def work(group: Group) -> None:
        if others is not None:
            others.append(group)
        be_led(group)

    with _others(folder, ranks, work) as joined, dismissing(joined) as group:
        yield group
