"""What an experiment's thread does: train anew, go on, or replay.

Only here is the engine's training imported, in that thread: it brings torch, and the app's first frame does
not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trm_engine.config import Config
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_tui.workbench.recorder import Recorder

Progress = Callable[[str, int, int], None]
Job = Callable[[Control, Recorder, Progress], None]
"""Trains until it is over; what comes of it, the recorder hears."""


def start_job(store: Store, config: Config, *, preset: str, name: str) -> Job:
    """Train a configuration as a new session."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> None:
        from trm_engine.training.runs import Sitting, start

        start(store, config, Sitting(control, [recorder], progress=progress), preset=preset, name=name)

    return work


def resume_job(
    store: Store, session: str, *, checkpoint: int | None = None, overrides: Sequence[str] = ()
) -> Job:
    """Go on with a session."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> None:
        from trm_engine.training.runs import Sitting, resume

        records = store.get(session).metrics.read()
        recorder.remember(record for record in records if checkpoint is None or _step(record) <= checkpoint)
        sitting = Sitting(control, [recorder], progress=progress)
        resume(store, session, sitting, checkpoint=checkpoint, overrides=overrides)

    return work


def replay_job(store: Store, session: str) -> Job:
    """Run a session's configurations again and say whether every loss agreed."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> None:
        from trm_engine.training.runs import Sitting, replay

        outcome = replay(store, session, Sitting(control, [recorder], progress=progress))
        if outcome.agrees:
            verdict = (
                f"replay: every loss agrees bit for bit with {session} ({outcome.compared} records compared)"
            )
        elif outcome.first_difference is None:
            verdict = f"replay: stopped before anything could be compared with {session}"
        else:
            why = "; ".join(outcome.differences) or "same versions and threads"
            verdict = f"replay: the losses differ from {session} by step {outcome.first_difference} ({why})"
        recorder.judge(verdict, agrees=outcome.agrees)

    return work


def _step(record: Mapping[str, object]) -> float:
    step = record.get("step")
    return step if isinstance(step, (int, float)) else 0
