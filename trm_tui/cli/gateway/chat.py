"""`chat`: talk in the terminal, or send one message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_engine.text import safe_text
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, notice, print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trm_tui.gateway.gateway import Gateway
    from trm_tui.gateway.reply import Reply


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(chat)


def chat(
    ctx: typer.Context,
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE|-]", help="One message, - for stdin; default: the app.")
    ] = None,
    model: Annotated[str, typer.Option(help="Who answers: a model of `trm-tui models list`.")] = "auto",
    docs: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FOLDER", help="Text files that may be answered from."),
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, max=8192, help="Of a language model's answer.")] = 512,
    json: JsonFlag = False,
) -> int:
    """Chat in the terminal: puzzles are solved by your sessions and checked, a language model may talk."""
    from trm_tui.cli.gateway.opening import close_service, open_service

    service, gateway = open_service(settings(ctx).store(), docs)
    try:
        if message is None and not settings(ctx).no_ui and not json:
            from trm_tui.tui.chat.main import open_chat

            return open_chat(gateway, model, max_tokens)
        text = sys.stdin.read() if message in (None, "-") else message
        return _say(gateway, text or "", model, max_tokens, json=json)
    finally:
        close_service(service, gateway)


def _say(gateway: Gateway, text: str, model: str, max_tokens: int, *, json: bool) -> int:
    from trm_engine.errors import UsageError
    from trm_engine.language.stop import Stop
    from trm_tui.gateway.reply import Ask

    if not text.strip():
        raise UsageError('the message is empty: trm-tui chat "Can you solve 1..4......4..23.?"')
    streamed = False

    def tell(name: str, data: Mapping[str, Any]) -> None:
        nonlocal streamed
        if name == "text" and not json:
            sys.stdout.write(safe_text(data["text"]))
            sys.stdout.flush()
            streamed = True

    reply = gateway.reply(Ask(text, model=model, max_tokens=max_tokens), tell, Stop())
    if json:
        print_json(reply.to_json())
        return 0
    print_text("" if streamed else reply.response)
    _tell_more(reply)
    return 0


def _tell_more(reply: Reply) -> None:
    for number, source in enumerate(reply.sources, 1):
        notice(f"[{number}] {source.title} ({source.where})")
    if reply.left_out:
        notice(f"{reply.left_out} earlier turns did not fit the model's context and were left out")
    for note in reply.notes:
        notice(note)
    if reply.marked:
        notice(reply.marked["reason"])
    notice(f"{reply.route}: {reply.reason}")
