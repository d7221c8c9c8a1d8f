"""Takes memory a little at a time, as a program that leaks does: `memory_hog.py MEGABYTES MB_PER_SECOND`.

Ends when its stdin is closed, which the end of its parent does too; until then it holds what it has.
"""

from __future__ import annotations

import select
import sys

PIECES_PER_SECOND = 5

if __name__ == "__main__":
    total, rate = (int(float(argument)) for argument in sys.argv[1:])
    held = []
    piece = bytes(range(256)) * (rate * 1_000_000 // PIECES_PER_SECOND // 256)
    for _ in range(total * PIECES_PER_SECOND // rate):
        held.append(bytearray(piece))
        # The rate is what is tested: a run can give way to memory that goes away slowly, not all at once.
        closed, _, _ = select.select([sys.stdin], [], [], 1 / PIECES_PER_SECOND)
        if closed:
            sys.exit()
    sys.stdin.read()
