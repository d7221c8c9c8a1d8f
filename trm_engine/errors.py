"""The errors a person can meet, one type per exit code.

An error's text is one or two lines: what is wrong, where (file, section, key), and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class TrmError(Exception):
    """Base of every error that is meant for a person; `exit_code` is the command's exit status."""

    exit_code = 1


class UsageError(TrmError):
    """Wrong usage, an invalid configuration or an unreadable input file."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration with problems; every problem found is listed, not just the first."""

    def __init__(self, problems: Sequence[str], source: str) -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


class SessionError(TrmError):
    """A session or checkpoint is missing, locked by another process, or corrupt."""

    exit_code = 3


class FitError(TrmError):
    """The configuration does not fit the hardware."""

    exit_code = 4


class DivergedError(TrmError):
    """Training diverged and could not be brought back."""

    exit_code = 5


class ResourceError(TrmError):
    """Not enough disk or memory to go on; the state has been saved."""

    exit_code = 6
