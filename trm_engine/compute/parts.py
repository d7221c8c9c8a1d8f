"""Exact reduction: a batch in a fixed number of parts, whose gradients are added in a fixed tree.

A sum of floating-point numbers depends on the order, and an operation may split its own sums by how many
threads it has. So each part is computed with operations of one thread, whoever computes it: the bits are the
same with any number of threads, and of ranks that the parts can be dealt to evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trm_engine.compute.compute import Compute, Result, Rows, T
from trm_engine.compute.parameters import FlatParameters
from trm_engine.compute.place import PARTS
from trm_engine.compute.sums import Sums, total


class Parts(Compute):
    """Computes the parts of a batch that are `rank`'s of `ranks`, with `threads` threads side by side."""

    least_rows = PARTS

    def __init__(
        self,
        model: nn.Module,
        parameters: FlatParameters,
        threads: int,
        *,
        rank: int = 0,
        ranks: int = 1,
        reduced: torch.dtype | None = None,
    ) -> None:
        super().__init__(model, parameters, reduced=reduced)
        assert PARTS % ranks == 0, "parts are dealt evenly"
        count = PARTS // ranks
        self._own = range(rank * count, (rank + 1) * count)
        self._models = [(model, parameters.grads), *(parameters.twin(model) for _ in self._own[1:])]
        self._sums: list[Sums | None] = [None] * count
        self._threads = min(threads, count)
        self._pool = ThreadPoolExecutor(
            max(self._threads - 1, 1), "parts", initializer=torch.set_num_threads, initargs=(1,)
        )

    def clear(self) -> None:
        """Forget all gradients and sums."""
        for _, grads in self._models:
            grads.zero_()
        self._sums = [None] * len(self._models)

    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute those parts of rows [start, stop) that are this rank's."""
        bounds = [part_of(start, stop, number, PARTS) for number in self._own]

        def compute(number: int) -> T | None:
            first, last = bounds[number]
            if first == last:
                return None
            with self._precision():
                return work(self._models[number][0], rows.part(first, last))

        mine, others = range(0, len(bounds), self._threads), list[Any]()
        with self.steady():
            for number in range(len(bounds)):
                if number not in mine:
                    others.append((number, self._pool.submit(compute, number)))
            try:
                found = {number: compute(number) for number in mine}
            finally:
                wait([future for _, future in others])
            found |= {number: future.result() for number, future in others}
        results = []
        for number in range(len(bounds)):
            if (result := found[number]) is not None:
                before = self._sums[number]
                self._sums[number] = result.sums if before is None else before + result.sums
                results.append(result)
        return results

    def reduce(self, results: Sequence[Result]) -> Sums:
        """Add gradients and sums of the own parts, two by two; the gradients end in `parameters.grads`."""
        tree([grads for _, grads in self._models])
        sums = self._sums
        while len(sums) > 1:
            pairs = [[part for part in sums[i : i + 2] if part is not None] for i in range(0, len(sums), 2)]
            sums = [total(pair) if pair else None for pair in pairs]
        assert sums[0] is not None, f"{len(results)} results without a sum"
        return sums[0]

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Compute with one thread: what would be split over several may round otherwise."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def part_of(start: int, stop: int, number: int, count: int) -> tuple[int, int]:
    """Return the bounds of part `number` of `count` of [start, stop); empty where there are fewer rows."""
    rows = stop - start
    return start + rows * number // count, start + rows * (number + 1) // count


def tree(parts: Sequence[Tensor]) -> None:
    """Add 2ⁿ tensors two by two, in place: the sum is in the first."""
    distance = 1
    while distance < len(parts):
        for number in range(0, len(parts), 2 * distance):
            parts[number].add_(parts[number + distance])
        distance *= 2
