"""The terminal is the app's alone, is given back, and may even vanish."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from trm_engine.errors import SessionError, UsageError
from trm_engine.sessions import Store
from trm_tui.tui import main
from trm_tui.tui.terminal import StrayOutput


def run_apart(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: descriptors 1 and 2 are pytest's here."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=60
    )


def test_what_is_written_to_the_descriptors_is_collected_and_they_are_given_back() -> None:
    done = run_apart("""
        import os, sys
        from trm_tui.tui.terminal import StrayOutput
        with StrayOutput() as stray:
            os.write(1, b"from a library\\n")
            os.write(2, b"a warning\\x1b[2J\\nhalf")
            sys.__stderr__.write("[the screen]"); sys.__stderr__.flush()
            first = stray.lines()
            os.write(1, b" a line\\n")
            second = stray.lines()
        print(first, second)
        print("after", file=sys.stderr)
    """)
    assert done.stdout == "['from a library', 'a warning[2J'] ['half a line']\n"
    assert done.stderr == "[the screen]after\n"


def test_a_flood_is_cut_and_takes_no_space() -> None:
    done = run_apart("""
        import os
        from trm_tui.tui.terminal import StrayOutput
        with StrayOutput() as stray:
            seen = []
            for _ in range(40):
                os.write(1, b"x" * 70 + b"\\n" + b"y" * 60000 + b"\\n")
                os.write(2, b"z\\n" * 5000)
                seen.append(len(stray.lines()))
            size = os.fstat(1).st_size
        print(max(seen), size < 2_000_000)
    """)
    assert done.stdout == "51 True\n"


def test_a_terminal_that_vanishes_raises_nothing() -> None:
    with StrayOutput() as stray:
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, sys.__stderr__.fileno())
        sys.__stderr__.write("gone\n")
        sys.__stderr__.flush()
        os.close(writer)
        assert stray.terminal_lost
    os.write(2, b"")


def test_without_a_terminal_the_app_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--no-ui"):
        main.open_app(Store(tmp_path))


class _Terminal:
    """Stands for a standard stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"preset": "sudoku-44"}, UsageError),
        ({"preset": "sudoku-4x4", "overrides": ["train.stepz=3"]}, UsageError),
        ({"resume": "nothing"}, SessionError),
    ],
)
def test_wrong_requests_are_refused_before_anything_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, object], error: type[Exception]
) -> None:
    for name in ("stdin", "stderr"):
        monkeypatch.setattr(main.sys, name, _Terminal())
    with pytest.raises(error):
        main.open_app(Store(tmp_path), **asked)  # type: ignore[arg-type]
