"""The `trm-tui` command: global options, error handling, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

import trm_engine
from trm_engine.errors import TrmError, UsageError
from trm_engine.json_text import to_json
from trm_engine.process_setup import prepare_process
from trm_engine.remedies import Remedy
from trm_engine.text import safe_text
from trm_tui.cli.hints import usage_message
from trm_tui.cli.lazy import LazyCommands
from trm_tui.cli.terminal.context import Settings, user_path
from trm_tui.cli.terminal.streams import Output, end_streams, output_code, steady_streams
from trm_tui.cli.words import arranged
from trm_tui.shared.starting import announce, clear

app = typer.Typer(
    name="trm-tui",
    cls=LazyCommands,
    help="Train Tiny Recursive Models on the machine you already own.",
    epilog="Begin with:  trm-tui --no-ui run sudoku-4x4",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"trm-tui {trm_engine.__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _settings(
    ctx: typer.Context,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Never open the terminal app.")] = False,
    sessions_dir: Annotated[
        Path | None,
        typer.Option(
            parser=user_path,
            metavar="FOLDER",
            envvar="TRM_SESSIONS_DIR",
            help="Where sessions live. Default: ./sessions if there is one, else the user's data folder.",
        ),
    ] = None,
    hardware: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Plan for another machine (check, hardware).")
    ] = None,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    ctx.obj = Settings(no_ui, sessions_dir, hardware)
    if ctx.invoked_subcommand is None:
        raise typer.Exit(_open_app(ctx.obj))


def _open_app(chosen: Settings) -> int:
    if chosen.no_ui:
        raise UsageError("--no-ui needs a command; for example: trm-tui --no-ui run sudoku-4x4")
    announce()
    from trm_tui.tui.main import open_app

    return open_app(chosen.store(), hardware=chosen.profile())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code (see the README for what each means)."""
    words = arranged(sys.argv[1:] if arguments is None else arguments)
    prepare_process()
    with steady_streams() as (out, err):
        code = end_streams(out, err, _run(words, out, debug="--debug" in words))
    sys.exit(code)


def _run(words: list[str], out: Output, *, debug: bool) -> int:
    """Run a command and return its exit code; what goes wrong is told on stderr, in a line or two.

    With `--json` that is one JSON object on a line.
    """
    as_json = "--json" in words
    try:
        result = app(args=words, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except TrmError as error:
        if debug:
            raise
        from trm_tui.shared.wording import command_text

        _complain(command_text(error), error.exit_code, as_json, error.remedies)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except (Exception, SystemExit) as error:
        if out.failed is not None:  # rich and click make a SystemExit of a broken pipe
            return output_code(out.failed)
        if debug or isinstance(error, SystemExit):
            raise
        usage = usage_message(error, words)
        if usage is None:
            told = f"unexpected {type(error).__name__}: {error}\nRun it again with --debug for the traceback."
            _complain(told, 1, as_json)
            return 1
        if usage:
            _complain(usage, 2, as_json)
        return 2


def _complain(message: str, code: int, as_json: bool, remedies: Sequence[Remedy] = ()) -> None:
    clear()
    if as_json:
        listed = [remedy.to_dict() for remedy in remedies]
        told = to_json(
            {"error": {"message": message, "exit_code": code, "remedies": listed}}, ascii_only=True
        )
    elif message.startswith("Usage:"):  # a group of commands that was given none
        told = message
    else:
        lines = safe_text(message).splitlines() or ["unknown error"]
        told = "\n".join([f"error: {lines[0]}", *(f"       {line}" for line in lines[1:])])
    with suppress(OSError):  # with nobody to tell, the exit code says it
        sys.stderr.write(told + "\n")
