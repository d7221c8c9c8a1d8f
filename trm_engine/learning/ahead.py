"""Steps of a device that nobody waits for: launched one after the other, and their figures read together.

A device works through what it was told while Python tells it more, unless somebody asks for a result. So a
whole step, with its update of the weights, is one program of fixed shapes that asks for none: what depends on
data is chosen on the device (`torch.where`), a step whose loss or gradient is unsound is undone there, and
losses wait in a row until they are read. On CUDA that program is recorded once, as a graph, and launched as
one: at the sizes of small models, launching its hundreds of kernels would take longer than computing them.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trm_engine.compute.compute import Result
from trm_engine.compute.devices import on, use_device
from trm_engine.compute.precision import widest
from trm_engine.compute.sums import Sums

if TYPE_CHECKING:
    from trm_engine.learning.learner import Learner

_MOST_SECONDS = 0.25
"""How long steps are launched before their figures are read: what a person asks for waits no longer."""
_IN_FLIGHT = 2
"""Steps that a device may have before it: enough that it never waits for Python."""
_LONGEST = 4096


@dataclass(frozen=True)
class Figures:
    """What one step has shown: its sums, its gradient's norm, and whether the weights moved."""

    sums: Sums
    grad_norm: float
    applied: bool


class RunsAhead(ABC):
    """A learner whose step can be such a program; its rows have `drawn`, `signature` and `with_drawn`."""

    @abstractmethod
    def accept_where(self, sound: Tensor, results: Sequence[Any], scale: Tensor) -> None:
        """Do what `accept` does where `sound` is true, else what `reject` does, without asking the device."""


class Ahead:
    """Launches a learner's steps and reads what they have shown.

    `busy_seconds` is how long the device has computed in all; None where it does not tell.
    """

    def __init__(self, learner: Learner, spike: float) -> None:
        self._learner = learner
        self._spike = spike
        self._program: _Program | None = None
        # Draws the rows of the next step while this one is launched and computed.
        self._drawing = ThreadPoolExecutor(1, "draw", use_device, (learner.device,))
        self.busy_seconds: float | None = 0.0 if learner.device.type == "cuda" else None

    def run(
        self, micro_batch: int, most: int, hurried: Callable[[], bool], launched: Callable[[], float]
    ) -> list[Figures]:
        """Launch up to `most` steps, fewer when `hurried` turns true or time passes; return their figures.

        `launched` is called for each step before it runs: it counts the step and returns the factor on the
        learning rates. When an error comes before the first launch, nothing has happened but the draw.
        """
        until, most, count = time.perf_counter() + _MOST_SECONDS, min(most, _LONGEST), 0
        learner, program = self._learner, None
        with on(learner.device):
            pending: Future[tuple[Any, Any]] | None = self._drawing.submit(self._draw)
            try:
                while pending is not None:
                    try:
                        rows = pending.result()[1]
                    except Exception:
                        if not count:
                            raise
                        break  # it will come again, when the figures of what was launched are read
                    key = (micro_batch, learner.config, *rows.signature)
                    if program is None:
                        program = self._programmed(key, micro_batch, rows)
                        program.begin()
                    elif program.key != key:  # another program takes this step, when these have been read
                        break
                    scale, count = launched(), count + 1
                    pending = self._drawing.submit(self._draw) if count < most else None
                    program.launch(rows, scale, count - 1)
                    if hurried() or time.perf_counter() > until:
                        break
            finally:
                if pending is not None:
                    self._put_back(pending)
            assert program is not None, "a step is launched, or an error has come"
            figures = program.read(count)
            if self.busy_seconds is not None:
                self.busy_seconds += program.take_busy_seconds()
        return figures

    def _put_back(self, pending: Future[tuple[Any, Any]]) -> None:
        """Draw again, another time, what was drawn for a step that is not taken now."""
        wait([pending])
        if pending.exception() is None:
            self._learner.rewind(pending.result()[0])

    def _draw(self) -> tuple[Any, Any]:
        """Draw the rows of a step; return where drawing stood before, and the rows."""
        before = self._learner.cursor()
        try:
            return before, self._learner.draw()
        except BaseException:
            self._learner.rewind(before)
            raise

    def forget(self) -> None:
        """Give up the program: the tensors that it works on are replaced."""
        self._program = None

    def _programmed(self, key: tuple[object, ...], micro_batch: int, rows: Any) -> _Program:
        if self._program is None or self._program.key != key:
            self._program = None  # its memory first
            self._program = _Program(self._learner, key, micro_batch, rows, self._spike)
        return self._program


class _Program:
    """One step of a learner over fixed tensors."""

    def __init__(
        self, learner: Learner, key: tuple[object, ...], micro_batch: int, rows: Any, spike: float
    ) -> None:
        self.key = key
        self._learner = learner
        self._micro_batch = micro_batch
        self._drawn = tuple(tensor.clone() for tensor in rows.drawn)
        self._rows = rows.with_drawn(self._drawn)
        self._spike = spike
        device = learner.device
        self._scale = widest(torch.zeros((), device=device))
        self._updates = widest(torch.zeros((), device=device))
        self._kind: type[Sums] = Sums
        self._figures = torch.zeros(0, device=device)
        self._busy: deque[tuple[Any, Any]] = deque()
        self._busy_seconds = 0.0
        self._gradients()  # compiles what is to be compiled, before anything is recorded
        self._ring = torch.zeros(_LONGEST, len(self._figures), dtype=self._scale.dtype, device=device)
        self._graph = self._recorded() if device.type == "cuda" else None

    def begin(self) -> None:
        """Take over the number of updates so far."""
        self._updates.fill_(self._learner.counters.updates)

    def launch(self, rows: Any, scale: float, number: int) -> None:
        """Run the step on these rows, as the `number`th since figures were read; do not wait for it."""
        for fixed, drawn in zip(self._drawn, rows.drawn, strict=True):
            fixed.copy_(drawn, non_blocking=True)
        self._scale.fill_(scale)
        if self._graph is None:
            self._step()
        else:
            begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]  # torch
            begun.record()
            self._graph.replay()
            ended.record()
            self._busy.append((begun, ended))
            while len(self._busy) > _IN_FLIGHT:
                self._take_time()
        self._ring[number].copy_(self._figures)

    def read(self, count: int) -> list[Figures]:
        """Return what the latest `count` steps have shown. The one place that waits for the device."""
        read = self._ring[:count].cpu()
        return [Figures(self._kind(row[:-2].clone()), float(row[-2]), bool(row[-1])) for row in read]

    def take_busy_seconds(self) -> float:
        """Return how long the device computed since this was last asked; waits for it."""
        while self._busy:
            self._take_time()
        seconds, self._busy_seconds = self._busy_seconds, 0.0
        return seconds

    def _take_time(self) -> None:
        begun, ended = self._busy.popleft()
        ended.synchronize()
        self._busy_seconds += begun.elapsed_time(ended) / 1e3

    def _recorded(self) -> torch.cuda.CUDAGraph:
        """Return the step as a graph. Recording runs nothing."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._gradients()
        torch.cuda.current_stream().wait_stream(side)
        self._learner.compute.clear()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()  # what the trial held would stand beside what the graph holds
        graph = torch.cuda.CUDAGraph()
        # Other threads may ask the device for its memory meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._step()
        return graph

    def _gradients(self) -> tuple[Sums, list[Result]]:
        learner, compute = self._learner, self._learner.compute
        compute.clear()
        results: list[Result] = []
        for start in range(0, learner.rows, self._micro_batch):
            stop = min(start + self._micro_batch, learner.rows)
            results += compute.run(learner.work, self._rows, start, stop)
        sums = compute.reduce(results)
        self._kind = type(sums)
        if not len(self._figures):
            self._figures = torch.zeros(len(sums.values) + 2, dtype=sums.values.dtype, device=learner.device)
        return sums, results

    def _step(self) -> None:
        learner, train = self._learner, self._learner.config.train
        sums, results = self._gradients()
        parameters, optimizer = learner.parameters, learner.optimizer
        norm = widest(parameters.grads.norm())
        limit = self._spike * math.log(learner.task.vocab_size) * learner.rows
        sound = torch.isfinite(norm) & (sums.loss < limit)
        moving = (parameters.values, learner.ema, optimizer.mean, optimizer.square, self._updates)
        before = [tensor.clone() for tensor in moving]
        updates = optimizer.updates
        optimizer.updates = self._updates
        optimizer.step(parameters.grads, train.lr * self._scale)
        optimizer.updates = updates
        learner.ema.lerp_(parameters.values, 1 - train.ema)
        for tensor, old in zip(moving, before, strict=True):
            torch.where(sound, tensor, old, out=tensor)
        assert isinstance(learner, RunsAhead), "no other learner is asked to"
        learner.accept_where(sound, results, self._scale)
        self._figures.copy_(torch.cat([sums.values, torch.stack([norm, sound.to(norm)])]))
