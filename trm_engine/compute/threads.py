"""Rows side by side: threads that each compute part of a batch with operations of a single thread.

Splitting every operation over the cores makes them wait for each other hundreds of times a step, and moves
each row through several caches; here they meet once. The weights are shared; every thread has gradients of
its own, which are added in order, so that equal batches give equal bits however the threads are scheduled.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import torch
from torch import nn

from trm_engine.compute.compute import Compute, Result, Rows, T
from trm_engine.compute.parameters import FlatParameters
from trm_engine.compute.sums import Sums


class Threads(Compute):
    """Computes parts of a batch with `count` threads, the calling one among them."""

    def __init__(
        self, model: nn.Module, parameters: FlatParameters, count: int, *, reduced: torch.dtype | None = None
    ) -> None:
        super().__init__(model, parameters, reduced=reduced)
        self.count = count
        self.twins = [parameters.twin(model) for _ in range(count - 1)]
        # Each thread asks for the number of its own; the threads end when the pool is no longer referred to.
        self._pool = ThreadPoolExecutor(count - 1, "rows", initializer=torch.set_num_threads, initargs=(1,))

    def clear(self) -> None:
        """Forget all gradients, those of each thread too."""
        super().clear()
        for _, grads in self.twins:
            grads.zero_()

    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute rows [start, stop) in as many parts as there are threads; a single row by all together."""

        def compute(model: nn.Module, part: Rows) -> T:
            with self._precision():
                return work(model, part)

        parts = [rows.part(*bounds) for bounds in shares(start, stop, self.count)]
        if len(parts) == 1:
            return [compute(self.model, parts[0])]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # of this thread, and of matrix products in all
        try:
            others = [
                self._pool.submit(compute, model, part)
                for part, (model, _) in zip(parts[1:], self.twins, strict=False)
            ]
            try:
                first = compute(self.model, parts[0])
            finally:
                wait(others)
            return [first, *(other.result() for other in others)]
        finally:
            torch.set_num_threads(threads)

    def reduce(self, results: Sequence[Result]) -> Sums:
        """Add the gradients of each thread to those of the model, in order."""
        for _, grads in self.twins:
            self.parameters.grads.add_(grads)
        return super().reduce(results)


def shares(start: int, stop: int, count: int) -> list[tuple[int, int]]:
    """Return [start, stop) in at most `count` stretches of nearly equal length, none of them empty."""
    rows = stop - start
    count = min(count, rows)
    bounds = [start + rows * number // count for number in range(count + 1)]
    return list(itertools.pairwise(bounds))
