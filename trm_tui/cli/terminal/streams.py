"""The standard streams made steady: a reader that leaves, a full disk or a poor encoding ends no run.

A command whose result is what it prints must fail when that cannot be written; a run must not, for its result
is on disk. So writing raises as usual, except within `best_effort`.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from trm_engine.errors import ResourceError
from trm_engine.text import safe_text

_SIGPIPE_CODE = 141


class Output:
    """A text stream that notes when it cannot be written, and then says so or, at best effort, goes on."""

    def __init__(self, stream: TextIO) -> None:
        self.lost: OSError | None = None
        """What was raised last."""
        self.best_effort = False
        self.forgiven = False
        """Whether that was at best effort: the end of the program does not complain of it again."""
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; what the stream's encoding lacks is replaced."""
        try:
            return self._stream.write(text)
        except UnicodeEncodeError as error:  # of a stream that cannot be made lenient
            return self._stream.write(text.encode(error.encoding, "replace").decode(error.encoding))
        except (OSError, ValueError) as error:
            self._note(error)
            return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._note(error)

    def end(self) -> bool:
        """Write out what is held back, for the last time; return whether that could be done."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            if self.lost is None:
                self.lost = _as_os_error(error)
            return False
        return True

    @property
    def failed(self) -> OSError | None:
        """Why a command's result could not be written, if it could not."""
        return None if self.forgiven else self.lost

    def _note(self, error: OSError | ValueError) -> None:
        self.lost = _as_os_error(error)
        self.forgiven = self.best_effort
        if not self.best_effort:
            raise self.lost from error


@contextmanager
def steady_streams() -> Iterator[tuple[Output, Output]]:
    """Stand in for stdout and stderr while the program runs, whatever they were when it began."""
    _fill_closed_descriptors()
    before = sys.stdout, sys.stderr
    out, err = Output(_lenient(sys.stdout, 1)), Output(_lenient(sys.stderr, 2))
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    if sys.stdin is None:  # typeshed takes it for granted; a closed descriptor takes it away
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def best_effort() -> Iterator[None]:
    """Let nothing that goes wrong with stdout or stderr reach who writes to them."""
    outputs = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, Output)]
    for output in outputs:
        output.best_effort = True
    try:
        yield
    finally:
        for output in outputs:
            output.flush()
            output.best_effort = False


def end_streams(out: Output, err: Output, code: int) -> int:
    """Write out what is held back; return the exit code of a program whose own is `code`.

    A command that ended well and whose output is lost has not. What cannot be written is dropped: Python
    would try again at exit, and complain.
    """
    for number, stream in ((1, out), (2, err)):
        if not stream.end():
            _drop(number)
    return output_code(out.failed) if out.failed is not None and code == 0 else code


def output_code(error: OSError) -> int:
    """Say why a command's output cannot be written, and return the exit code for it.

    141 when its reader has gone, as a shell has it for SIGPIPE; 6 when the disk is full; else 1.
    """
    if isinstance(error, BrokenPipeError):
        return _SIGPIPE_CODE  # the reader has what it wanted (`| head`): nothing is left to say
    with suppress(OSError):
        sys.stderr.write(f"error: the output cannot be written: {safe_text(error.strerror or str(error))}\n")
    return ResourceError.exit_code if error.errno in (errno.ENOSPC, errno.EDQUOT) else 1


def _fill_closed_descriptors() -> None:
    """Open what was closed when the program began: the next file would become its stdout otherwise."""
    for number in range(3):
        if not _is_open(number):
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _lenient(stream: TextIO | None, number: int) -> TextIO:
    """Return a stream that can be written; characters that its encoding lacks are replaced."""
    if stream is None:
        return os.fdopen(number, "w", encoding="utf-8", errors="replace", closefd=False)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        with suppress(ValueError, OSError):
            reconfigure(errors="replace")
    return stream


def _as_os_error(error: OSError | ValueError) -> OSError:
    # A closed stream raises ValueError.
    return error if isinstance(error, OSError) else OSError(errno.EBADF, os.strerror(errno.EBADF))


def _drop(number: int) -> None:
    """Let whatever is still held back for a descriptor go nowhere."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
