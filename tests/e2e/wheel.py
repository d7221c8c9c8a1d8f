"""Build the wheel, install it into a fresh environment, and train with it from an empty folder.

python tests/e2e/wheel.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
# What is no Python file must be in the wheel too: the server's page, and the puzzles that ship with it.
_PAGE = """
from importlib.resources import files
assert files("trm_tui.server").joinpath("page", "index.html").is_file()
assert files("trm_engine.serving").joinpath("examples.json").is_file()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", CHECKOUT)
        (wheel,) = (folder / "dist").glob("*.whl")
        run(sys.executable, "-m", "venv", folder / "venv")
        python = folder / "venv" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
        empty = folder / "empty"
        empty.mkdir()
        program = folder / "venv" / "bin" / "trm-tui"
        command = [program, "--no-ui", "run", "sudoku-4x4", "--seconds", "5", "--json"]
        output = run(*command, cwd=empty, env={**os.environ, "HOME": str(empty), "XDG_DATA_HOME": str(empty)})
        events = [json.loads(line) for line in output.splitlines()]
        assert events[0]["event"] == "started", events[0]
        assert events[-1]["event"] == "finished", events[-1]
        assert events[-1]["steps"] > 0, events[-1]
        run(python, "-c", _PAGE, cwd=empty)
        print(f"the wheel trains: {events[-1]['steps']} steps, {events[-1]['status']}")


def run(*command: object, cwd: Path = CHECKOUT, env: dict[str, str] | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
