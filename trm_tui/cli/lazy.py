"""Commands whose modules are imported when they are run: what is not asked for costs no start anything."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Row(NamedTuple):
    """Where a command is declared, and its line in the help."""

    module: str
    """In `trm_tui.cli`. It has a `register(app)`, or an `app` of its own where the command has commands."""
    help: str


COMMANDS: Mapping[str, Row] = {
    "run": Row("train", "Train a preset or a configuration file."),
    "resume": Row("train", "Go on with a session, bit for bit as if it had never stopped."),
    "replay": Row(
        "train", "Run a session's recorded configuration again and say whether every loss agreed bit for bit."
    ),
    "eval": Row(
        "solving.solve",
        "Measure exact and cell accuracy, puzzles per second and supervision steps; of text, the loss.",
    ),
    "solve": Row("solving.solve", "Solve one puzzle."),
    "generate": Row(
        "solving.generate", "Generate text with a trained text model, printed as it is generated."
    ),
    "check": Row("inspect", "Say what a configuration will cost, and whether it fits the machine."),
    "presets": Row("inspect", "List your presets, recent ones and shipped ones, or print one as TOML."),
    "hardware": Row(
        "inspect",
        "Show what was detected of this machine or the one that --hardware names, and what is chosen for it.",
    ),
    "bench": Row(
        "bench",
        "Measure training steps at standard shapes, against plain PyTorch and this CPU's matrix products.",
    ),
    "tune": Row(
        "tune",
        "Measure what computes fastest here at the shapes of a configuration; later runs of it use that.",
    ),
    "import-checkpoint": Row(
        "published", "Make a session of published weights: evaluate them, watch them, train them further."
    ),
    "export-checkpoint": Row("published", "Write a session's weights as the published code saves them."),
    "plot": Row("plot", "Draw recorded curves of sessions over each other, in the terminal or into a pipe."),
    "serve": Row(
        "serve", "Serve trained models on this machine: a web page to solve puzzles with, and an HTTP API."
    ),
    "chat": Row(
        "gateway.chat",
        "Chat in the terminal: puzzles are solved by your sessions and checked, a language model may talk.",
    ),
    "models": Row("gateway.models", "List, choose, add, remove and check the models of the chat."),
    "mcp": Row(
        "gateway.mcp",
        "Offer solve_puzzle, check_answer and list_models to a program that speaks MCP (stdio).",
    ),
    "sessions": Row("sessions", "List, show, compare, mark, delete, export and import sessions."),
    "queue": Row("queue", "Run configurations one after another."),
    "studies": Row(
        "studies", "Plan, run, resume, fit and report studies: many runs that answer one question."
    ),
    "data": Row("datasets.commands", "List, generate and check puzzles."),
}


_UNCUT = 1000
"""Characters of a command's line in the help: more than any has."""


class PlainGroup(TyperGroup):
    """A group of commands whose help is plain text: rich would double the time of `--help`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with all that is said of each, over as many lines as that takes."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(_UNCUT)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def group(**settings: Any) -> typer.Typer:
    """Return a group of commands, to declare them in; `settings` are those of `Typer`."""
    settings = {"cls": PlainGroup, "rich_markup_mode": None, "no_args_is_help": True, **settings}
    return typer.Typer(**settings)


class LazyCommands(PlainGroup):
    """The commands of `COMMANDS`. The list of them needs no module: its words stand in the table."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's own class of context is private
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command; while all are listed, no more than its words."""
        if cmd_name not in COMMANDS:
            return None
        return _listed(cmd_name) if self._listing else load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


def load(name: str) -> Any:
    """Import a command's module and return the command."""
    module = import_module(f"trm_tui.cli.{COMMANDS[name].module}")
    if hasattr(module, "register"):
        app = typer.Typer(rich_markup_mode=None)
        module.register(app)
        return typer.main.get_group(app).commands[name]
    command = typer.main.get_group(module.app)
    command.name = name
    return command


def _listed(name: str) -> TyperCommand:
    return TyperCommand(name, help=COMMANDS[name].help)
