"""`models …`: who can be talked to, and who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.errors import UsageError
from trm_engine.text import format_bytes, safe_text
from trm_tui.cli.lazy import group
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, print_json, print_table, print_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trm_tui.gateway.gateway import Gateway
    from trm_tui.gateway.models.registry import Entry

app = group(help="List, choose, add, remove and check the models of the chat.")


@app.command("list")
def list_models(ctx: typer.Context, json: JsonFlag = False) -> None:
    """List the models that the chat can be answered by; * is the one that is selected."""
    from trm_tui.gateway.listing import models_json

    gateway = _gateway(ctx)
    found = models_json(gateway)
    if json:
        print_json(found)
        return
    selected = found["selected"]
    rows = [("*" if one["id"] == selected else "", *_row(one)) for one in found["models"]]
    print_table(("", "model", "kind", "state", ">memory", ">exact", "about"), rows)
    print_text(f"kept in {gateway.languages.registry.path}")


def _row(one: Mapping[str, object]) -> tuple[object, ...]:
    memory, score = one.get("bytes"), one.get("accuracy")
    return (
        one["id"],
        one["kind"],
        one.get("state", ""),
        f"about {format_bytes(memory)}" if isinstance(memory, int) else "",
        f"{100 * score:.1f} %" if isinstance(score, float) else "",
        one["about"],
    )


@app.command()
def select(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A model of the list, auto, or trm for no language model.")],
) -> None:
    """Choose who answers; a server that runs takes it over at once."""
    gateway = _gateway(ctx)
    if name != "auto":
        gateway.choose(name)  # it must be one
    gateway.languages.registry.select(name)
    print_text(f"{safe_text(name)} answers from now on")


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE.gguf|URL|SESSION",
            help="A language model's file, a server's address, or a session or its checkpoint.",
        ),
    ],
    model: Annotated[str, typer.Option(help="What the server calls the model.")] = "",
    ollama: Annotated[bool, typer.Option("--ollama", help="The server is Ollama.")] = False,
    context: Annotated[
        int, typer.Option(min=0, max=1 << 24, metavar="N", help="Tokens of conversation; 0 takes the usual.")
    ] = 0,
    token_variable: Annotated[
        str, typer.Option(metavar="NAME", help="Variable of the environment that holds the server's token.")
    ] = "",
    no_tools: Annotated[
        bool, typer.Option("--no-tools", help="Never offer it the solver as a tool.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of one of that name.")] = False,
) -> None:
    """Add a model: a GGUF file, a server that speaks OpenAI's form, Ollama, or a session."""
    from trm_tui.gateway.models.registry import Registry

    entry = _entry(source, model, context, token_variable, ollama=ollama, tools=not no_tools)
    registry = Registry()
    if entry.kind == "trm":
        entry = entry.model_copy(update={"path": _session(ctx, entry.path)})
    registry.add(name, entry, replace=replace)
    print_text(f"added {safe_text(name)}; try it:  trm-tui models check {safe_text(name)}")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The model to forget.")]) -> None:
    """Forget a model; its file or server stays."""
    from trm_tui.gateway.models.registry import Registry

    Registry().remove(name)
    print_text(f"removed {safe_text(name)}")


@app.command()
def check(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The model; default: every one that was added.")] = None,
) -> int:
    """Tell whether models can answer, and what keeps those that cannot."""
    from trm_tui.gateway.models.checkpoints import order_in_words

    gateway = _gateway(ctx)
    known = gateway.languages.registry.read()
    if name is None and not known.models:
        sessions = len(gateway.service.residents.catalogue.list())
        print_text(f"no model has been added; {sessions} sessions can be asked ({order_in_words()})")
        return 0
    if name is not None and name not in known.models:
        gateway.choose(name)
        print_text(f"{safe_text(name)}: well")
        return 0
    return max([_checked(gateway, one) for one in ([name] if name else known.models)])


def _checked(gateway: Gateway, name: str) -> int:
    """Say whether a model can answer; return the exit code of that."""
    from trm_engine.errors import TrmError
    from trm_tui.gateway.models.registry import TrmEntry

    entry = gateway.languages.registry.read().models[name]
    try:
        if isinstance(entry, TrmEntry):
            said = f"session {gateway.service.residents.catalogue.get(entry.path).session}"
        else:
            said = gateway.languages.check(name)
    except TrmError as error:
        print_text(f"{safe_text(name)}: {error}")
        return error.exit_code
    print_text(f"{safe_text(name)}: well: {safe_text(said)}")
    return 0


def _entry(source: str, model: str, context: int, token_variable: str, *, ollama: bool, tools: bool) -> Entry:
    from pydantic import ValidationError

    from trm_tui.gateway.models.registry import GgufEntry, OllamaEntry, OpenAIEntry, TrmEntry

    given: dict[str, object] = {"context": context} if context else {}
    try:
        if source.startswith(("http://", "https://")):
            if not model:
                raise UsageError("--model is missing: what does the server call the model?")
            given |= {"url": source, "model": model, "token_variable": token_variable, "tools": tools}
            return (OllamaEntry if ollama else OpenAIEntry).model_validate(given)
        if source.endswith(".gguf"):
            return GgufEntry.model_validate({"path": str(user_path(source).absolute()), **given})
        return TrmEntry(path=source)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{first['loc'][0]}: {safe_text(first['msg'])}") from error


def _session(ctx: typer.Context, source: str) -> str:
    """Return the session that a reference or the path of published weights means; weights are imported."""
    from trm_tui.cli.published import session_of_weights
    from trm_tui.gateway.models.registry import session_and_checkpoint

    store = settings(ctx).store()
    file = user_path(source)
    if file.is_file():
        return session_of_weights(store, file)
    reference, checkpoint = session_and_checkpoint(source)
    return f"{store.resolve(reference)}{checkpoint}"


def _gateway(ctx: typer.Context) -> Gateway:
    from trm_engine.serving.catalogue import Catalogue
    from trm_engine.serving.residents import Residents
    from trm_engine.serving.service import Service
    from trm_tui.gateway.opening import open_gateway

    residents = Residents(Catalogue(settings(ctx).store()), budget=1)  # nothing is loaded here
    return open_gateway(Service(residents))
