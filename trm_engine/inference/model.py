"""A trained model: its network, its configuration, and where it came from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from trm_engine.compute.devices import device_for_use
from trm_engine.config import Config, RuntimeConfig
from trm_engine.errors import SessionError
from trm_engine.inference.evaluation_result import Measured
from trm_engine.models.layers import use_kernels
from trm_engine.progress import Progress
from trm_engine.remedies import Advice
from trm_engine.sessions import Store
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source
from trm_engine.text import one_line


@dataclass(frozen=True, kw_only=True)
class Model(ABC):
    """A network with its moving-average weights, without gradients, as of one step of a session."""

    session: str
    step: int
    config: Config
    network: nn.Module
    warnings: tuple[str, ...] = ()
    """What a person should know of the checkpoint that was read."""

    learned: ClassVar[str]
    """What a session of this kind has learned, to follow "has learned"."""
    used_for: ClassVar[tuple[Advice, ...]] = ()
    """What it can be used for."""

    @classmethod
    @abstractmethod
    def from_weights(
        cls,
        store: Store,
        session: str,
        step: int,
        config: Config,
        weights: Mapping[str, Tensor],
        warnings: tuple[str, ...] = (),
    ) -> Model:
        """Return the model that has these weights by name.

        What the weights and the configuration do not say is read from the session's record. Raises
        `SessionError` where the weights do not fit.
        """

    @abstractmethod
    def task(self, progress: Progress | None = None) -> Task:
        """Return the task that the model was trained on; its data is read when it is first used."""

    @abstractmethod
    def evaluate(
        self,
        task: Task,
        examples: Source,
        *,
        progress: Callable[[int, int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Measured:
        """Measure the model on examples of its task, as its configuration says.

        `progress` hears (done, total) after each batch; when `stopping` turns true, what was measured so far
        is returned.
        """


def put_weights(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    session: str,
    step: int,
    runtime: RuntimeConfig,
    *,
    belong: str,
) -> None:
    """Give a network its weights by name, take its gradients away, and put it on the device of its use.

    Raises `SessionError` saying to what (`belong`) the weights do not fit.
    """
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise SessionError(
            f"session {session}: the weights of step {step} do not belong to its {belong} "
            f"({one_line(str(error))})"
        ) from error
    network.requires_grad_(False)
    network.to(device_for_use(runtime.device))
    use_kernels(network, runtime)
