"""What a preset's own words say it reaches, where that was measured, and how long it would take elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trm_engine.config.sections import Config
from trm_engine.planning.time import run_seconds

_REACHED = re.compile(r"[\d.]+(?: to [\d.]+)? %|loss (?:of )?[\d.]+")
_STEPS = re.compile(r"after ([\d ]*\d)(?: to ([\d ]*\d))? steps")
_MEASURED = re.compile(
    r"([\d.]+ (?:s|minutes))(?: of training)?,? on "
    r"(?:(?:one of )?(2\s+cores of) an (\w+ \w+)|(one) (NVIDIA \w+))"
)
_UNMEASURED = ("Not measured", "Measured only")
_PUBLISHED = ("Published", "The published")


@dataclass(frozen=True)
class Expectation:
    """An accuracy or loss, the training steps it took, and their measured time and machine."""

    reached: str
    """Such as `99 %` or `loss 1.77`; empty where nothing was measured."""
    steps: int | None
    """The most steps it took; None where it was published by others, on machines of theirs."""
    measured: str
    """Such as `7 s, 2 cores of Intel Xeon`."""

    def seconds(self, config: Config, gemm_gflops: float | None) -> float | None:
        """Return the time of these steps at a rate of matrix products, evaluations included."""
        if self.steps is None or not gemm_gflops:
            return None
        train = config.train.model_copy(update={"steps": min(self.steps, config.train.steps)})
        return run_seconds(config.model_copy(update={"train": train}), gemm_gflops)


def expectation_of(config: Config) -> Expectation:
    """Read a configuration's own words about itself (`expect`)."""
    words = " ".join(config.expect.split())
    reached = _REACHED.search(words)
    if reached is None or words.startswith(_UNMEASURED):
        return Expectation("", None, "")
    if words.startswith(_PUBLISHED):
        return Expectation(f"published {reached[0]}", None, "")
    steps, measured = _STEPS.search(words), _MEASURED.search(words)
    most = max(int(number.replace(" ", "")) for number in steps.groups() if number) if steps else None
    time, *machine = [part for part in measured.groups() if part] if measured else [""]
    where = ", ".join([time.replace("minutes", "min"), " ".join(machine)]) if measured else ""
    return Expectation(reached[0], most, where)
