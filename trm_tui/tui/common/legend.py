"""The words in a chart's frame: title, values, names of its lines, and where the reading cursor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from trm_tui.tui.common.series import Line, View
from trm_tui.workbench.charts.curves import value_at
from trm_tui.workbench.charts.ticks import write


@dataclass(frozen=True)
class Legend:
    """Words for lines in `room` cells; values are those at the cursor, or else at the `end` of the window."""

    view: View
    lines: Sequence[Line]
    cursor: float | None
    end: float
    zoomed: bool
    room: int

    def title(self) -> Content:
        """Return the title with each line's value, the last or that under the cursor, and names."""
        named = self._named()
        legends = [self._legend(line, named=line in named) for line in self._valued]
        title = [Content(f"{self.view.title} ")] if self._has_room_for_title else []
        return Content("").join([*title, *legends])

    @property
    def _has_room_for_title(self) -> bool:
        short = sum(self._legend(line, named=False).cell_length for line in self._valued)
        return short + len(self.view.title) + 1 <= self.room

    @property
    def _valued(self) -> Sequence[Line]:
        """The lines that have points; all of them as long as none has."""
        return [line for line in self.lines if line.points[0]] or self.lines

    def _legend(self, line: Line, *, named: bool) -> Content:
        value = value_at(line.raw, self.cursor if self.cursor is not None else self.end)
        shown = "" if value is None else f"{write(value, self.view.y_unit, short=False)} "
        words = f"{shown}{line.series.name} " if named else shown
        return Content.assemble((_key(line), f"${line.series.colour}"), words)

    def _named(self) -> list[Line]:
        """Return the lines that have room for their names in the title; values come first."""
        short = [self._legend(line, named=False).cell_length for line in self._valued]
        room = self.room - len(self.view.title) - 1 - sum(short)
        named = []
        for line, taken in zip(self._valued, short, strict=True):
            more = self._legend(line, named=True).cell_length - taken
            if more <= room:
                room -= more
                named.append(line)
        return named

    def subtitle(self) -> Content:
        """Return what is below: the cursor's place, names that had no room above, and how it is drawn."""
        view, named = self.view, self._named()
        words: list[Content] = [] if self._has_room_for_title else [Content(view.title)]
        if self.cursor is not None:
            at = f"{view.x_axis} {write(self.cursor, view.x_unit, short=False)}"
            words.append(Content.styled(at, "bold $accent"))
        words += [
            Content.assemble((_key(line), f"${line.series.colour}"), line.series.name)
            for line in self.lines
            if line not in named and line.points[0]
        ]
        plain = [view.note] if view.note else []
        plain += ["log"] if view.log_y else []
        plain += ["zoomed"] if self.zoomed else []
        plain += [view.x_axis] if self.cursor is None else []
        room = self.room
        kept: list[Content] = []
        for part in (*words, *map(Content, plain)):
            if part.cell_length + 3 <= room:
                room -= part.cell_length + 3
                kept.append(part)
        return Content(" · ").join(kept)


def _key(line: Line) -> str:
    return f"{line.series.letter or '━'} "
