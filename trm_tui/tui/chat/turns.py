"""The turns of a conversation as widgets: words, and boards whose steps can be gone through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from trm_engine.text import safe_text
from trm_tui.tui.watch.board import draw, fitting
from trm_tui.workbench.watch.trace import Cell, Frame

_ROOM = (70, 24)
_SECONDS_A_STEP = 0.5


class Words(Static):
    """A turn's text."""

    def __init__(self, text: str, role: str) -> None:
        super().__init__(Content(safe_text(text)), classes=f"words {role}", markup=False)
        self.text = text

    def add(self, piece: str) -> None:
        """Add a piece of text as it comes."""
        self.put(self.text + piece)

    def put(self, text: str) -> None:
        """Show another text."""
        self.text = text
        self.update(Content(safe_text(text)))


class BoardView(Static, can_focus=True):
    """A puzzle with the steps of its answer: ← and → go through them, space plays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "go(-1)", "step back"),
        Binding("right", "go(1)", "step on"),
        Binding("space", "play", "play"),
        Binding("home", "to(0)", "puzzle", show=False),
        Binding("end", "to(9999)", "answer", show=False),
    ]

    def __init__(self, puzzle: Mapping[str, Any]) -> None:
        super().__init__(markup=False, classes="chat-board")
        self._about = dict(puzzle)
        self._steps: list[Mapping[str, Any]] = []
        self._status = ""
        self._at = 0
        self._playing = False

    @property
    def at(self) -> int:
        """The step that is shown; 0 is the puzzle."""
        return self._at

    def on_mount(self) -> None:
        """Draw the puzzle; steps are shown one after the other while it plays."""
        self.set_interval(_SECONDS_A_STEP, self._tick)
        self._draw()

    def step(self, step: Mapping[str, Any]) -> None:
        """Add a step; it is shown unless a person looks at another."""
        follow = self._at == len(self._steps)
        self._steps.append(step)
        if follow:
            self._at = len(self._steps)
        self._draw()

    def finish(self, grid: Mapping[str, Any]) -> None:
        """Take the answer with all its steps."""
        self._about |= grid
        self._steps = list(grid["steps"])
        self._status = str(grid["status"])
        self._at = len(self._steps)
        self._draw()

    def action_go(self, by: int) -> None:
        """Move by a number of steps."""
        self._playing = False
        self._to(self._at + by)

    def action_to(self, step: int) -> None:
        """Go to a step."""
        self._playing = False
        self._to(step)

    def action_play(self) -> None:
        """Play the steps from the puzzle, or stop playing."""
        self._playing = not self._playing
        if self._playing and self._at >= len(self._steps):
            self._to(0)

    def _tick(self) -> None:
        if self._playing:
            self._to(self._at + 1)
            self._playing = self._at < len(self._steps)

    def _to(self, step: int) -> None:
        self._at = max(0, min(step, len(self._steps)))
        self._draw()

    def _draw(self) -> None:
        frame = self._frame()
        box = tuple(self._about.get("box") or (0, 0))
        columns = max(map(len, frame.rows), default=0)
        drawing = fitting(len(frame.rows), columns, (box[0], box[1]), _ROOM)
        lines = draw(frame, (box[0], box[1]), drawing)
        self.update(Content("\n").join([*lines, Content.styled(self._caption(), "$text-muted")]))

    def _caption(self) -> str:
        where = f"step {self._at} of {len(self._steps)}" if self._at else "the puzzle"
        said = {"solved": "solved, checked by the rules", "wrong": "not solved", "unproven": "unproven"}
        return f"{said.get(self._status, 'thinking …')} · {where}"

    def _frame(self) -> Frame:
        about = self._about
        step = self._steps[self._at - 1] if self._at else None
        rows = step["rows"] if step is not None else about["question"]
        given, palette = about["given"], about.get("palette") or {}
        changed = {tuple(place) for place in step["changed"]} if step is not None else set()
        last = self._status and self._at == len(self._steps)
        wrong = (
            {tuple(cell) for fault in about.get("faults", ()) for cell in fault["cells"]} if last else set()
        )
        cells = [
            [
                Cell(
                    safe_text(symbol)[:1],
                    _kind(symbol, given[r][c], (r, c) in wrong, step is None),
                    (r, c) in changed,
                    step["confidence"][r][c] if step is not None else 1.0,
                    palette.get(symbol, ""),
                )
                for c, symbol in enumerate(row)
            ]
            for r, row in enumerate(rows)
        ]
        return Frame(self._at, cells, 0.0, None, len(changed), 1.0, 1.0)


def _kind(symbol: str, given: bool, wrong: bool, puzzle: bool) -> Any:
    if symbol == "":
        return "hidden"
    if given:
        return "given"
    return "blank" if puzzle else "wrong" if wrong else "answer"


class Turn(Vertical):
    """One turn: its boards, its words, and a line of what else there is to say."""

    def __init__(self, role: str, text: str = "") -> None:
        super().__init__(classes=f"turn {role}")
        self.role = role
        self.words = Words(text, role)
        self.more = Static("", classes="more", markup=False)
        self.boards: dict[int, BoardView] = {}

    def compose(self) -> ComposeResult:
        """Show words and what is said of them."""
        yield self.words
        yield self.more

    def show_board(self, puzzle: Mapping[str, Any]) -> None:
        """Show a puzzle beneath the words."""
        board = self.boards[int(puzzle["number"])] = BoardView(puzzle)
        self.mount(board, before=self.more)

    def say_more(self, text: str) -> None:
        """Tell who answered and why, sources and notes."""
        self.more.update(Content(safe_text(text)))
