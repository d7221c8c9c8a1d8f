"""A GGUF file run in this process by llama.cpp (xllamacpp, the extra `chat`).

The library also listens on a port of its own on the loopback, and cannot be told not to. It gets a key that
nobody knows, and neither page nor slots nor properties: all it tells is that it is well.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trm_engine.decisions import Decision
from trm_engine.language.gguf import BATCH, Header, fitting_context, read_header
from trm_engine.language.model import Completion, Hear, LanguageError, LanguageModel, Message, Wish, said_in
from trm_engine.language.stop import Stop, StoppedError
from trm_engine.remedies import Advice
from trm_engine.text import format_bytes, one_line, safe_text

_LOOK_SECONDS = 0.05


def require_library() -> None:
    """Raise `LanguageError` where the library is not installed."""
    if find_spec("xllamacpp") is None:
        raise LanguageError(
            "missing_extra",
            "GGUF files are run by xllamacpp, which is not installed",
            Advice.INSTALL_CHAT,
        )


class LocalModel(LanguageModel):
    """A model in the memory of this process; one answer at a time.

    `threads` is asked before each answer: a model that computes with more threads than it may now is loaded
    again with fewer, because llama.cpp's threads spin and would hold up a run beside them.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        context: int,
        budget: int,
        threads: Callable[[], int] = lambda: 1,
        tell: Callable[[Decision], None] = lambda _: None,
    ) -> None:
        require_library()
        self.name, self.path = name, path
        self._threads_wanted, self._tell = threads, tell
        self.header: Header = read_header(path)
        self.context = fitting_context(self.header, context, budget)
        if self.context < min(context, self.header.context):
            tell(Decision(name, f"{self.context} tokens of context", f"{format_bytes(budget)} are free"))
        self.bytes = self.header.memory(self.context)
        self._turn = threading.Lock()
        self._threads = 0
        self._server: Any = None
        self._load(max(threads(), 1))

    def answer(self, wish: Wish, hear: Hear, stop: Stop) -> Completion:
        """Answer when it is this asker's turn."""
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            stop.check()
        try:
            if self._server is None:
                raise LanguageError("closed", f"{self.name} has been unloaded", "Ask again.")
            if self._threads_wanted() < self._threads:
                self._load(max(self._threads_wanted(), 1))
            return self._answer(wish, hear, stop)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Free the memory, once the answer under way is over."""
        with self._turn:
            self._server = None

    @property
    def inner_address(self) -> str:
        """Where the library listens by itself."""
        return str(self._server.listening_address) if self._server is not None else ""

    def _load(self, threads: int) -> None:
        import xllamacpp

        self._server = None
        chosen = xllamacpp.CommonParams()
        chosen.model.path = str(self.path)
        chosen.n_ctx, chosen.n_parallel = self.context, 1
        chosen.n_batch = chosen.n_ubatch = BATCH
        chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = threads
        chosen.fit_params, chosen.cache_ram_mib = False, 0
        chosen.verbosity = 0
        chosen.hostnames = ["127.0.0.1"]
        chosen.api_keys = [secrets.token_hex(32)]
        chosen.ui = chosen.endpoint_slots = chosen.endpoint_props = chosen.endpoint_metrics = False
        chosen.n_threads_http = 1
        try:
            self._server = xllamacpp.Server(chosen)
            # One token, so that the library's loop has begun before the model may be unloaded: its destructor
            # waits for ever for a loop that has not (seen in one of six loads that were undone at once).
            self._server.handle_completions({"prompt": "a", "n_predict": 1}, lambda _: False)
        except Exception as error:  # whatever the library throws, its reason is all there is to tell
            raise LanguageError(
                "load_failed",
                f"{safe_text(self.path.name)} cannot be loaded: {one_line(str(error))}",
                "Fetch the file again, or take a model that this version of llama.cpp knows.",
            ) from error
        self._threads = threads
        self._tell(
            Decision(self.name, f"loaded with {threads} thread{'s' * (threads > 1)}", "as computes now")
        )

    def _answer(self, wish: Wish, hear: Hear, stop: Stop) -> Completion:
        body: dict[str, Any] = {
            "messages": [_turn_json(message) for message in wish.messages],
            "max_tokens": wish.max_tokens,
            "temperature": wish.temperature,
            "stream": True,
            "return_progress": True,  # a call between two batches of the prompt, where it can be stopped
        }
        if wish.schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"schema": dict(wish.schema)}}
        taken = _Taken(hear, stop, time.monotonic() + wish.seconds)
        self._server.handle_chat_completions(body, taken.take)
        return taken.completion()


class _Taken:
    """Collects what the library calls back with; an error within a callback would end the process."""

    def __init__(self, hear: Hear, stop: Stop, until: float) -> None:
        self._hear, self._stop, self._until = hear, stop, until
        self._pieces: list[str] = []
        self._finish = ""
        self._counts: dict[str, Any] = {}
        self._error: BaseException | None = None

    def take(self, chunk: dict[str, Any] | str) -> bool:
        """Take a piece; return whether no more is wanted."""
        try:
            self._take(json.loads(chunk) if isinstance(chunk, str) else chunk)
        except BaseException as error:  # raised again where there is Python above
            self._error = error
        late = time.monotonic() > self._until
        if late and not self._finish:
            self._finish = "time"
        return self._stop.is_set or late or self._error is not None

    def _take(self, chunk: dict[str, Any]) -> None:
        if "error" in chunk:
            raise _library_error(chunk["error"])
        self._counts = chunk.get("timings") or self._counts
        for choice in chunk.get("choices") or ():
            piece = (choice.get("delta") or choice.get("message") or {}).get("content")
            if piece:
                self._pieces.append(piece)
                self._hear(piece)
            self._finish = choice.get("finish_reason") or self._finish

    def completion(self) -> Completion:
        """Return what has come. Raises what went wrong on the way."""
        if self._stop.is_set:
            raise StoppedError
        if self._error is not None:
            raise self._error
        counts = self._counts
        read = counts.get("prompt_n", 0) + counts.get("cache_n", 0) if counts else None
        return Completion(
            "".join(self._pieces),
            finish="time" if self._finish == "time" else "length" if self._finish == "length" else "stop",
            prompt_tokens=read,
            completion_tokens=counts.get("predicted_n"),
        )


def _library_error(error: dict[str, Any]) -> LanguageError:
    message = said_in(error)
    if "context" in str(error.get("type", "")):
        return LanguageError("context_too_long", message, Advice.GIVE_CONTEXT)
    return LanguageError("refused", f"the model refused the conversation: {message}", "Try another model.")


def _turn_json(message: Message) -> dict[str, str]:
    # A model without tools reads what a tool said as if the asker had said it.
    return {"role": "user" if message.role == "tool" else message.role, "content": message.content}
