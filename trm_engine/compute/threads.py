"""Rows side by side: threads that each compute part of a batch with operations of a single thread.

Splitting every operation over the cores makes them wait for each other hundreds of times a step, and moves
each row through several caches; here they meet once. The weights are shared; every thread has gradients of
its own, which are added in order, so that equal batches give equal bits however the threads are scheduled.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager

import torch
from torch import nn

from trm_engine.compute.batch import Part
from trm_engine.compute.parameters import FlatParameters


class Workers:
    """Computes parts of a batch with `count` threads, the calling one among them."""

    def __init__(self, model: nn.Module, parameters: FlatParameters, count: int) -> None:
        self.count = count
        self._parameters = parameters
        self._model = model
        self._twins = [parameters.twin(model) for _ in range(count - 1)]
        # Each thread asks for the number of its own; the threads end when the pool is no longer referred to.
        self._pool = ThreadPoolExecutor(count - 1, "rows", initializer=torch.set_num_threads, initargs=(1,))

    def backward(self, parts: Sequence[Part], context: Callable[[], AbstractContextManager[object]]) -> None:
        """Add the gradients of at most `count` parts to the model's; each is computed within `context()`.

        When some fail, the first error is raised after all have ended.
        """

        def compute(part: Part, model: nn.Module) -> None:
            with context():
                part.backward(model)

        twins = self._twins[: len(parts) - 1]
        for _, grads in twins:
            grads.zero_()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # of this thread, and of matrix products in all
        try:
            others = [
                self._pool.submit(compute, part, model)
                for part, (model, _) in zip(parts[1:], twins, strict=True)
            ]
            try:
                compute(parts[0], self._model)
            finally:
                wait(others)
            for other in others:
                other.result()
        finally:
            torch.set_num_threads(threads)
        for _, grads in twins:
            self._parameters.grads.add_(grads)


def shares(start: int, stop: int, count: int) -> list[tuple[int, int]]:
    """Return [start, stop) in at most `count` stretches of nearly equal length, none of them empty."""
    rows = stop - start
    count = min(count, rows)
    bounds = [start + rows * number // count for number in range(count + 1)]
    return list(itertools.pairwise(bounds))
