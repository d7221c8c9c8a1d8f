"""What is done to sessions from the browser: name, tag, note, delete, restore. Not on the UI's thread.

Every function returns what to tell a person, and raises a `TrmError` when nothing could be done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

from trm_engine.errors import TrmError, UsageError
from trm_engine.files import folder_bytes
from trm_engine.sessions import Store
from trm_engine.sessions.layout import TRASH
from trm_engine.sessions.record import check_name, check_tag
from trm_engine.text import format_bytes


def rename(store: Store, session_id: str, name: str) -> str:
    """Give a session another name; an empty one takes it away."""
    record = store.rename(session_id, name)
    return f"named {record.name}" if record.name else "name cleared"


def note(store: Store, session_id: str, text: str) -> str:
    """Replace a session's note."""
    store.note(session_id, text)
    return "noted" if text else "note cleared"


def retag(store: Store, session_id: str, words: str) -> str:
    """Give a session exactly these tags."""
    wanted = [check_tag(word) for word in _words(words)]
    tags = store.get(session_id).edit(lambda _: {"tags": sorted(set(wanted))}).tags
    return f"tagged {' '.join(tags)}" if tags else "no tags"


def change_tags(store: Store, ids: Sequence[str], words: str) -> str:
    """Add tags to sessions, and take those away that begin with a minus."""
    parts = _words(words)
    more = [word for word in parts if not word.startswith("-")]
    less = [word[1:] for word in parts if word.startswith("-")]

    def change(session_id: str) -> None:
        if more:
            store.tag(session_id, *more)
        if less:
            store.untag(session_id, *less)

    done, trouble = _each(ids, change)
    return f"tags of {_sessions(len(done))} changed{trouble}"


def delete(store: Store, ids: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Move sessions to the trash; return also which were."""
    done, trouble = _each(ids, store.delete)
    back = f"u takes {'it' if len(done) == 1 else 'them'} back"
    return f"{_sessions(len(done))} moved to the trash{trouble} · {back}", done


def purge(store: Store, ids: Sequence[str]) -> str:
    """Delete sessions in the trash for good."""
    freed: list[int] = []
    done, trouble = _each(ids, lambda session_id: freed.append(store.purge(session_id)))
    return f"{_sessions(len(done))} deleted for good, {format_bytes(sum(freed))} freed{trouble}"


def purge_question(store: Store, ids: Sequence[str]) -> str:
    """Return what deleting sessions in the trash for good would cost and bring."""
    held = sum(folder_bytes(store.root / TRASH / session_id) for session_id in ids)
    return f"{_sessions(len(ids))}, {format_bytes(held)}. Nothing brings back what is deleted from the trash."


def restore(store: Store, ids: Sequence[str]) -> str:
    """Take sessions out of the trash."""
    done, trouble = _each(ids, store.restore)
    return f"{_sessions(len(done))} restored{trouble}"


def import_archive(store: Store, file: Path) -> str:
    """Add the session in an archive."""
    return f"imported {store.import_archive(file)}"


def copies(store: Store, session_id: str, measured: str = "") -> list[tuple[str, str, str]]:
    """Return what of a session is worth the clipboard: a letter, what it is, and the text."""
    folder = store.root.absolute() / session_id
    resume = f"trm-tui --no-ui --sessions-dir {quote(str(store.root.absolute()))} resume {session_id}"
    texts = [("i", "id", session_id), ("p", "path", str(folder)), ("c", "command", resume)]
    return [*texts, ("v", "value", measured)] if measured else texts


def name_problem(text: str) -> str:
    """Return what is wrong with a name."""
    return _problem(check_name, [text])


def tags_problem(text: str, *, changing: bool = False) -> str:
    """Return what is wrong with tags; of a change, a minus may stand before each."""
    return _problem(check_tag, [word.removeprefix("-") if changing else word for word in _words(text)])


def _words(text: str) -> list[str]:
    """Return tags as they are written: separated by spaces, commas or both."""
    return text.replace(",", " ").split()


def _problem(check: Callable[[str], object], texts: Sequence[str]) -> str:
    try:
        for text in texts:
            check(text)
    except UsageError as error:
        return str(error)
    return ""


def _each(ids: Sequence[str], act: Callable[[str], object]) -> tuple[list[str], str]:
    """Act on each; return those that it worked for, and words about the others.

    Raises the first error when it worked for none.
    """
    done: list[str] = []
    errors: list[TrmError] = []
    for session_id in ids:
        if error := _caught(act, session_id):
            errors.append(error)
        else:
            done.append(session_id)
    if errors and not done:
        raise errors[0]
    return done, f"; not {_sessions(len(errors))}: {errors[0]}" if errors else ""


def _caught(act: Callable[[str], object], session_id: str) -> TrmError | None:
    try:
        act(session_id)
    except TrmError as error:
        return error
    return None


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"
