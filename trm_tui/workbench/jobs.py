"""What an experiment's thread does: train anew, go on, or replay.

Only here is the engine's training imported, in that thread: it brings torch, and the app's first frame does
not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trm_engine.config import Config
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.events import Event, Finished, Listener
from trm_tui.shared.results import replay_verdict
from trm_tui.workbench.recorder import Recorder

Progress = Callable[[str, int, int], None]
Job = Callable[[Control, Recorder, Progress], Finished]
"""Trains until it is over. The recorder hears what comes of it, but the end: that is returned."""


def start_job(store: Store, config: Config, *, preset: str, name: str) -> Job:
    """Train a configuration as a new session."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        from trm_engine.training.run import Sitting
        from trm_engine.training.runs import start

        sitting = Sitting(control, [_until_its_end(recorder)], progress=progress)
        return start(store, config, sitting, preset=preset, name=name)

    return work


def resume_job(
    store: Store, session: str, *, checkpoint: int | None = None, overrides: Sequence[str] = ()
) -> Job:
    """Go on with a session."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        from trm_engine.training.run import Sitting
        from trm_engine.training.runs import resume

        records = store.get(session).metrics.read()
        recorder.remember(record for record in records if checkpoint is None or _step(record) <= checkpoint)
        sitting = Sitting(control, [_until_its_end(recorder)], progress=progress)
        return resume(store, session, sitting, checkpoint=checkpoint, overrides=overrides)

    return work


def replay_job(store: Store, session: str) -> Job:
    """Run a session's configurations again and say whether every loss agreed."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        from trm_engine.training.replay import replay
        from trm_engine.training.run import Sitting

        outcome = replay(store, session, Sitting(control, [_until_its_end(recorder)], progress=progress))
        recorder.judge(f"replay: {replay_verdict(outcome, session)}", agrees=outcome.agrees)
        return outcome.finished

    return work


def _until_its_end(recorder: Recorder) -> Listener:
    """Return a listener that leaves out how the run ends: its session is not closed yet."""

    def listen(event: Event) -> None:
        if not isinstance(event, Finished):
            recorder(event)

    return listen


def _step(record: Mapping[str, object]) -> float:
    step = record.get("step")
    return step if isinstance(step, (int, float)) else 0
