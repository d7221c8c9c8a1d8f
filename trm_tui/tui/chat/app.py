"""The chat in the terminal: a message in, an answer streamed, boards to go through, a kept history."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Select, Static, TextArea

from trm_engine.errors import TrmError
from trm_engine.language.model import Message
from trm_engine.language.stop import Stop, StoppedError
from trm_engine.text import safe_text
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.listing import models_json
from trm_tui.gateway.reply import Ask, Reply
from trm_tui.tui.chat.history import History
from trm_tui.tui.chat.turns import Turn
from trm_tui.tui.theme import THEMES

_GRID = re.compile(r"```grid\n.*?\n```\n?", re.DOTALL)
_HISTORY = 60
_HELLO = (
    "Send a Sudoku, a maze or an ARC task in any notation, or ask a question. Enter sends, ctrl+j begins "
    "a line, escape stops. In a board, ← → go through its steps and space plays them."
)


class Composer(TextArea):
    """Where a message is written: enter sends it, ctrl+j begins a new line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.send", "send", priority=True),
        Binding("ctrl+j", "new_line", "new line", show=False, priority=True),
    ]

    def action_new_line(self) -> None:
        """Begin a new line."""
        self.insert("\n")


class ChatApp(App[None]):
    """The chat. Answers are made on a thread of their own, one at a time."""

    CSS_PATH: ClassVar[str] = "chat.tcss"
    TITLE = "trm chat"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop"),
        Binding("ctrl+r", "again", "answer again", priority=True),
        Binding("ctrl+e", "edit", "edit the last", priority=True),
        Binding("ctrl+n", "begin", "new", priority=True),
        Binding("ctrl+b", "board", "board", show=False, priority=True),
        Binding("ctrl+t", "next_theme", "light/dark", show=False),
        Binding("ctrl+q", "quit", "quit", priority=True),
    ]

    def __init__(
        self, gateway: Gateway, history: History, *, model: str = "auto", max_tokens: int = 512
    ) -> None:
        super().__init__()
        self.gateway, self.history = gateway, history
        self.model, self._max_tokens = model, max_tokens
        self.turns: list[Message] = history.load()
        self._stop: Stop | None = None
        self._asked = ""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._stop is not None

    def compose(self) -> ComposeResult:
        """Show who answers, the conversation, and where to write."""
        yield Select(self._options(), value=self.model, allow_blank=False, id="model", compact=True)
        with VerticalScroll(id="log"):
            yield Static(_HELLO, id="hello", markup=False)
            for turn in self.turns:
                yield Turn(turn.role, turn.content)
        yield Composer(
            id="composer", soft_wrap=True, show_line_numbers=False, placeholder="A puzzle, or a question …"
        )
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the cursor where the message is written."""
        self.query_one(Composer).focus()
        self.query_one("#log", VerticalScroll).scroll_end(animate=False)

    def _options(self) -> list[tuple[str, str]]:
        listed = models_json(self.gateway)["models"]
        names = [one["id"] for one in listed]
        options = [
            (safe_text(f"{one['title']} · {one['about'] or one['kind']}")[:76], str(one["id"]))
            for one in listed
        ]
        return options if self.model in names else [(safe_text(self.model), self.model), *options]

    @on(Select.Changed, "#model")
    def _model_chosen(self, event: Select.Changed) -> None:
        self.model = str(event.value)

    # --- what a person does -------------------------------------------------------------------------------

    def action_send(self) -> None:
        """Send the message."""
        composer = self.query_one(Composer)
        text = composer.text
        if not text.strip() or self.busy:
            return
        composer.clear()
        self._ask(text)

    def action_stop(self) -> None:
        """Stop the answer that is on its way; else go back to writing."""
        if self._stop is not None:
            self._stop.set()
        else:
            self.query_one(Composer).focus()

    def action_again(self) -> None:
        """Have the last message answered again."""
        if asked := self._take_back():
            self._ask(asked)

    def action_edit(self) -> None:
        """Take the last message back to change it."""
        if asked := self._take_back():
            composer = self.query_one(Composer)
            composer.text = asked
            composer.focus()

    def action_begin(self) -> None:
        """Begin a new conversation; the old one is forgotten."""
        if self.busy:
            return
        self.turns = []
        self.history.forget()
        self.query(Turn).remove()
        self.query_one(Composer).focus()

    def action_board(self) -> None:
        """Go to the latest board."""
        boards = self.query(".chat-board")
        if boards:
            boards.last().focus()

    def action_next_theme(self) -> None:
        """Change between dark and light."""
        self.theme = THEMES[1].name if self.theme == THEMES[0].name else THEMES[0].name

    def _take_back(self) -> str:
        """Remove the last message and its answer, and return the message."""
        if self.busy or not any(turn.role == "user" for turn in self.turns):
            return ""
        last = max(at for at, turn in enumerate(self.turns) if turn.role == "user")
        asked = self.turns[last].content
        shown = list(self.query(Turn))
        for widget in shown[len(shown) - (len(self.turns) - last) :]:
            widget.remove()
        self.turns = self.turns[:last]
        return asked

    # --- answers ------------------------------------------------------------------------------------------

    def _ask(self, message: str) -> None:
        ask = Ask(message, tuple(self.turns[-_HISTORY:]), self.model, max_tokens=self._max_tokens)
        self.turns.append(Message("user", message))
        answer = Turn("assistant")
        log = self.query_one("#log", VerticalScroll)
        log.mount(Turn("user", message), answer)
        log.scroll_end(animate=False)
        answer.say_more("thinking …")
        self._stop = Stop()
        thread = threading.Thread(
            target=self._answer, args=(ask, answer, self._stop), name="chat", daemon=True
        )
        thread.start()

    def _answer(self, ask: Ask, turn: Turn, stop: Stop) -> None:
        """Answer a message; runs on a thread of its own."""

        def tell(name: str, data: Mapping[str, Any]) -> None:
            self._hand_over(self._told, turn, name, data)

        try:
            reply = self.gateway.reply(ask, tell, stop)
        except StoppedError:
            self._hand_over(self._ended, turn, "stopped")
        except TrmError as error:
            self._hand_over(self._ended, turn, str(error))
        except Exception as error:  # a defect in an answer must not take the chat down
            self._hand_over(self._ended, turn, f"the answer failed: {type(error).__name__}: {error}")
        else:
            self._hand_over(self._replied, turn, reply)

    def _hand_over(self, call: Any, *arguments: Any) -> None:
        if self.is_running:
            self.call_from_thread(call, *arguments)

    def _told(self, turn: Turn, name: str, data: Mapping[str, Any]) -> None:
        if name == "text":
            turn.words.add(str(data["text"]))
        elif name == "puzzle":
            turn.show_board(data)
        elif name in ("step", "grid") and int(data["number"]) in turn.boards:
            board = turn.boards[int(data["number"])]
            (board.step if name == "step" else board.finish)(data)
        self.query_one("#log", VerticalScroll).scroll_end(animate=False)

    def _replied(self, turn: Turn, reply: Reply) -> None:
        self.turns.append(Message("assistant", reply.response))
        turn.words.put(_GRID.sub("", reply.response) if turn.boards else reply.response)
        lines = [f"{reply.route}: {reply.reason} · {reply.timings['milliseconds'] / 1000:.1f} s"]
        lines += [f"[{n}] {one.title} ({one.where})" for n, one in enumerate(reply.sources, 1)]
        if reply.left_out:
            lines.append(f"{reply.left_out} earlier turns did not fit the model and were left out")
        lines += [*reply.notes, *([reply.marked["reason"]] if reply.marked else [])]
        self._over(turn, "\n".join(lines))

    def _ended(self, turn: Turn, why: str) -> None:
        if turn.words.text:
            self.turns.append(Message("assistant", turn.words.text))
        self._over(turn, why)

    def _over(self, turn: Turn, more: str) -> None:
        self._stop = None
        turn.say_more(more)
        self.history.save(self.turns)
        self.query_one("#log", VerticalScroll).scroll_end(animate=False)

    async def action_quit(self) -> None:
        """Stop what is on its way, and leave."""
        if self._stop is not None:
            self._stop.set()
        self.exit()
