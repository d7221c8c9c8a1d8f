"""`queue …`: runs that wait for each other, in a terminal or a script; the app has the same queue."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, notice, print_json, print_table, print_text
from trm_tui.cli.train import SetOption, configured

if TYPE_CHECKING:
    from trm_tui.workbench.queue.queue_file import Queued, QueueFile
    from trm_tui.workbench.workbench import Workbench

app = typer.Typer(help="Run configurations one after another.", no_args_is_help=True)
_LOOK_SECONDS = 0.2
_FAILED = 1
Number = Annotated[int, typer.Argument(min=1, help="Its number in the list.")]


@app.command("list")
def list_runs(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List what is queued, in its order."""
    runs = _file(ctx).read()
    if json:
        told = ("name", "preset", "session", "problem", "config")
        print_json([{name: getattr(run, name) for name in told} for run in runs])
        return
    if not runs:
        print_text("nothing is queued")
        return
    rows = [(str(n), r.title, r.preset, _state(r), r.session) for n, r in enumerate(runs, 1)]
    print_table((">", "run", "preset", "state", "session"), rows)


@app.command()
def add(
    ctx: typer.Context,
    preset: Annotated[
        str, typer.Argument(metavar="PRESET|FILE.toml", help="A preset's name or a TOML file.")
    ],
    overrides: SetOption = None,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    sweep: Annotated[
        str, typer.Option(metavar="KEY=V1,V2", help="A run for each of these values: train.lr=0.001,0.002.")
    ] = "",
) -> None:
    """Add a run at the end, or one for each of several values of a setting."""
    from trm_engine.errors import UsageError
    from trm_tui.workbench.queue.queue_file import queued

    key, _, values = sweep.partition("=")
    if sweep and not (key and values):
        raise UsageError(f"--sweep {sweep}: write it as section.key=value,value")
    runs = []
    for value in values.split(",") if sweep else [""]:
        extra = [f"{key}={value}"] if sweep else []
        label, config = configured(preset, [*(overrides or []), *extra])
        called = f"{name or label} {key.rpartition('.')[2]}={value}" if sweep else name
        runs.append(queued(config, label, called))
    count = _file(ctx).add(runs)
    print_text(f"queued {', '.join(run.title for run in runs)}; {count} in the queue")


@app.command()
def remove(ctx: typer.Context, number: Number) -> None:
    """Take a run out of the queue; a session that it has begun stays."""
    file, run = _chosen(ctx, number)
    file.remove(run.id)
    print_text(f"removed {run.title}")


@app.command()
def move(
    ctx: typer.Context, number: Number, to: Annotated[int, typer.Argument(min=1, help="Its new number.")]
) -> None:
    """Give a run another place in the order."""
    file, run = _chosen(ctx, number)
    file.move(run.id, to - number)
    print_text(f"{run.title} is number {[r.id for r in file.read()].index(run.id) + 1} now")


@app.command("run")
def run_queue(ctx: typer.Context) -> None:
    """Run what is queued, one after another; ctrl+c saves the run and leaves the rest for later.

    Exit code 1 where a run failed or diverged: it stays in the queue, with its reason.
    """
    from trm_tui.shared.signals import stopping_signals
    from trm_tui.workbench.local_workbench import LocalWorkbench
    from trm_tui.workbench.queue.queue_runner import QueueRunner

    asked: list[int] = []
    chosen = settings(ctx)
    workbench = LocalWorkbench(chosen.store(), chosen.profile())
    file = _file(ctx)
    runner = QueueRunner(workbench, file)
    runner.go()
    before = {n: signal.signal(n, lambda number, _: asked.append(number)) for n in stopping_signals()}
    workbench.open()
    try:
        seen: dict[int, str] = {}
        while runner.going and not asked:
            for told in runner.step():
                notice(told)
            _tell(workbench, seen)
            time.sleep(_LOOK_SECONDS)
    finally:
        workbench.close()
        runner.hold()
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        notice("saved; trm-tui queue run continues")
        raise typer.Exit(128 + asked[0])
    if any(run.problem for run in file.read()):
        raise typer.Exit(_FAILED)


def _tell(workbench: Workbench, seen: dict[int, str]) -> None:
    """Say what has become of each run."""
    for slot in workbench.slots():
        now = f"{slot.state} · session {slot.session}" if slot.session else slot.state
        if seen.get(slot.number) != now and slot.state not in ("preparing", "waiting"):
            seen[slot.number] = now
            notice(f"{slot.title}: {now}")


def _state(run: Queued) -> str:
    if run.problem:
        return run.problem
    return "begun; it is resumed" if run.session else "waiting"


def _file(ctx: typer.Context) -> QueueFile:
    from trm_tui.workbench.queue.queue_file import QueueFile

    return QueueFile(settings(ctx).store().root)


def _chosen(ctx: typer.Context, number: int) -> tuple[QueueFile, Queued]:
    from trm_engine.errors import UsageError

    file = _file(ctx)
    runs = file.read()
    if number > len(runs):
        raise UsageError(f"there is no number {number}: {len(runs)} are queued")
    return file, runs[number - 1]
