"""What the table shows: the rows that fit the filter in the order asked for, and which are marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trm_tui.workbench.browser.columns import COLUMNS, CURVE, DEFAULT_SORT, Column, column
from trm_tui.workbench.browser.filter import Filter
from trm_tui.workbench.browser.session_row import SessionRow


@dataclass(frozen=True)
class Order:
    """A column to sort by, and whether from high to low."""

    key: str = DEFAULT_SORT
    falls: bool = True

    def by(self, key: str) -> Order:
        """Return the order by a chosen column; turned round if it is that column already."""
        return self.turned() if key == self.key else Order(key, column(key).falls)

    def turned(self) -> Order:
        """Return the other direction."""
        return Order(self.key, not self.falls)

    def moved(self, places: int, columns: Sequence[Column] = COLUMNS) -> Order:
        """Return the order by the column so many places further, in the direction it begins with."""
        keys = [c.key for c in columns]
        key = keys[(keys.index(self.key) + places) % len(keys)] if self.key in keys else keys[0]
        return Order(key, column(key).falls)


def in_order(rows: Iterable[SessionRow], order: Order) -> list[SessionRow]:
    """Return the rows sorted; equals the newest first, and what has no value last, either way."""
    value = column(order.key).value
    newest_first = sorted(rows, key=lambda row: row.id, reverse=True)
    known: list[tuple[float | str, SessionRow]] = []
    unknown: list[SessionRow] = []
    for row in newest_first:
        if (found := value(row)) is None:
            unknown.append(row)
        else:
            known.append((found, row))
    known.sort(key=_first, reverse=order.falls)
    return [row for _, row in known] + unknown


def _first(pair: tuple[float | str, SessionRow]) -> float | str:
    return pair[0]


class Listing:
    """All sessions, of which `shown` are in the table, and the marks."""

    def __init__(self) -> None:
        self.rows: Mapping[str, SessionRow] = {}
        self.shown: Sequence[SessionRow] = ()
        self.order = Order()
        self.columns: Sequence[Column] = COLUMNS
        self.filter = Filter()
        self._marks: dict[str, None] = {}
        self._places: dict[str, int] = {}

    def replace(self, rows: Mapping[str, SessionRow]) -> None:
        """Take over what is on disk now; marks of sessions that are gone go too."""
        self.rows = rows
        self._marks = {key: None for key in self._marks if key in rows}
        self.arrange()

    def arrange(self) -> None:
        """Filter and sort anew."""
        self.shown = in_order(self.filter.of(self.rows.values()), self.order)
        self._places = {row.id: place for place, row in enumerate(self.shown)}

    def sort(self, order: Order) -> None:
        """Sort in another way."""
        self.order = order
        self.arrange()

    def narrow(self, wanted: Filter) -> None:
        """Show what fits another filter."""
        self.filter = wanted
        self.arrange()

    def place(self, session_id: str) -> int | None:
        """Return where in `shown` a session is."""
        return self._places.get(session_id)

    @property
    def needs_settings(self) -> bool:
        """Whether something that is shown or sought is a setting of the sessions."""
        return self.filter.needs_settings or any("." in c.key for c in self.columns)

    @property
    def needs_curves(self) -> bool:
        """Whether the course of the evaluations is shown."""
        return CURVE in self.columns

    # --- marks --------------------------------------------------------------------------------------------

    @property
    def marked(self) -> tuple[str, ...]:
        """The ids of the marked sessions, in the order they were marked."""
        return tuple(self._marks)

    def is_marked(self, session_id: str) -> bool:
        """Whether a session is marked."""
        return session_id in self._marks

    def toggle_mark(self, session_id: str) -> None:
        """Mark a session, or take its mark away."""
        if session_id in self._marks:
            del self._marks[session_id]
        elif session_id in self.rows:
            self._marks[session_id] = None

    def mark_shown(self) -> None:
        """Mark all that is shown; if all of it is marked already, take all marks away."""
        fresh = [row.id for row in self.shown if row.id not in self._marks]
        if fresh:
            self._marks.update(dict.fromkeys(fresh))
        else:
            self.clear_marks()

    def clear_marks(self) -> None:
        """Take all marks away."""
        self._marks = {}
