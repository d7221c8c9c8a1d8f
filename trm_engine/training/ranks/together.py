"""Training as the first of several ranks, the others of which are started from here: as the app does it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from trm_engine.compute.group import Group
from trm_engine.errors import LostRankError
from trm_engine.sessions import Store
from trm_engine.training.events import Finished
from trm_engine.training.ranks.launch import MOST_RESTARTS, followers
from trm_engine.training.ranks.lead import dismissing, going_on
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume


def train_together(
    store: Store,
    ranks: int,
    sitting: Sitting,
    begin: Callable[[Sitting], Finished],
    tell: Callable[[str], None],
) -> Finished:
    """Train as rank 0 beside ranks that are started for it; `begin` starts or resumes the run.

    When one of them dies, they are restarted and the run resumes from its last checkpoint, three times at
    most; `tell` hears of it.
    """
    with tempfile.TemporaryDirectory(prefix="trm-ranks-") as folder:
        restarts = 0
        while True:
            outcome = _once(store, ranks, sitting, begin, Path(folder), restarts)
            if not isinstance(outcome, LostRankError):
                return outcome
            if restarts == MOST_RESTARTS or sitting.control.stopping:
                raise outcome
            restarts += 1
            tell(f"{outcome}; resuming from the last checkpoint (restart {restarts} of {MOST_RESTARTS})")


def _once(
    store: Store,
    ranks: int,
    sitting: Sitting,
    begin: Callable[[Sitting], Finished],
    folder: Path,
    restarts: int,
) -> Finished | LostRankError:
    try:
        with (
            followers(ranks, folder, restarts) as (place, told),
            dismissing(Group.join(place, told)) as group,
        ):
            shared = replace(sitting, group=group)
            session = going_on(store, group)
            return begin(shared) if session is None else resume(store, session, shared)
    except LostRankError as error:
        return error
