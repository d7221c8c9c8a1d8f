"""What a learner says to those of the other ranks: what rank 0 is asked to do, all of them do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from torch import Tensor

from trm_engine.compute.compute import Compute
from trm_engine.compute.group import Group
from trm_engine.compute.place import Place
from trm_engine.compute.ranks import Ranks, Word
from trm_engine.errors import LostRankError
from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.shared_evaluation import Evaluate, measure_together
from trm_engine.monitoring.allocator import is_out_of_memory
from trm_engine.tasks.examples import Source


class Team:
    """The ranks that learn together. Without a group there is one, and there is nothing to say."""

    def __init__(self, group: Group | None = None) -> None:
        self.group = group

    @property
    def place(self) -> Place:
        """Which rank this is."""
        return self.group.place if self.group else Place(0, 1)

    @property
    def signal(self) -> int:
        """The number of a signal that has asked any rank to stop, as of the last step; 0 for none."""
        return self.group.signal if self.group else 0

    def lead(self, call: str, **arguments: object) -> None:
        """Have the other ranks make a call too; does nothing where this is one of them."""
        if self.group is not None and self.group.leads:
            self.group.tell({"call": call, **arguments})

    def give(
        self, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor], state: Mapping[str, Any]
    ) -> None:
        """Have the learners of the other ranks become what these describe."""
        if self.group is not None and self.group.leads:
            self.group.tell({"call": "restore", "state": state})
            self.group.give(weights)
            self.group.give(tensors)

    def compute(self, inner: Compute) -> Compute:
        """Return what computes the rows of all ranks, of which `inner` computes this rank's."""
        return inner if self.group is None else Ranks(inner, self.group)

    def give_up(self, compute: Compute, error: BaseException | None = None) -> None:
        """Tell the other ranks that this one gives up the step, if they wait to hear of it."""
        if not isinstance(compute, Ranks):
            return
        word = Word.FAILED if error is not None else Word.GIVEN_UP
        if error is not None and is_out_of_memory(error):
            word = Word.OUT_OF_MEMORY
        with suppress(LostRankError):  # the error that is being raised says more
            compute.give_up(word)

    def measure(
        self, examples: Source, batch_size: int, evaluate: Evaluate, stopping: Callable[[], bool]
    ) -> Measured | None:
        """Evaluate with all ranks; only rank 0 gets the result."""
        if self.group is None:
            return evaluate(examples, stopping, batch_size)
        return measure_together(self.group, examples, batch_size, evaluate, stopping)

    def rows(self, whole: Tensor, own: list[tuple[int, int]], dim: int = 0) -> Tensor:
        """Return a tensor whole of which this rank has its own rows; unchanged where there is one rank."""
        return whole if self.group is None else self.group.merge(whole, own, dim)
