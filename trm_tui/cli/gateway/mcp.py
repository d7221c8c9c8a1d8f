"""`mcp`: the solver as tools for other programs, over stdin and stdout."""

from __future__ import annotations

import sys

import typer

from trm_tui.cli.terminal.context import settings


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(mcp)


def mcp(ctx: typer.Context) -> int:
    """Offer solve_puzzle, check_answer and list_models to a program that speaks MCP (stdio)."""
    from trm_tui.cli.gateway.opening import close_service, open_service
    from trm_tui.gateway.mcp import McpServer

    service, gateway = open_service(settings(ctx).store())

    def send(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        McpServer(service, send).serve(sys.stdin)
    finally:
        close_service(service, gateway)
    return 0
