"""`studies run`, `status`, `stop` and `resume`."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import FitError, ResourceError, SessionError, UsageError
from trm_engine.text import duration, format_bytes
from trm_tui.cli.studies.options import (
    CorrectedFlag,
    OnOption,
    ParallelOption,
    PatternOption,
    Planned,
    SeedsOption,
    StudyArgument,
    planned,
)
from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, notice, print_facts, print_json, print_table, print_text
from trm_tui.cli.train import SetOption

if TYPE_CHECKING:
    from trm_engine.sessions import Store
    from trm_engine.studies.runner import Runner
    from trm_engine.studies.state import Found

_LONG_SECONDS = 7 * 86_400
_JSON_SECONDS = 0.5
_LINE_SECONDS = 10.0

FailuresOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Stop after this many failed trials; 0: never.")
]
YesFlag = Annotated[bool, typer.Option("--yes", help="Start even what takes more than a week here.")]
RetryFlag = Annotated[bool, typer.Option("--retry-diverged", help="Run diverged trials again.")]


def run(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    parallel: ParallelOption = "auto",
    on: OnOption = "local",
    stop_after_failures: FailuresOption = 0,
    retry_diverged: RetryFlag = False,
    yes: YesFlag = False,
    json: JsonFlag = False,
) -> int:
    """Run what is left of a study or suite, trials side by side, each a session of its own.

    Every trial is checked before the first one starts. A stopped, killed or crashed study goes on where it
    was when this is called again; more seeds or more steps go on from what is finished. Exit code 1 when a
    trial failed.
    """
    found = planned(
        settings(ctx),
        name,
        pattern=pattern,
        seeds=seeds,
        overrides=overrides,
        corrected=corrected,
        parallel=parallel,
        on=on,
    )
    store = settings(ctx).store()
    return _run(store, found, stop_after_failures, retry_diverged=retry_diverged, yes=yes, json=json)


def resume(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    parallel: ParallelOption = "auto",
    on: OnOption = "local",
    json: JsonFlag = False,
) -> int:
    """Go on with a study that was begun; the same as `run`, but refuses one of which there is nothing yet."""
    from trm_engine.studies.state import look

    found = planned(
        settings(ctx),
        name,
        pattern=pattern,
        seeds=seeds,
        overrides=overrides,
        corrected=corrected,
        parallel=parallel,
        on=on,
    )
    store = settings(ctx).store()
    if all(one.stage == "waiting" for one in look(store, found.plan.trials)):
        raise SessionError(f"{name}: nothing of it is in {store.root}; `studies run {name}` begins it")
    return _run(store, found, 0, retry_diverged=False, yes=True, json=json)


def _run(
    store: Store, found: Planned, stop_after_failures: int, *, retry_diverged: bool, yes: bool, json: bool
) -> int:
    from trm_engine.studies.launchers.choose import launcher
    from trm_engine.studies.runner import Runner

    _require_possible(store, found, yes=yes)
    printer = _JsonPrinter() if json else _LinePrinter()
    runner = Runner(
        store,
        found.plan,
        launcher(found.on, store.root, found.workers),
        printer,
        forecast=found.forecast,
        threads=found.threads,
        stop_after_failures=stop_after_failures,
        retry_diverged=retry_diverged,
    )
    with _stopped_by_signals(runner) as signals:
        outcome = runner.run()
    if signals:
        return 128 + signals[0]
    return 0 if not (outcome.failed or outcome.diverged or outcome.left) else 1


@contextmanager
def _stopped_by_signals(runner: Runner) -> Iterator[list[int]]:
    """Have the first signal end the study cleanly, and a second SIGINT leave at once."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if seen and number == signal.SIGINT:
            os._exit(128 + number)  # the trials have been told to save; they end by themselves
        seen.append(number)
        runner.stop(f"signal {number}")

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_possible(store: Store, found: Planned, *, yes: bool) -> None:
    """Refuse what cannot end well before anything is started. Raises `TrmError`."""
    import shutil

    from trm_engine.files import disk_errors
    from trm_engine.planning.estimate import memory_budget
    from trm_engine.studies.state import look
    from trm_engine.training.tracking.tracker import require_trackers

    left = [one.trial for one in look(store, found.plan.trials) if one.stage not in ("done", "diverged")]
    for trial in left:
        require_trackers(trial.config.track)
        if not found.here:
            continue
        budget = memory_budget(trial.config, found.machine)
        if budget is not None and trial.fit.peak_rss_bytes > budget:
            raise FitError(
                f"{trial.name} needs about {format_bytes(trial.fit.peak_rss_bytes)} of memory and may use "
                f"{format_bytes(budget)}; nothing was started"
            )
    seconds = found.forecast.total_seconds(left)
    if seconds > _LONG_SECONDS and not yes and found.here:
        raise UsageError(
            f"{found.plan.selection.name} would take about {seconds / 86_400:,.0f} days here; "
            "add --yes to begin anyway"
        )
    with disk_errors("use the sessions folder"):
        store.root.mkdir(parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(store.root).free, sum(trial.disk_bytes for trial in left)
    if needed > free:
        raise ResourceError(
            f"the trials need up to {format_bytes(needed)} in {store.root}, where {format_bytes(free)} is "
            "free; nothing was started"
        )


class _JsonPrinter:
    """One JSON object a line; progress is throttled."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, event: Mapping[str, object]) -> None:
        if event["event"] == "progress":
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + _JSON_SECONDS
        print_json(event)


class _LinePrinter:
    """A line for each thing that happens, and one for the whole every few seconds, on stderr."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, event: Mapping[str, object]) -> None:
        kind, trial = str(event["event"]), event.get("trial", "")
        if kind == "progress":
            now = time.monotonic()
            if now >= self._next:
                self._next = now + _LINE_SECONDS
                notice(_overall(event))
        elif kind == "study-started":
            notice(f"{event['trials']} trials, {event['waiting']} to run")
        elif kind == "study-finished":
            print_text(_ending(event))
        elif kind == "trial-eval" and event["final"]:
            notice(f"{trial}: {_measured(event)}")
        elif kind == "trial-started":
            notice(f"{trial}: {'resumes from ' + str(event['session']) if event['resumed'] else 'begins'}")
        elif kind in ("trial-failed", "trial-diverged", "trial-retried", "trial-stopped"):
            reason = f": {event['reason']}" if event.get("reason") else ""
            notice(f"{trial}: {kind.removeprefix('trial-')}{reason}")


def _overall(event: Mapping[str, object]) -> str:
    eta = event["eta_seconds"]
    assert isinstance(eta, float)
    return (
        f"{event['done']} of {event['trials']} done, {event['running']} running, {event['waiting']} waiting; "
        f"about {duration(eta)} left"
    )


def _measured(event: Mapping[str, object]) -> str:
    accuracy = event.get("exact_accuracy")
    return f"{accuracy:.2%} exact" if isinstance(accuracy, float) else f"loss {event.get('loss')}"


def _ending(event: Mapping[str, object]) -> str:
    parts = [f"{event['done']} done"]
    for name in ("failed", "diverged"):
        found = event[name]
        assert isinstance(found, dict)
        parts += [f"{name} {trial}: {why}" for trial, why in found.items()]
    for name in ("stopped", "left"):
        listed = event[name]
        assert isinstance(listed, list)
        if listed:
            parts.append(f"{len(listed)} {name}")
    return "\n".join(parts)


def status(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    json: JsonFlag = False,
) -> None:
    """Say how far a study is, as the sessions on disk tell it."""
    from trm_engine.studies.catalogue import select
    from trm_engine.studies.plan import build_plan
    from trm_engine.studies.state import look

    plan = build_plan(select(name, pattern), seeds=seeds, overrides=overrides or [], corrected=corrected)
    found = look(settings(ctx).store(), plan.trials)
    counts = Counter[str](one.stage for one in found)
    if json:
        print_json(
            {"name": name, "trials": len(found), **_counts(counts), "states": [_state(one) for one in found]}
        )
        return
    rows = [
        (
            one.trial.name,
            one.stage,
            f"{one.step:,}" if one.record else "",
            _accuracy(one),
            one.record.id if one.record else "",
        )
        for one in found
    ]
    print_table(("trial", "state", ">steps", ">exact", "session"), rows)
    print_facts(
        [(stage, count) for stage, count in _counts(counts).items() if count], title=f"{len(found)} trials"
    )


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {stage: counts.get(stage, 0) for stage in ("done", "running", "begun", "diverged", "waiting")}


def _state(one: Found) -> dict[str, object]:
    record = one.record
    return {
        "trial": one.trial.name,
        "digest": one.trial.digest,
        "experiments": list(one.trial.experiments),
        "state": one.stage,
        "session": record.id if record else None,
        "status": record.status if record else None,
        "steps": one.step,
        "summary": record.summary if record else {},
    }


def _accuracy(one: Found) -> str:
    measured = one.record.summary.get("eval") if one.record else None
    value = measured.get("exact_accuracy") if isinstance(measured, dict) else None
    return f"{value:.2%}" if isinstance(value, float) else ""


def stop(
    ctx: typer.Context,
    name: StudyArgument,
    trial: Annotated[str, typer.Argument(help="Only this trial, such as exp01a-s0.")] = "",
) -> None:
    """Stop a running study, or one trial of it: saved, and gone on with by `studies resume`."""
    from trm_engine.studies.stop import stop_study, stop_trial

    store = settings(ctx).store()
    if trial:
        print_text(f"{trial}: {stop_trial(store, name, trial)}")
        return
    stopped = stop_study(store, name)
    print_text(f"{name}: asked {stopped} process{'es' if stopped != 1 else ''} to save and stop")
