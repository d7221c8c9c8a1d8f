"""Sessions that have learned to write: a text is continued, character by character; one is held in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch

from trm_engine.errors import TrmError
from trm_engine.inference.generate import Sampling
from trm_engine.inference.load import load
from trm_engine.inference.text_model import TextModel
from trm_engine.language.model import Hear
from trm_engine.language.stop import Stop
from trm_engine.sessions import SessionRecord, Store

_MOST_CHARACTERS = 2000


class Writers:
    """Hands out text sessions; any thread may ask."""

    def __init__(self, store: Store, threads: Callable[[], int] = lambda: 1) -> None:
        self._store, self._threads = store, threads
        self._lock = threading.Lock()
        self._held: tuple[str, object, TextModel] | None = None

    def records(self) -> list[SessionRecord]:
        """Return the text sessions that have a checkpoint, the newest first."""
        try:
            records = [one for one in self._store.list() if one.task == "text" and one.status != "damaged"]
        except TrmError:
            return []
        return [one for one in reversed(records) if self._store.get(one.id).saved_steps]

    def find(self, ref: str) -> SessionRecord | None:
        """Return the text session that a name means; None where it means none."""
        return next((one for one in self.records() if ref in (one.id, one.name)), None)

    def write(self, record: SessionRecord, start: str, characters: int, hear: Hear, stop: Stop) -> str:
        """Continue a text. Raises `UsageError` for characters that the model does not know."""
        model = self._model(record)
        torch.set_num_threads(max(self._threads(), 1))  # of this thread alone
        written: list[str] = []
        sampling = Sampling(max_tokens=min(characters, _MOST_CHARACTERS))
        for character in model.write(model.check_start(start), sampling):
            stop.check()
            written.append(character)
            hear(character)
        return "".join(written)

    def _model(self, record: SessionRecord) -> TextModel:
        with self._lock:
            if self._held is None or self._held[:2] != (record.id, record.updated):
                model = load(self._store, record.id, "best", expect=TextModel)
                self._held = record.id, record.updated, model
            return self._held[2]
