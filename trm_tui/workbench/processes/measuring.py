"""How fast this machine is, measured once in a process of its own, to predict before a first run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress

from trm_engine.hardware import Hardware
from trm_engine.tuning.cache import with_known_gemm_rate
from trm_tui.shared.program import PROGRAM

_LONGEST_SECONDS = 60.0


def measured(hardware: Hardware, program: Sequence[str] = (*PROGRAM, "hardware", "--json")) -> Hardware:
    """Return the machine with the rate of its products; as it is where that cannot be measured.

    Not in this process: a run that begins meanwhile must find its threads and libraries as they were.
    """
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603  # our own program
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    return with_known_gemm_rate(hardware)
