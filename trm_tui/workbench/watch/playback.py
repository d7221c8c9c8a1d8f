"""Where a film stands and how fast it runs. Frozen: every key makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Frames a second."""


@dataclass(frozen=True)
class Playback:
    """A place in a film of frames 0 … `last`."""

    last: int = 0
    at: int = 0
    playing: bool = False
    pace: int = 1
    """Which of `SPEEDS`."""

    @property
    def speed(self) -> float:
        """Frames a second."""
        return SPEEDS[self.pace]

    @property
    def at_end(self) -> bool:
        """Whether the last frame is shown."""
        return self.at == self.last

    def moved(self, frames: int) -> Playback:
        """Go so many frames on, or back, and hold there."""
        return replace(self, at=min(max(self.at + frames, 0), self.last), playing=False)

    def toggled(self) -> Playback:
        """Play or hold; at the end, play from the beginning."""
        if self.playing:
            return replace(self, playing=False)
        return replace(self, playing=self.last > 0, at=0 if self.at_end else self.at)

    def ticked(self) -> Playback:
        """Show the next frame, if playing; hold at the end."""
        if not self.playing:
            return self
        at = min(self.at + 1, self.last)
        return replace(self, at=at, playing=at < self.last)

    def paced(self, places: int) -> Playback:
        """Run faster, or slower."""
        return replace(self, pace=min(max(self.pace + places, 0), len(SPEEDS) - 1))

    def of(self, last: int, *, play: bool, at: int = 0) -> Playback:
        """Begin another film at the same pace."""
        return replace(self, last=last, at=min(at, last), playing=play and last > 0)
