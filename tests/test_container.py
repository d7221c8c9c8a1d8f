"""The container's files: what they copy exists, what they start is a command, and nothing runs as root."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.main import get_command

from trm_tui.cli.main import app

CHECKOUT = Path(__file__).parents[1]
CONTAINERFILE = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
COMPOSE = (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")


def words(instruction: str) -> list[list[str]]:
    found = re.findall(rf"^ *{instruction} (\[.*\])$", CONTAINERFILE, flags=re.MULTILINE)
    return [json.loads(one) for one in found]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    kept = [line[1:] for line in (CHECKOUT / ".containerignore").read_text().splitlines() if line[:1] == "!"]
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, flags=re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources == set(kept)
    for source in sources:
        assert (CHECKOUT / source).exists(), source


def test_what_is_started_is_a_command_of_the_program() -> None:
    (entry,) = words("ENTRYPOINT")
    assert entry == ["trm-tui"]
    (inner, *started) = words("CMD")
    compose = json.loads(re.search(r"command: (\[.*\])", COMPOSE)[1])
    for arguments in (*started, compose):
        program = get_command(app)
        context = program.make_context("trm-tui", list(arguments), resilient_parsing=True)
        name, command, rest = program.resolve_command(context, arguments)
        assert command is not None, name
        command.make_context(name, rest, parent=context)
    assert inner[0] == "python3"
    compile(inner[2], "healthcheck", "exec")


def test_it_runs_as_nobody_on_a_root_that_cannot_be_written() -> None:
    assert re.search(r"^USER 10001:10001$", CONTAINERFILE, flags=re.MULTILINE)
    for wanted in ("read_only: true", "no-new-privileges:true", '- "127.0.0.1:8000:8000"', "- ALL"):
        assert wanted in COMPOSE


def test_outside_loopback_there_is_a_token() -> None:
    assert "TRM_SERVE_HOST=0.0.0.0" in CONTAINERFILE
    assert "TRM_SERVE_TOKEN=auto" in CONTAINERFILE
