"""What an evaluation of any kind of model has in common."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from trm_engine.config.kinds import Score
from trm_engine.tasks.examples import Source

M = TypeVar("M", bound="Measured")


class Measured(ABC):
    """Figures of a model on held-out examples."""

    judged_by: ClassVar[Score]
    """The figure that counts."""
    counts: ClassVar[tuple[str, ...]]
    """The fields that count something; means are over the first of them."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Examples that were measured."""

    @property
    def score(self) -> float:
        """How good the model is: the checkpoint with the highest score is the best."""
        return self.judged_by.of(self.to_dict()[self.judged_by.figure])

    def solved_bits(self) -> bytes:
        """Return which examples were solved, one bit each in their order; empty where that is no question."""
        return b""

    @abstractmethod
    def to_dict(self) -> dict[str, float]:
        """Return all figures by name."""

    def share(self) -> dict[str, Any]:
        """Return the fields as JSON, of which `joined` makes one result of several."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]  # every kind is a dataclass
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in fields.items()}

    @classmethod
    def joined(cls: type[M], shares: Sequence[Mapping[str, Any]]) -> M:
        """Return the result over all rows from the shares of some each; they took as long as the longest."""
        weights = [share[cls.counts[0]] for share in shares]

        def mean(values: Sequence[float]) -> float:
            weighed = sum(value * weight for value, weight in zip(values, weights, strict=True))
            return float(weighed / max(sum(weights), 1))

        def join(name: str, values: Sequence[Any]) -> Any:
            first = values[0]
            if name in cls.counts:
                return sum(values)
            if name == "seconds":
                return max(values)
            if isinstance(first, Mapping):
                return {key: mean([value[key] for value in values]) for key in first}
            if isinstance(first, list):
                return np.array([one for value in values for one in value], np.bool_)
            return mean(values) if isinstance(first, float) else first

        return cls(**{name: join(name, [share[name] for share in shares]) for name in shares[0]})

    def over(self: M, examples: Source) -> M:  # noqa: ARG002  # of kinds that ask the source
        """Return the result with what only the whole source tells."""
        return self
