"""`run`, `resume` and `replay`: training, headless."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.compute.place import Place
from trm_engine.errors import UsageError
from trm_tui.cli import completion
from trm_tui.cli.plot import show_curves
from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, notice, print_json, print_text
from trm_tui.cli.terminal.ranks import RanksOption, asked_ranks, follows, joined, supervised
from trm_tui.shared.starting import announce

if TYPE_CHECKING:
    from trm_engine.config import Config
    from trm_engine.sessions import Store
    from trm_engine.training.events import Finished
    from trm_engine.training.run import Sitting

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="SECTION.KEY=VALUE", help="Change a setting; repeatable."),
]
SecondsOption = Annotated[
    float | None, typer.Option(min=0, help="Stop cleanly after this many seconds of training.")
]
StepsOption = Annotated[int | None, typer.Option(min=0, help="Stop cleanly after this many steps.")]
QuietFlag = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; warnings, errors and the result only.")
]
VerboseFlag = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say what was chosen for this machine, and what the data are.")
]
DataOption = Annotated[
    str, typer.Option(metavar="PATH", help="Where the session's data are now, if they have been moved.")
]
SessionArgument = Annotated[
    str,
    typer.Argument(
        help="An id, a unique prefix of one, a name, or `latest`.", autocompletion=completion.sessions
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (run, resume, replay):
        app.command()(command)


def run(
    ctx: typer.Context,
    preset: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|FILE.toml|SUITE/EXPERIMENT",
            help="A preset, a TOML file, or laptop/exp01a.",
            autocompletion=completion.presets,
        ),
    ],
    overrides: SetOption = None,
    data: Annotated[
        str, typer.Option(metavar="FILE", help="Training data: short for --set task.data=FILE.")
    ] = "",
    name: Annotated[str, typer.Option(help="A name for the session.")] = "",
    origin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SESSION[:STEP|best]",
            help="Begin from another session's weights.",
            autocompletion=completion.sessions,
        ),
    ] = "",
    optimizer: Annotated[
        bool, typer.Option("--optimizer", help="With --from: take the state of its optimizer, too.")
    ] = False,
    seconds: SecondsOption = None,
    steps: StepsOption = None,
    ranks: RanksOption = "",
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    verbose: VerboseFlag = False,
) -> int:
    """Train a preset or a configuration file."""
    if follows():
        return _train_along()
    store = settings(ctx).store()
    if optimizer and not origin:
        raise UsageError("--optimizer belongs to --from")
    overrides = [*(overrides or []), *_setting_of("task.data", data)]
    if not _is_headless(ctx, json, quiet, verbose):
        _refuse_headless_options(seconds=seconds, steps=steps, **{"from": origin})
        _refuse_experiment(preset)
        announce()
        from trm_tui.tui.main import open_app

        machine = settings(ctx).profile()
        count = asked_ranks(ranks, configured(preset, overrides)[1])[0] if ranks else 1
        return open_app(store, preset=preset, overrides=overrides, name=name, ranks=count, hardware=machine)
    label, config = configured(preset, overrides)
    count, why = asked_ranks(ranks, config)
    if count > 1:
        beginning = [*_given("--from", origin), *(["--optimizer"] if optimizer else [])]
        words = ["run", preset, *_repeated("--set", overrides), *_given("--name", name), *beginning]
        words += _shown(seconds, steps, json=json, quiet=quiet, verbose=verbose)
        return _supervised(store, words, count, why)
    from trm_engine.training.origin import Origin
    from trm_engine.training.ranks.lead import going_on
    from trm_engine.training.runs import resume as resume_session
    from trm_engine.training.runs import start
    from trm_tui.cli.terminal.printers import printing
    from trm_tui.cli.terminal.sitting import seated

    with (
        joined() as group,
        seated(printing(json, quiet, verbose), seconds=seconds, steps=steps, group=group) as sitting,
    ):
        begin = Origin.parse(origin, optimizer=optimizer) if origin else None
        if (begun := going_on(store, group)) is not None:
            finished = resume_session(store, begun, sitting)
        else:
            finished = start(store, config, sitting, preset=label, name=name, origin=begin)
    return _ended(ctx, store, finished, sitting, told=not (json or quiet))


def configured(preset: str, overrides: list[str]) -> tuple[str, Config]:
    """Return what a preset, a file or an experiment of a study (`laptop/exp01a`) is called and says."""
    from trm_engine.config import apply, as_variant, find_preset
    from trm_engine.studies.catalogue import find_experiment, is_experiment
    from trm_engine.studies.plan import base_of, resolve

    if is_experiment(preset):
        study, experiment = find_experiment(preset)
        return preset, resolve(study, experiment, base_of(study), overrides)
    found = find_preset(preset)
    return found.name, as_variant(apply(found.config, overrides), found.config)


def _refuse_experiment(preset: str) -> None:
    from trm_engine.studies.catalogue import is_experiment

    if is_experiment(preset):
        raise UsageError(f"{preset} is an experiment of a study; run it by: trm-tui --no-ui run {preset}")


def resume(
    ctx: typer.Context,
    session: SessionArgument,
    checkpoint: Annotated[
        int | None, typer.Option(metavar="STEP", help="Resume from this checkpoint.")
    ] = None,
    overrides: SetOption = None,
    data: DataOption = "",
    seconds: SecondsOption = None,
    steps: StepsOption = None,
    ranks: RanksOption = "",
    json: JsonFlag = False,
    quiet: QuietFlag = False,
    verbose: VerboseFlag = False,
) -> int:
    """Go on with a session, bit for bit as if it had never stopped. `--set train.steps=…` extends it."""
    if follows():
        return _train_along()
    store = settings(ctx).store()
    overrides = [*(overrides or []), *_setting_of("task.data", data)]
    if not _is_headless(ctx, json, quiet, verbose):
        _refuse_headless_options(seconds=seconds, steps=steps)
        announce()
        from trm_tui.tui.main import open_app

        machine = settings(ctx).profile()
        count = asked_ranks(ranks, _configuration_of(store, session, overrides))[0] if ranks else 1
        return open_app(
            store,
            resume=session,
            checkpoint=checkpoint,
            overrides=overrides,
            ranks=count,
            hardware=machine,
        )
    count, why = asked_ranks(ranks, _configuration_of(store, session, overrides)) if ranks else (1, "")
    if count > 1:
        which = _given("--checkpoint", "" if checkpoint is None else str(checkpoint))
        words = ["resume", store.resolve(session), *_repeated("--set", overrides), *which]
        words += _shown(seconds, steps, json=json, quiet=quiet, verbose=verbose)
        return _supervised(store, words, count, why)
    from trm_engine.training.ranks.lead import going_on
    from trm_engine.training.runs import resume as resume_session
    from trm_tui.cli.terminal.printers import printing
    from trm_tui.cli.terminal.sitting import seated

    with (
        joined() as group,
        seated(printing(json, quiet, verbose), seconds=seconds, steps=steps, group=group) as sitting,
    ):
        if (begun := going_on(store, group)) is not None:
            finished = resume_session(store, begun, sitting)
        else:
            finished = resume_session(store, session, sitting, checkpoint=checkpoint, overrides=overrides)
    return _ended(ctx, store, finished, sitting, told=not (json or quiet))


def replay(
    ctx: typer.Context,
    session: SessionArgument,
    data: DataOption = "",
    json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> int:
    """Run a session's recorded configuration again and say whether every loss agreed bit for bit."""
    from trm_engine.training.replay import replay as replay_session
    from trm_tui.cli.terminal.printers import ProgressPrinter, QuietPrinter
    from trm_tui.cli.terminal.sitting import exit_code, seated
    from trm_tui.shared.results import replay_verdict

    store = settings(ctx).store()
    if Place.told() is not None:
        raise UsageError("a replay is one process: run it without torchrun")
    original = store.get(session).id
    printer = (QuietPrinter if quiet or json else ProgressPrinter)(summary=False)
    with seated(printer) as sitting:
        outcome = replay_session(store, session, sitting, overrides=_setting_of("task.data", data))
    verdict = {
        "session": outcome.finished.session,
        "replayed": original,
        "agrees": outcome.agrees,
        "records_compared": outcome.compared,
        "first_difference": outcome.first_difference,
        "differences": list(outcome.differences),
        "comparable": outcome.comparable,
        "weights_sha256": outcome.finished.weights_sha256,
    }
    if json:
        print_json(verdict)
    else:
        print_text(replay_verdict(outcome, original))
    return exit_code(outcome.finished, sitting) or (0 if outcome.agrees else 1)


def _train_along() -> int:
    from trm_engine.training.ranks.follower import train_along

    return train_along()


def _supervised(store: Store, words: list[str], ranks: int, why: str) -> int:
    return supervised(["--sessions-dir", str(store.root.absolute()), *words], ranks, why)


def _configuration_of(store: Store, session: str, overrides: list[str]) -> Config:
    from trm_engine.config import apply, loads

    found = store.get(session)
    return apply(loads(found.config_text, f"session {found.id}"), overrides)


def _shown(seconds: float | None, steps: int | None, **flags: bool) -> list[str]:
    """Return the options of a sitting in the terminal as words of a command."""
    limits = {"--seconds": seconds, "--steps": steps}
    words = [f"{name}={value}" for name, value in limits.items() if value is not None]
    return [*words, *(f"--{name}" for name, is_set in flags.items() if is_set)]


def _given(option: str, value: str) -> list[str]:
    """Return an option with its value as words of a command; none where the value is empty."""
    return [f"{option}={value}"] if value else []


def _repeated(option: str, values: list[str]) -> list[str]:
    return [f"{option}={value}" for value in values]


def _ended(ctx: typer.Context, store: Store, finished: Finished, sitting: Sitting, *, told: bool) -> int:
    """Draw the run's curves under its summary where a person looks, and say how it is resumed.

    Returns the exit code.
    """
    from trm_tui.cli.terminal.sitting import exit_code

    if told:
        show_curves(store, finished.session)
        if finished.status == "stopped":
            given = settings(ctx).sessions_dir
            where = f"--sessions-dir {quote(str(given))} " if given is not None else ""
            notice(f"resume it with: trm-tui --no-ui {where}resume {finished.session}")
    return exit_code(finished, sitting)


def _setting_of(key: str, text: str) -> list[str]:
    """Return a text as an assignment, quoted so that it is never read as anything else."""
    from trm_engine.config import write_value

    return [f"{key}={write_value(text)}"] if text else []


def _is_headless(ctx: typer.Context, *printed: bool) -> bool:
    """Whether there is no app: none is wanted, or something is asked for that only the terminal prints."""
    return settings(ctx).no_ui or any(printed)


def _refuse_headless_options(**given: object) -> None:
    """Refuse what only makes sense without the app."""
    for name, value in given.items():
        if value is not None and value is not False and value != "":
            raise UsageError(f"--{name} is for runs without the app: add --no-ui")
