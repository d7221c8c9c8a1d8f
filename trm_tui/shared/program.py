"""The command that starts this program again, as a process of its own."""

from __future__ import annotations

import sys

PROGRAM = (sys.executable, "-m", "trm_tui")
