"""What is queued: its order, starting and holding it, taking runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.errors import TrmError
from trm_engine.text import one_line
from trm_tui.tui.common.dialogs import Dialog, boxed
from trm_tui.tui.host import host_of
from trm_tui.workbench.queue.queue_runner import Place, Stage

_FRAME_SECONDS = 0.5
_SIGNS: dict[Stage, tuple[str, str]] = {
    "waiting": ("○", "$text-muted"),
    "running": ("●", "$success"),
    "paused": ("‖", "$warning"),
    "stopped": ("■", "$warning"),
    "failed": ("✗", "$error"),
}
_WORDS: dict[Stage, str] = {"waiting": "", "stopped": "stopped; it is resumed", "failed": "failed"}


class QueueDialog(Dialog[None]):
    """One run a line, in the order in which they are run."""

    DEFAULT_CSS = """
    QueueDialog > .box { width: 100; max-width: 100%; }
    QueueDialog OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "start", show=False),
        Binding("shift+up,K", "move(-1)", show=False),
        Binding("shift+down,J", "move(1)", show=False),
        Binding("delete,backspace", "remove", show=False),
        Binding("u", "undo", show=False),
        Binding("e", "edit", show=False),
        Binding("r", "retry", show=False),
        Binding("q,Q", "close", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._places: list[Place] = []
        self._removed: list[tuple[int, Place]] = []
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Show what the queue does now, and the runs."""
        hint = "space start, hold · shift+↑↓ move · del remove · u undo · r retry"
        with boxed("Queue", hint):
            yield Static(classes="text", markup=False)
            yield OptionList()

    def on_mount(self) -> None:
        """Follow the queue, which other processes may change too."""
        self.set_interval(_FRAME_SECONDS, self._show)
        self._show()

    @property
    def _chosen(self) -> Place | None:
        highlighted = self.query_one(OptionList).highlighted
        inside = highlighted is not None and highlighted < len(self._places)
        return self._places[highlighted] if inside and highlighted is not None else None

    # --- actions ------------------------------------------------------------------------------------------

    def action_start(self) -> None:
        """Start the queue, or hold it: what trains goes on, the next is not begun."""
        queue = host_of(self.app).queue
        self._do(queue.hold if queue.going else queue.go)

    def action_move(self, by: int) -> None:
        """Move a run up or down."""
        place = self._chosen
        if place is not None:
            self._do(lambda: host_of(self.app).queue.file.move(place.run.id, by))
            listed = self.query_one(OptionList)
            places = [one.run.id for one in self._places]
            listed.highlighted = places.index(place.run.id) if place.run.id in places else None

    def action_remove(self) -> None:
        """Take a run out; a session that it has begun stays as it is."""
        self._show()  # it may have begun since
        place, at = self._chosen, self.query_one(OptionList).highlighted
        if place is None or at is None:
            return
        if place.stage in ("running", "paused"):
            host_of(self.app).say("It has begun: stop it on the dashboard (x).", "warning")
            return
        self._removed.append((at, place))
        self._do(lambda: host_of(self.app).queue.file.remove(place.run.id))

    def action_undo(self) -> None:
        """Put the run back that was taken out last."""
        if not self._removed:
            host_of(self.app).say("Nothing was removed.")
            return
        at, place = self._removed.pop()
        self._do(lambda: host_of(self.app).queue.file.add([place.run], at))

    def action_retry(self) -> None:
        """Let a run that has failed be run again."""
        place = self._chosen
        if place is None or place.stage != "failed":
            host_of(self.app).say("It has not failed.")
            return
        self._do(lambda: host_of(self.app).queue.file.note(place.run.id, problem=""))

    def action_edit(self) -> None:
        """Open the configuration in the editor, as another one: what is queued stays as it is."""
        place = self._chosen
        if place is None:
            return
        try:
            config = place.run.read()
        except TrmError as error:
            host_of(self.app).say(str(error), "error")
            return
        self.dismiss(None)
        host_of(self.app).edit_config(config, origin=place.run.title)

    def _do(self, command: Callable[[], object]) -> None:
        host_of(self.app).guard(command)
        self._show()

    # --- showing ------------------------------------------------------------------------------------------

    def _show(self) -> None:
        queue = host_of(self.app).queue
        try:
            self._places = queue.places()
        except TrmError as error:
            self.query_one(".text", Static).update(Content.styled(str(error), "$text-error"))
            return
        shown = tuple(self._places), queue.going
        if shown == self._shown:
            return
        self._shown = shown
        self.query_one(".text", Static).update(Content.styled(self._state(), "$text-muted"))
        listed = self.query_one(OptionList)
        chosen = listed.highlighted or 0
        listed.clear_options()
        listed.add_options(Option(_line(n, place)) for n, place in enumerate(self._places, 1))
        listed.highlighted = min(chosen, len(self._places) - 1) if self._places else None
        listed.display = bool(self._places)

    def _state(self) -> str:
        if not self._places:
            return "Nothing is queued. a in the list of presets queues one; F6 in the editor, F7 a sweep."
        if host_of(self.app).queue.going:
            return "Started: each run begins when nothing else trains. Pausing or stopping its run holds it."
        return "Held: space starts it."


def _line(number: int, place: Place) -> Content:
    sign, colour = _SIGNS[place.stage]
    words = one_line(place.run.problem) or _WORDS.get(place.stage, place.stage)
    preset = one_line(place.run.preset) if place.run.name else ""
    about = " · ".join(filter(None, (preset, words)))
    return Content.assemble(
        f"{number:>3} ", (f"{sign} ", colour), (place.run.title, "bold"), (f"  {about}", "$text-muted")
    )
