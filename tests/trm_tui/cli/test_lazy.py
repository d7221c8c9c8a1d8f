"""Commands are imported when they are run; the help says of each what its module says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from trm_tui.cli.lazy import COMMANDS, load

HEAVY = ("torch", "numpy", "textual", "pydantic", "rich", "trm_tui.cli.train", "trm_tui.cli.serve")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert command.get_short_help_str(200) == COMMANDS[name].help


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_what_is_not_asked_for_is_not_imported(words: list[str]) -> None:
    program = (
        "import json, sys; from trm_tui.cli.main import main\n"
        f"try: main({words!r})\n"
        f"except SystemExit: print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
