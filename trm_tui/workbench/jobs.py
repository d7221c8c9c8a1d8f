"""What an experiment's thread does: train anew, go on, or replay.

Only here is the engine's training imported, in that thread: it brings torch, and the app's first frame does
not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from trm_engine.config import Config
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.events import Event, Finished, Listener
from trm_tui.shared.results import replay_verdict
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.session_files import facts_of

if TYPE_CHECKING:
    from trm_engine.training.run import Sitting

_LONGEST_TITLE = 60
Progress = Callable[[str, int, int], None]
Job = Callable[[Control, Recorder, Progress], Finished]
"""Trains until it is over. The recorder hears what comes of it, but the end: that is returned."""


def start_job(store: Store, config: Config, *, preset: str, name: str, ranks: int = 1) -> Job:
    """Train a configuration as a new session, on a number of ranks."""

    def begin(sitting: Sitting) -> Finished:
        from trm_engine.training.runs import start

        return start(store, config, sitting, preset=preset, name=name)

    return _seated(store, begin, ranks)


def resume_job(
    store: Store,
    session: str,
    *,
    checkpoint: int | None = None,
    overrides: Sequence[str] = (),
    ranks: int = 1,
) -> Job:
    """Resume a session, on a number of ranks."""

    def go_on(sitting: Sitting) -> Finished:
        from trm_engine.training.runs import resume

        return resume(store, session, sitting, checkpoint=checkpoint, overrides=overrides)

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        # Before torch is imported: what is known already is shown meanwhile.
        found = store.get(session)
        records = found.metrics.read()
        recorder.remember(record for record in records if checkpoint is None or _step(record) <= checkpoint)
        recorder.describe(**facts_of(found))
        return _seated(store, go_on, ranks)(control, recorder, progress)

    return work


def _seated(store: Store, begin: Callable[[Sitting], Finished], ranks: int) -> Job:
    """Return a job that trains in a sitting: alone, or as the first of several ranks.

    When another rank dies, all but this one are restarted, and the run resumes from its last checkpoint.
    """

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        from trm_engine.training.run import Sitting

        sitting = Sitting(control, [_until_its_end(recorder)], progress=progress)
        if ranks == 1:
            return begin(sitting)
        from trm_engine.training.ranks.together import train_together

        return train_together(store, ranks, sitting, begin, lambda why: recorder.log("warning", why))

    return work


def fork_name(title: str, step: int) -> str:
    """Return what a session is called that goes on from a step of another."""
    return f"{title[:_LONGEST_TITLE]} from {step}"


def fork_job(
    store: Store,
    session: str,
    *,
    checkpoint: int | None = None,
    name: str = "",
    overrides: Sequence[str] = (),
) -> Job:
    """Copy a session as it was at a checkpoint, and resume the copy under these settings."""

    def work(control: Control, recorder: Recorder, progress: Progress) -> Finished:
        from trm_engine.sessions.fork import fork_session

        copy = fork_session(store, session, step=checkpoint, name=name)
        if overrides:
            recorder.log("info", f"the other has ended: this one trains on with {', '.join(overrides)}")
        return resume_job(store, copy, overrides=overrides)(control, recorder, progress)

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
