"""The documents say what is true: every command they name exists, with the options they use."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from trm_tui.cli.main import app

CHECKOUT = Path(__file__).parents[1]
PROGRAM = get_command(app)


def commands_named() -> list[list[str]]:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ trm-tui ?(.*)$", text, flags=re.MULTILINE)
    commands = (shlex.split(line, comments=True) for line in lines)
    return [words for words in commands if words]


def test_the_readme_names_commands() -> None:
    assert len(commands_named()) >= 5


@pytest.mark.parametrize("words", commands_named(), ids=" ".join)
def test_a_command_in_the_readme_parses(words: list[str]) -> None:
    group = PROGRAM
    context = group.make_context("trm-tui", list(words), resilient_parsing=True)
    name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None, name
    command.make_context(name, rest, parent=context)


def every_command(
    group: object = PROGRAM, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], object]]:
    found = [(path, group)]
    for name, command in getattr(group, "commands", {}).items():
        found += every_command(command, (*path, name))
    return found


COMMANDS = dict(every_command())


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(("trm-tui", *path)))
def test_every_command_and_option_has_help(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert getattr(command, "help", None), path
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)}: {parameter.name}"


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(
            re.findall(r"(?:`|^\$ )make ([a-z-]+)", (CHECKOUT / name).read_text(encoding="utf-8"), re.M)
        )
        assert named <= targets, name


def test_files_linked_in_the_readme_exist() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (CHECKOUT / target).exists(), target
