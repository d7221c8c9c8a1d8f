"""Takes memory a little at a time, as a program that leaks does: `memory_hog.py MEGABYTES MB_PER_SECOND`."""

from __future__ import annotations

import sys
import time

PIECES_PER_SECOND = 5
HOLD_SECONDS = 600
"""How long the memory stays taken; the test kills this long before, but a forgotten one has to end."""

if __name__ == "__main__":
    total, rate = (int(float(argument)) for argument in sys.argv[1:])
    held = []
    piece = bytes(range(256)) * (rate * 1_000_000 // PIECES_PER_SECOND // 256)
    for _ in range(total * PIECES_PER_SECOND // rate):
        held.append(bytearray(piece))
        time.sleep(1 / PIECES_PER_SECOND)  # paced like a leak: the run must have time to notice
    time.sleep(HOLD_SECONDS)
