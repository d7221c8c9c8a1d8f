"""Settings of the process that must stand before torch is loaded: how threads wait, how memory is kept."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import IO

from trm_engine.decisions import Decision

# Numbers of glibc's mallopt (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1

# What the OpenMP runtimes that torch ships with read when they are loaded: GNU's, and LLVM's or Intel's.
# GNU's count is some ten microseconds: as long as the next operation usually takes to come.
_WAITING = {"GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "0"}
_WAITING_OF_A_PERSON = ("OMP_WAIT_POLICY", *_WAITING)


_made: list[Decision] = []


def prepare_process() -> None:
    """Prepare this process for training; before anything imports torch. Calling it again does nothing.

    What a person has set in the environment stands.
    """
    if not _made and "torch" not in sys.modules:
        _made.extend([_choose_waiting(), _choose_allocator()])


def take_stdout() -> IO[str]:
    """Return a stream to what is standard output now, for a process whose output another one reads.

    What a library prints goes to standard error from here on.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return out


def preparations() -> list[Decision]:
    """Return what `prepare_process` chose, and why; empty where it was not called in time."""
    return list(_made)


def _choose_waiting() -> Decision:
    given = [name for name in _WAITING_OF_A_PERSON if name in os.environ]
    if given:
        return Decision("thread waiting", f"{given[0]}={os.environ[given[0]]}", "set in the environment")
    os.environ.update(_WAITING)
    return Decision(
        "thread waiting",
        "short spin, then sleep",
        "sleeping at once is 20 % slower; endless spinning stalls on a busy machine",
    )


def _choose_allocator() -> Decision:
    """Let glibc keep freed blocks: one given back costs page faults when the next is taken."""
    if platform.libc_ver()[0] != "glibc" or "LD_PRELOAD" in os.environ:
        return Decision("allocator", "unchanged", "only glibc returns large blocks after every operation")
    mallopt = ctypes.CDLL(None).mallopt
    done = all(
        mallopt(option, value) == 1
        for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER), (_M_ARENA_MAX, 1))
    )
    if not done:
        return Decision("allocator", "unchanged", "glibc refused to keep freed blocks")
    return Decision("allocator", "keeps freed memory for reuse", "asking the system again is slower")
