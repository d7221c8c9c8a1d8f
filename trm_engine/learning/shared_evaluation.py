"""Evaluation by several ranks: each takes its share of the examples, and all continue or stop together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trm_engine.compute.group import Group
from trm_engine.compute.parts import part_of
from trm_engine.errors import LostRankError
from trm_engine.inference.evaluation_result import Measured
from trm_engine.monitoring.allocator import is_out_of_memory
from trm_engine.tasks.examples import Source
from trm_engine.tasks.subset import Selected

Evaluate = Callable[[Source, Callable[[], bool], int], Measured]
"""Evaluates examples in batches; asks between two whether to stop."""


def measure_together(
    group: Group, examples: Source, batch_size: int, evaluate: Evaluate, stopping: Callable[[], bool]
) -> Measured | None:
    """Evaluate examples, `batch_size` of them at once over all ranks; rank 0 returns the result.

    `stopping` of rank 0 counts. Raises `MemoryError` on all ranks where one has run out of memory.
    """
    ranks = group.place.size
    start, stop = part_of(0, len(examples), group.place.rank, ranks)
    pace = _Pace(group, -(-len(examples) // batch_size), stopping)
    measured: Measured | None = None
    failure: BaseException | None = None
    try:
        if stop > start or group.leads:
            own = Selected(examples, np.arange(start, stop))
            measured = evaluate(own, pace, -(-batch_size // ranks))
        pace.finish()
    except LostRankError:
        raise
    except BaseException as error:
        failure = error
        pace.abandon()
    short = failure is not None and is_out_of_memory(failure)
    said = group.replies(
        {"failed": failure is not None, "short": short, "share": measured and measured.share()}
    )
    if failure is not None:
        raise failure
    if any(part["failed"] for part in said):
        if any(part["short"] for part in said):
            raise MemoryError("another rank of the run is out of memory")
        raise LostRankError("another rank of the run has failed: what it met is in its own messages")
    if measured is None or not group.leads:
        return None
    found = [part["share"] for part in said if part["share"] is not None]
    return type(measured).joined(found).over(examples)


class _Pace:
    """What is asked after each batch, on every rank the same number of times: whether rank 0 stops."""

    def __init__(self, group: Group, batches: int, stopping: Callable[[], bool]) -> None:
        self._group = group
        self._left = batches
        self._stopping = stopping
        self._stopped = False

    def __call__(self) -> bool:
        if self._group.leads:
            self._say(self._stopping())
        else:
            self._left -= 1
            self._stopped = self._group.hear()["stop"]
        return self._stopped

    def finish(self) -> None:
        """Keep pace until rank 0 has come to the end: the last batch may have had no rows for this rank."""
        while self._left and not self._stopped:
            self()

    def abandon(self) -> None:
        """Stop all ranks, or follow rank 0 until it does, because this one cannot go on."""
        if self._group.leads and self._left and not self._stopped:
            self._say(True)
        self.finish()

    def _say(self, stop: bool) -> None:
        self._left -= 1
        self._stopped = stop
        self._group.tell({"stop": stop})
