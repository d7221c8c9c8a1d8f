"""What can be read on a coloured cell."""

from __future__ import annotations

_BRIGHT = 0.5


def ink_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on a colour (#rrggbb).

    A terminal of 16 colours shows the nearest that it has: the two stay apart there too.
    """
    red, green, blue = (int(colour[first : first + 2], 16) / 255 for first in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > _BRIGHT else "#ffffff"
