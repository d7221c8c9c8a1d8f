"""A device of its own, such as a graphics processor: whole parts of a batch are computed there at once.

The model that computes there is a twin of the learner's. In reduced precision its weights are 16-bit copies
of the float32 weights, which stay the ones that are trained: they are copied once a step, and gradients are
added up in float32 after each part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from trm_engine.compute.compute import Compute, Rows, T
from trm_engine.compute.parameters import FlatParameters


class Accelerator(Compute):
    """Computes on the device where the parameters are.

    `reduced`: type of the twin's weights and states, if not float32. `begin` is given the twin when a step
    begins and its weights have changed.
    """

    def __init__(
        self,
        model: nn.Module,
        parameters: FlatParameters,
        *,
        reduced: torch.dtype | None = None,
        begin: Callable[[nn.Module], None] = lambda _: None,
    ) -> None:
        super().__init__(model, parameters, reduced=reduced)
        self.device = parameters.values.device
        self._values = parameters.values if reduced is None else parameters.values.to(reduced)
        self._begin = begin
        self.twin, self._grads = parameters.twin(model, self._values)

    def place(self, rows: Tensor) -> Tensor:
        """Return rows on the device; they are on their way while the caller goes on."""
        if self.device.type != "cuda":
            return rows.to(self.device)
        return rows.pin_memory().to(self.device, non_blocking=True)

    def clear(self) -> None:
        """Forget all gradients, and take over the weights as they are now: a step begins."""
        super().clear()
        self._grads.zero_()
        if self._values is not self.parameters.values:
            self._values.copy_(self.parameters.values)
        self._begin(self.twin)

    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute rows [start, stop) as one part."""
        result = work(self.twin, rows.part(start, stop))
        self.parameters.grads.add_(self._grads)
        self._grads.zero_()
        return [result]
