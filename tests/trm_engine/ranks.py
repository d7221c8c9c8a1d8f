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
def leading(
    folder: Path, config: Config, task: Task, ranks: int, *, change_follower: Change = lambda _: None
) -> Iterator[Learner]:
    """Provide a learner that leads those of other ranks, or, with one rank, a learner alone."""
    if ranks == 1:
        yield build_learner(config, task)
        return
    folder.mkdir(exist_ok=True)
    environment = {FOLDER: str(folder), RESTARTS: str(len(list(folder.iterdir())))}
    errors: list[BaseException] = []

    def work(rank: int) -> None:
        try:
            learner = build_learner(config, task)
            change_follower(learner)
            group = Group.join(Place(rank, ranks, rank, ranks), environment)
            learner.join(group)
            follow(learner, group)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(1, ranks)]
    for thread in threads:
        thread.start()
    learner = build_learner(config, task)
    group = Group.join(Place(0, ranks, 0, ranks), environment)
    learner.join(group)
    try:
        yield learner
    finally:
        group.tell({"call": "end"})
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


@contextmanager
def followed(folder: Path, ranks: int, others: list[Group] | None = None) -> Iterator[Group | None]:
    """Provide a group for a sitting, with threads as its other ranks; None for one rank.

    The other ranks' sides of the group are added to `others`.
    """
    if ranks == 1:
        yield None
        return
    folder.mkdir(exist_ok=True)
    environment = {FOLDER: str(folder), RESTARTS: str(len(list(folder.iterdir())))}
    errors: list[BaseException] = []

    def work(rank: int) -> None:
        try:
            group = Group.join(Place(rank, ranks, rank, ranks), environment)
            if others is not None:
                others.append(group)
            be_led(group)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(1, ranks)]
    for thread in threads:
        thread.start()
    try:
        with dismissing(Group.join(Place(0, ranks, 0, ranks), environment)) as group:
            yield group
    finally:
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
