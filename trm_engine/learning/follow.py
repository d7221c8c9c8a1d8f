"""What the ranks beside rank 0 do: the calls that rank 0's learner makes, one after the other."""

from __future__ import annotations

from contextlib import ExitStack

from trm_engine.compute.group import Group
from trm_engine.config import loads
from trm_engine.learning.gradient_noise import gradient_noise
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.allocator import is_out_of_memory, release_memory


def follow(learner: Learner, group: Group) -> None:
    """Learn with the other ranks until rank 0 says that the run is over.

    A lack of memory has rank 0 make the step smaller; where it came too late to undo the step, it is raised.
    """
    averaged = ExitStack()
    while (call := (message := group.hear()).pop("call")) != "end":
        step = learner.counters.step
        try:
            _make(learner, group, call, message, averaged)
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error) or learner.counters.step != step:
                raise
        else:
            continue
        release_memory()  # beyond the handler: the error held on to the tensors of the step


def _make(learner: Learner, group: Group, call: str, message: dict[str, object], averaged: ExitStack) -> None:
    match call, message:
        case "learn", {"micro_batch": int(micro_batch)}:
            learner.learn(micro_batch)
        case "gather", _:
            learner.gather()
        case "measure", {"count": int(count), "final": bool(final), "thorough": bool(thorough)}:
            examples = learner.task.test if final else learner.task.test.head(count)
            learner.measure(examples, final=final, thorough=thorough)
        case "average", _:
            averaged.enter_context(learner.averaged_weights())
        case "end_average", _:
            averaged.close()
        case "gradient_noise", {"micro_batch": int(micro_batch)}:
            gradient_noise(learner, micro_batch)
        case "reconfigure", {"config": str(text)}:
            learner.reconfigure(loads(text, "the configuration of rank 0"))
        case "scale_rate", {"factor": float(factor)}:
            learner.scale_rate(factor)
        case "restore", {"state": dict(state)}:
            learner.restore(group.take(), group.take(), state)
        case _:
            raise AssertionError(f"rank 0 makes a call that is unknown here: {call}")
