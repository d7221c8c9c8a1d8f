"""The errors a person can meet, one type per exit code.

    TrmError                    1  base of all
    ├── UsageError              2  wrong usage, an unreadable input file
    │   └── ConfigError         2  a configuration with problems: all of them, by setting
    ├── SessionError            3  a session or checkpoint is missing, locked or corrupt
    ├── FitError                4  it does not fit the hardware
    ├── DivergedError           5  training diverged
    ├── ResourceError           6  disk or memory ran out; what was saved stands
    ├── LostRankError           7  another process of the run has ended; what was saved stands
    └── CancelledError      128+n  called off while data were prepared: nothing was trained yet

An error's text is one or two lines: what is wrong, where (file, section, key), and what to do. What to do it
carries as data too (`remedies`): `str()` words it neutrally, `worded` as a front end does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trm_engine.remedies import Remedy

OVERRIDES = "overrides"
"""The source of settings that were given one by one and not in a file."""
ORIGIN = "origin"
"""The source of settings that another session's weights must fit."""


class TrmError(Exception):
    """Base of every error that is meant for a person; `exit_code` is the command's exit status."""

    exit_code = 1
    between = "; "
    """What stands between the message and its first remedy; an "or" stands before each further one."""

    def __init__(self, message: str = "", *, remedies: Sequence[Remedy] = ()) -> None:
        self.message = message
        self.remedies = tuple(remedies)
        super().__init__(message)

    def __str__(self) -> str:
        return self.worded(str)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object's members."""
        remedies = [remedy.to_dict() for remedy in self.remedies]
        return {"message": str(self), "exit_code": self.exit_code, "remedies": remedies}

    def worded(self, word: Callable[[Remedy], str]) -> str:
        """Return the whole text, each remedy in the words of a front end."""
        return self.message + (self.between if self.remedies else "") + ", or ".join(map(word, self.remedies))


class UsageError(TrmError):
    """Wrong usage, an invalid configuration or an unreadable input file."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration with problems; every problem found is listed, not just the first."""

    def __init__(self, problems: Sequence[str], source: str) -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))

    def named(self, source: str) -> str:
        """Return the text with another name for where the settings come from."""
        return "\n".join(f"{source}: {problem}" for problem in self.problems)


class SessionError(TrmError):
    """A session or checkpoint is missing, locked by another process, or corrupt."""

    exit_code = 3


class FitError(TrmError):
    """The configuration does not fit the hardware."""

    exit_code = 4

    def worded(self, word: Callable[[Remedy], str]) -> str:
        """Return the problem and each remedy on a line of its own."""
        return "\n".join([self.message, *(f"try: {word(remedy)}" for remedy in self.remedies)])


class DivergedError(TrmError):
    """Training diverged and could not be brought back."""

    exit_code = 5


class ResourceError(TrmError):
    """Not enough disk or memory to go on; the state has been saved."""

    exit_code = 6


class CancelledError(TrmError):
    """What was being prepared was called off: raised by whoever hears of its progress.

    The exit code is that of a program ended by the signal `number`.
    """

    def __init__(self, number: int = 0) -> None:
        self.exit_code = 128 + number if number else 1
        super().__init__("stopped while the data were prepared: nothing was trained yet")


class LostRankError(TrmError):
    """Another process of the same run has ended; the run can be resumed from its last checkpoint."""

    exit_code = 7
