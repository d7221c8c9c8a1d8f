"""Giving memory back to the system: `prepare_process` lets the allocator keep what is freed."""

from __future__ import annotations

import ctypes
import gc
import platform
import sys


def release_memory() -> None:
    """Free what nothing refers to any more, and give free blocks back to the system.

    The next step then pays page faults for what it takes again: for moments of pressure, not for every step.
    """
    gc.collect()
    give_back()


def give_back() -> None:
    """Give free blocks back to the system, and to the device, where that has to be asked for."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if platform.libc_ver()[0] == "glibc":
        # None: the symbols of the running program, its C library's among them.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had, in Python's words or in torch's."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError)) and any(words in text for words in _OUT_OF_MEMORY)


_OUT_OF_MEMORY = (
    "not enough memory",  # torch on Windows
    "can't allocate memory",  # torch elsewhere
    "cannot allocate memory",  # the C library's words for ENOMEM
    "out of memory",  # graphics processors
    "bad_alloc",  # C++
    "bad allocation",
    "could not create a primitive",  # oneDNN, which compiles its kernels into memory of their own
    "could not execute a primitive",
)
