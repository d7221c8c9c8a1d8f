"""Search in passages: SQLite's full-text index (FTS5, ranked by BM25), in memory, nothing to install."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.sessions import Store
from trm_engine.text import safe_text
from trm_tui.gateway.documents.passages import Passage, files_of, of_folder, of_help, of_sessions, of_text

_SCHEMA = (
    "CREATE VIRTUAL TABLE passages USING fts5(title, text, place UNINDEXED, tokenize='porter unicode61')"
)
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a about all also am an and any are as at be but by can could did do does doing for from get "
        "give had has "
        "have how i if in into is it its just like make me more my need no not of on or our out please "
        "say should "
        "so some tell than that the their them then there these they this to up us use want was we what "
        "when where which while who why will with would you your",
    )
)
_WORD = re.compile(r"\w+")
_ROOT = 5
"""Letters by which a word is known again in a passage, whatever its ending."""
_MOST_WORDS = 40
_LOOK_SECONDS = 5.0
SOURCES = 3


class Index:
    """An index of passages that does not change."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = list(passages)
        self._lock = threading.Lock()
        self._link = sqlite3.connect(":memory:", check_same_thread=False)
        self._link.execute(_SCHEMA)
        rows = ((one.title, one.text, str(number)) for number, one in enumerate(self._passages))
        self._link.executemany("INSERT INTO passages VALUES (?, ?, ?)", rows)

    def __len__(self) -> int:
        return len(self._passages)

    def search(self, question: str, count: int = SOURCES) -> list[Passage]:
        """Return the passages that answer a question best, none where none is about it."""
        words = content_words(question)
        if not words:
            return []
        # Every word is quoted: nothing in a question is taken for an operator of the index.
        query = " OR ".join(f'"{word}"' for word in words)
        sql = "SELECT place FROM passages WHERE passages MATCH ? ORDER BY bm25(passages, 4.0, 1.0) LIMIT ?"
        with self._lock:
            places = [int(row[0]) for row in self._link.execute(sql, (query, 4 * count))]
        found = [self._passages[place] for place in places]
        return [one for one in found if _is_about(one, words)][:count]


def content_words(question: str) -> list[str]:
    """Return the words of a question that say what it is about."""
    words = (word.lower() for word in _WORD.findall(question))
    return list(dict.fromkeys(word for word in words if word not in _STOP and len(word) > 1))[:_MOST_WORDS]


def _is_about(passage: Passage, words: Sequence[str]) -> bool:
    """Tell whether at least half of the words occur: one word in common is chance."""
    text = f"{passage.title} {passage.text}".lower()
    return sum(word[:_ROOT] in text for word in words) * 2 >= len(words)


class Library:
    """The product's help, the sessions' records and a folder of docs; read again when files change."""

    def __init__(
        self,
        store: Store | None = None,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if folder is not None and not folder.is_dir():
            raise UsageError(f"--docs {safe_text(str(folder))}: there is no such folder")
        self._store, self._folder, self._clock = store, folder, clock
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._mark: object = None
        self._looked = 0.0
        self.left_out: Sequence[str] = ()
        """Files of the folder that could not be read, with reasons."""

    def search(self, question: str, count: int = SOURCES) -> list[Passage]:
        """Return the passages that answer a question best, none where none is about it."""
        return self._current().search(question, count)

    def _current(self) -> Index:
        with self._lock:
            now = self._clock()
            if self._index is None or now - self._looked > _LOOK_SECONDS:
                self._looked = now
                mark = self._state()
                if self._index is None or mark != self._mark:
                    self._index, self._mark = self._built(), mark
            return self._index

    def _built(self) -> Index:
        passages = list(of_help())
        if self._store is not None:
            passages += of_sessions(self._store)
        if self._folder is not None:
            found, self.left_out = of_folder(self._folder)
            passages += found
        return Index(passages)

    def _state(self) -> object:
        marks: list[object] = []
        if self._folder is not None:
            for path in files_of(self._folder):
                try:
                    about = path.stat()
                except OSError:
                    continue
                marks.append((str(path), about.st_mtime_ns, about.st_size))
        if self._store is not None:
            try:
                marks.append([(path.name, path.stat().st_mtime_ns) for path in self._store.root.iterdir()])
            except OSError:
                marks.append(None)
        return marks


def of_context(context: Sequence[str], question: str, count: int = SOURCES) -> list[Passage]:
    """Return the passages of texts that were sent with a question: all, or the best where there are many."""
    passages = [one for number, text in enumerate(context, 1) for one in of_text(text, f"context {number}")]
    if len(passages) <= count:
        return passages
    return Index(passages).search(question, count) or passages[:count]
