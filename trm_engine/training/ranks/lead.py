"""How rank 0 brings the other ranks of a run along, and how each of them is brought along."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from trm_engine.compute.group import Group
from trm_engine.compute.place import Place
from trm_engine.config import Config, dumps, loads
from trm_engine.decisions import Decision
from trm_engine.errors import LostRankError, SessionError, TrmError, UsageError
from trm_engine.learning.build import build_learner
from trm_engine.learning.follow import follow
from trm_engine.learning.learner import Learner
from trm_engine.sessions import Store
from trm_engine.tasks import build_task
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.training.run import Since


def ranks_decision(config: Config, place: Place) -> Decision:
    """Say how several ranks compute, and the reason for their number."""
    how = "in a fixed order" if config.runtime.reduction == "exact" else "in the order of the library"
    reason = f"{place.why}; each computes its share of the rows, and gradients are added {how}"
    return Decision("ranks", str(place.size), reason)


def lead(learner: Learner, group: Group, *, threads: int, data: Mapping[str, object]) -> list[int]:
    """Have the other ranks build learners equal to this one; return their process ids on this machine.

    `data`: the fingerprint of the data. Raises `UsageError` where another rank cannot read them, or reads
    others.
    """
    group.tell({"call": "begin", "config": dumps(learner.config), "threads": threads, "data": dict(data)})
    said = group.replies({"problem": "", "pid": os.getpid()})
    for rank, reply in enumerate(said):
        if reply["problem"]:
            raise UsageError(f"rank {rank}: {reply['problem']}")
    learner.join(group)
    learner.team.give(learner.weights(), learner.tensors(), learner.state())
    near = group.place.local_size if group.place.local_rank == 0 else 1
    return [reply["pid"] for reply in said[1:near]]


def going_on(store: Store, group: Group | None) -> str | None:
    """Return the session that restarted ranks resume, or None before its first checkpoint."""
    since = None if group is None else Since.noted(group)
    if since is None:
        return None
    with suppress(SessionError):
        if store.get(since.session).saved_steps:
            return since.session
    return None


@contextmanager
def dismissing(group: Group) -> Iterator[Group]:
    """Tell the other ranks at the end that the run is over; where an error broke off a step, they see it."""
    try:
        yield group
    except TrmError as error:
        if not isinstance(error, LostRankError):
            _dismiss(group)
        raise
    _dismiss(group)


def _dismiss(group: Group) -> None:
    with suppress(LostRankError):
        group.tell({"call": "end"})


def be_led(group: Group) -> None:
    """Be one of the ranks beside rank 0 until the run is over.

    Raises `LostRankError` when another rank has ended.
    """
    message = group.hear()
    if message["call"] == "end":
        return
    problem, learner = "", None
    try:
        learner = _learner(message)
    except TrmError as error:
        problem = str(error)
    group.replies({"problem": problem, "pid": os.getpid()})
    if learner is None:
        group.hear()  # that the run is over
        return
    learner.join(group)
    follow(learner, group)


def _learner(message: dict[str, object]) -> Learner:
    config = loads(str(message["config"]), "the configuration of rank 0")
    task = build_task(config.task)
    if fingerprint(task) != message["data"]:
        raise UsageError("its data are not those of rank 0: every rank reads them from the same place")
    learner = build_learner(config, task)
    threads = message["threads"]
    assert isinstance(threads, int)
    learner.use_threads(threads)
    return learner
