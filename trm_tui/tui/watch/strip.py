"""The strip below the grid: each step's halting probability, right cells and confidence, in a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from trm_tui.workbench.watch.trace import Film, Frame

_LABEL = 11
_COLUMN = 5
_LEVELS = "▁▂▃▄▅▆▇█"


def visible(film: Film, at: int, width: int) -> Sequence[Frame]:
    """Return the steps that `width` cells have room for, with the one shown among them."""
    room = max((width - _LABEL) // _COLUMN, 1)
    steps = film.frames[1:]
    first = min(max(at - 1 - room // 2, 0), max(len(steps) - room, 0))
    return steps[first : first + room]


def strip_lines(film: Film, at: int, width: int, height: int) -> list[Content]:
    """Return at most `height` lines, the most telling ones first to stay."""
    frames = visible(film, at, width)
    rows: list[tuple[int, Content]] = [
        (0, _row("step", frames, at, lambda f: str(f.step), "bold")),
        *([(1, _row("look", frames, at, lambda f: str(f.look), "$text-muted"))] if film.looks > 1 else []),
        (1, _row("halting", frames, at, lambda f: _bar(f.halt), "$text-accent")),
        (3, _row("", frames, at, lambda f: _percent(f.halt), "$text-muted")),
        (2, _row("right", frames, at, _right, "$text-success")),
        (4, _row("changed", frames, at, lambda f: str(f.changed or "·"), "$text-muted")),
        (5, _row("confidence", frames, at, lambda f: _percent(f.confidence), "$text-muted")),
        (6, _marks(film, frames)),
    ]
    kept = sorted(priority for priority, _ in rows)[:height]
    return [row for priority, row in rows if priority in kept]


def _row(label: str, frames: Sequence[Frame], at: int, text: Callable[[Frame], str], style: str) -> Content:
    parts: list[tuple[str, str]] = [(label.ljust(_LABEL), "$text-muted")]
    for frame in frames:
        shown = f"{text(frame):>{_COLUMN - 1}} "
        parts.append((shown, f"{style} on $panel" if frame.step == at else style))
    return Content.assemble(*parts)


def _marks(film: Film, frames: Sequence[Frame]) -> Content:
    """Return the line that marks where the model would halt, and from where on all is right."""
    marks = [(film.halts_at, "halts"), (film.solved_at, "solved")]
    places = {frame.step: _LABEL + place * _COLUMN + 3 for place, frame in enumerate(frames)}
    shown = sorted((places[step], word) for step, word in marks if step in places)
    text = ""
    for number, (place, word) in enumerate(shown):
        if len(shown) == 2 and shown[0][0] == shown[1][0]:
            word = f"{shown[0][1]} and {shown[1][1]}"
        if number == 0 and len(shown) == 2 and shown[0][0] != shown[1][0]:
            text = f"{word}▲".rjust(place + 1)  # room for the other at the right
        elif len(text) <= place:
            text = text.ljust(place) + f"▲{word}"
    return Content.styled(text, "$text-accent")


def _bar(share: float) -> str:
    return _LEVELS[min(int(min(max(share, 0.0), 1.0) * 7.999), 7)] * 2


def _percent(share: float) -> str:
    return f"{min(share, 0.999):.0%}" if share >= 0.005 else "0%"


def _right(frame: Frame) -> str:
    return "?" if frame.right is None else str(frame.right)
