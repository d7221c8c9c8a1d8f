"""The language models of the registry, made when they are first asked; at most one file is in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.decisions import Decision
from trm_engine.errors import TrmError
from trm_engine.language.endpoint import OllamaModel, OpenAIModel
from trm_engine.language.gguf import fitting_context, read_header
from trm_engine.language.local import LocalModel, require_library
from trm_engine.language.model import LanguageError, LanguageModel
from trm_engine.paths import in_home
from trm_engine.text import did_you_mean, format_bytes, safe_text
from trm_tui.gateway.models.registry import GgufEntry, Language, OllamaEntry, Registry

Phase = Literal["none", "unloaded", "loading", "loaded", "failed", "remote"]
_SHARE_OF_MEMORY = 0.8
"""Of what is free that a model may take: the rest is for the answers of others."""


@dataclass(frozen=True)
class State:
    """How a language model is; `bytes` is what it takes or would take, `reason` and `code` why it failed."""

    name: str
    kind: str
    phase: Phase
    bytes: int | None = None
    context: int | None = None
    reason: str = ""
    code: str = ""


class Languages:
    """Hands out language models by name. Any thread may call.

    `free` says how many bytes are free now, `threads` how many threads may compute now.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        free: Callable[[], int],
        threads: Callable[[], int] = lambda: 1,
        tell: Callable[[Decision], None] = lambda _: None,
        make_local: Callable[..., LocalModel] = LocalModel,
    ) -> None:
        self.registry = registry
        self._free, self._threads, self._tell = free, threads, tell
        self._make_local = make_local
        self._loading = threading.Lock()
        self._lock = threading.Lock()
        self._held: tuple[str, Language, LocalModel] | None = None
        self._busy_with = ""
        self._failed: dict[str, tuple[Language, str, str]] = {}

    def get(self, name: str) -> LanguageModel:
        """Return a language model, loading its file where that is needed. Raises `LanguageError`."""
        entry = self.entry(name)
        try:
            if isinstance(entry, GgufEntry):
                found: LanguageModel = self._local(name, entry)
            else:
                kind = OllamaModel if isinstance(entry, OllamaEntry) else OpenAIModel
                found = kind(
                    name,
                    entry.url,
                    entry.model,
                    context=entry.context,
                    token_variable=entry.token_variable,
                    tools=entry.tools,
                )
        except LanguageError as error:
            self.failed(name, error)
            raise
        return found

    def entry(self, name: str) -> Language:
        """Return what the registry says of a language model."""
        known = self.registry.read().languages
        if name not in known:
            raise LanguageError(
                "no_such_model",
                f'there is no language model "{safe_text(name[:60])}"{did_you_mean(name, known).rstrip(".")}',
                "trm-tui models list shows those there are.",
            )
        return known[name]

    def failed(self, name: str, error: LanguageError) -> None:
        """Remember why a model did not answer: health tells it."""
        known = self.registry.read().languages
        with self._lock:
            if name in known:
                self._failed[name] = known[name], error.message, error.code

    def answered(self, name: str) -> None:
        """Forget that a model failed once."""
        with self._lock:
            self._failed.pop(name, None)

    def state(self, name: str) -> State:
        """Return how a model is; nothing is loaded and nobody asked for it."""
        entry = self.registry.read().languages.get(name)
        if entry is None:
            return State(name, "", "none")
        with self._lock:
            failed, held, busy = self._failed.get(name), self._held, self._busy_with
        if busy == name:
            return State(name, entry.kind, "loading")
        if failed is not None and failed[0] == entry:
            return State(name, entry.kind, "failed", reason=failed[1], code=failed[2])
        if held is not None and held[0] == name and held[1] == entry:
            return State(name, entry.kind, "loaded", held[2].bytes, held[2].context)
        if not isinstance(entry, GgufEntry):
            return State(name, entry.kind, "remote", context=entry.context)
        return State(name, entry.kind, "unloaded", _predicted(entry), entry.context)

    def states(self) -> list[State]:
        """Return how each model of the registry is."""
        return [self.state(name) for name in self.registry.read().languages]

    def check(self, name: str) -> str:
        """Ask a model's server, or read its file, without loading it; return what is well, in words.

        Raises `LanguageError` for what is not.
        """
        entry = self.entry(name)
        if isinstance(entry, GgufEntry):
            require_library()
            header = read_header(in_home(Path(entry.path)))
            budget = int(_SHARE_OF_MEMORY * self._free())
            context = fitting_context(header, entry.context, budget)
            return (
                f"{header.name} ({header.architecture}): about {format_bytes(header.memory(context))} with "
                f"{context} tokens of context, of {format_bytes(budget)} that are free for it"
            )
        model = self.get(name)
        assert isinstance(model, OllamaModel | OpenAIModel)
        offered = model.offered()
        if offered and not any(one == entry.model or one == f"{entry.model}:latest" for one in offered):
            raise LanguageError(
                "missing_model",
                f"the server answers, and does not offer {safe_text(entry.model)}",
                f"It offers {', '.join(offered[:8])}.",
            )
        return f"the server answers, and offers {entry.model}"

    def close(self) -> None:
        """Free the memory of what is loaded."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held[2].close()

    def _local(self, name: str, entry: GgufEntry) -> LocalModel:
        with self._loading:
            with self._lock:
                held = self._held
                if held is not None and held[0] == name and held[1] == entry:
                    return held[2]
                self._busy_with, self._held = name, None
            try:
                if held is not None:
                    held[2].close()
                    self._tell(
                        Decision(held[0], "unloaded", f"{name} is asked, and one file is held at a time")
                    )
                model = self._make_local(
                    name,
                    in_home(Path(entry.path)),
                    context=entry.context,
                    budget=int(_SHARE_OF_MEMORY * self._free()),
                    threads=self._threads,
                    tell=self._tell,
                )
                with self._lock:
                    self._held = name, entry, model
                    self._failed.pop(name, None)
                return model
            finally:
                with self._lock:
                    self._busy_with = ""


def _predicted(entry: GgufEntry) -> int | None:
    try:
        header = read_header(in_home(Path(entry.path)))
    except TrmError:
        return None
    return header.memory(min(entry.context, header.context))
