"""`serve`: the puzzle server, with its API and its page."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_engine.paths import in_home
from trm_tui.cli.gateway.opening import LEAST_BYTES, SHARE_OF_MEMORY, gateway_for, with_usual_checkpoint
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import notice, print_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from trm_engine.hardware import Hardware
    from trm_engine.serving.catalogue import Catalogue
    from trm_engine.sessions import Store
    from trm_tui.server.settings import ServerSettings

CHECKPOINT_VARIABLE = "TRM_CHECKPOINT_PATH"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(serve)


def serve(
    ctx: typer.Context,
    sessions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SESSION[:STEP|best]]…", help="What to serve; default: all puzzle sessions there are."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(envvar="TRM_SERVE_HOST", help="Address to listen on; any but loopback needs a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="TRM_SERVE_PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one."
        ),
    ] = 8000,
    token: Annotated[
        str, typer.Option(envvar="TRM_SERVE_TOKEN", help="What clients must show; auto draws one.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(parser=user_path, metavar="FILE", help="Read the token from a file.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen on other addresses without a token.")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another name of this server; repeatable.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A web site whose pages may call the API; repeatable."),
    ] = None,
    allow_training: Annotated[
        bool, typer.Option("--allow-training", help="Let clients fine-tune sessions on their own puzzles.")
    ] = False,
    root_path: Annotated[str, typer.Option(help="Path under which a proxy shows the server.")] = "",
    memory: Annotated[
        float, typer.Option(min=0, metavar="GB", help="Memory for models; 0 takes a quarter of what is free.")
    ] = 0.0,
    cache: Annotated[
        float, typer.Option(min=0, metavar="MB", help="Memory for answers that are kept; 0 keeps none.")
    ] = 64.0,
    cache_dir: Annotated[
        Path | None, typer.Option(parser=user_path, metavar="FOLDER", help="Keep answers on disk, too.")
    ] = None,
    idle: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Unload models unused for so long; 0 keeps them.")
    ] = 0.0,
    docs: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FOLDER", help="Text files that the chat may answer from."),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")] = False,
) -> int:
    """Serve trained models on this machine: a web page to solve puzzles with, and an HTTP API."""
    _require_extra()
    from trm_tui.server.settings import ServerSettings

    secret = _token(token, token_file, host, insecure=insecure)
    chosen = ServerSettings(
        host=host,
        port=port,
        token=secret,
        allow_hosts=tuple(allow_host or ()),
        allow_origins=tuple(allow_origin or ()),
        allow_training=allow_training,
        root_path=root_path,
        cache_bytes=int(cache * 1e6),
        cache_folder=cache_dir,
        idle_seconds=idle,
    )
    _log(quiet=quiet)
    store, named = settings(ctx).store(), list(sessions or ())
    if not named and os.environ.get(CHECKPOINT_VARIABLE):
        store, named = _from_checkpoint(store, os.environ[CHECKPOINT_VARIABLE])
    if not named:
        store, named = with_usual_checkpoint(store)
    machine = settings(ctx).machine()
    budget = memory * 1e9 or SHARE_OF_MEMORY * (machine.memory.effective_available_bytes or 1e9)
    budget_bytes = max(int(budget), LEAST_BYTES)
    return _run(store, named, chosen, machine, budget_bytes, docs, open_browser=open_browser)


def _run(
    store: Store,
    named: list[str],
    chosen: ServerSettings,
    machine: Hardware,
    budget: int,
    docs: Path | None,
    *,
    open_browser: bool,
) -> int:
    from trm_engine.serving.catalogue import Catalogue, Named
    from trm_engine.serving.neighbours import Neighbours
    from trm_engine.serving.residents import Residents
    from trm_engine.serving.service import Service
    from trm_tui.server.app import create_app
    from trm_tui.server.launch import build_server, listen

    catalogue = Catalogue(store, [Named.parse(one) for one in named])
    neighbours = Neighbours(store, machine.cpu.usable_physical_cores or 1)
    residents = Residents(catalogue, budget=budget, threads=neighbours.threads, tell=_tell_decision)
    service = Service(residents, chosen.limits.open_questions)
    gateway = gateway_for(service, docs, neighbours.language_threads, tell=_tell_decision)
    bound = listen(chosen)
    address = _address(chosen, bound.getsockname()[1])
    _lower_priority()
    app = create_app(service, chosen, gateway)
    ready = _ready(catalogue, chosen, address, open_browser=open_browser)
    build_server(app, chosen, ready).run(sockets=[bound])
    return 0


def _ready(
    catalogue: Catalogue, chosen: ServerSettings, address: str, *, open_browser: bool
) -> Callable[[], None]:
    """Return what is said when requests are taken."""

    def say() -> None:
        count = len(catalogue.list())
        secret = f"#token={chosen.token}" if chosen.token else ""
        print_text(f"serving {count} model{'' if count == 1 else 's'} at {address}/{secret}")
        sys.stdout.flush()
        if not count:
            notice("no trained model yet; this makes one in seconds:  trm-tui --no-ui run sudoku-4x4")
        if open_browser:
            webbrowser.open(f"{address}/{secret}")

    return say


def _require_extra() -> None:
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the server needs {' and '.join(missing)}, which are not installed; install them with:\n"
            'pip install "trm-tui[serve]"'
        )


def _token(given: str, file: Path | None, host: str, *, insecure: bool) -> str:
    """Return the token that clients must show; refuse an open server on an address others can reach."""
    if given == "auto" and file is not None:
        given = ""  # a file is a choice, and auto but the wish for any
    if given and file is not None:
        raise UsageError("give --token or --token-file, not both")
    if file is not None:
        try:
            given = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"--token-file {file}: cannot be read ({error})") from error
        if not given:
            raise UsageError(f"--token-file {file}: is empty")
    if given == "auto":
        return secrets.token_urlsafe(24)
    if given and (len(given) < 8 or not given.isascii() or not given.isprintable() or " " in given):
        raise UsageError("a token has at least 8 characters, all of them ASCII and none a space")
    if not given and host not in _LOOPBACK and not insecure:
        raise UsageError(
            f"--host {host} can be reached from other machines: give a --token (auto draws one), or accept "
            "that anybody may use the server with --insecure"
        )
    return given


def _address(chosen: ServerSettings, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(chosen.host, chosen.host)  # noqa: S104  # shown only
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _from_checkpoint(store: Store, path: str) -> tuple[Store, list[str]]:
    """Return what `TRM_CHECKPOINT_PATH` names: a session's folder or checkpoint, or published weights."""
    from trm_engine.sessions import Store as Sessions

    given = in_home(Path(path))
    if given.is_dir():
        parents = [given, *given.parents]
        session = next((folder for folder in parents if (folder / "session.json").is_file()), None)
        if session is None:
            raise UsageError(f"{CHECKPOINT_VARIABLE}={path}: this folder is neither a session nor in one")
        step = f":{int(given.name)}" if given.parent.name == "checkpoints" and given.name.isdigit() else ""
        return Sessions(session.parent), [session.name + step]
    from trm_tui.cli.published import session_of_weights

    return store, [session_of_weights(store, given)]


def _tell_decision(decision: object) -> None:
    logging.getLogger("trm_tui.server").info("%s", decision)


def _log(*, quiet: bool) -> None:
    """Log to stderr, a line a request; never what was asked."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    for name in ("trm_tui.server", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    logging.getLogger("trm_tui.server").setLevel(logging.WARNING if quiet else logging.INFO)


def _lower_priority() -> None:
    """Let a run that trains on this machine go first.

    Beside a busy process, one of niceness 10 gets a tenth of a core, and one of 5 still a quarter.
    """
    try:
        os.nice(10)
    except (AttributeError, OSError):  # there is none on Windows; some sandboxes forbid it
        return
