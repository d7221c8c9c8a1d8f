"""The configuration in the editor, with its history: nothing that was typed is lost by a wrong key."""

from __future__ import annotations

from collections.abc import Mapping

from trm_engine.config import Value
from trm_tui.workbench.editor.draft import Draft, Origin

_MOST_UNDONE = 500


class Document:
    """The draft as it is now, the ones before it, and those that were undone.

    Typing in one field is one step of the history until `seal` is called or another field is changed.
    """

    def __init__(self, origin: Origin) -> None:
        self._now = Draft.of(origin)
        self._past: list[Draft] = []
        self._future: list[Draft] = []
        self._typing: str | None = None
        self._kept = {_known(self._now)}

    @property
    def draft(self) -> Draft:
        """The draft as it is now."""
        return self._now

    @property
    def unsaved(self) -> bool:
        """Whether what stands here is nowhere else: not in a preset, a file or a run."""
        return _known(self._now) not in self._kept

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return any(draft != self._now for draft in self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._future)

    def type(self, key: str, text: str) -> None:
        """Put text into a field, as part of the same step while the field stays the same."""
        if text == self._now.texts.get(key):
            return
        if key != self._typing:
            self.seal()
            self._past.append(self._now)
            self._typing = key
        self._now = self._now.with_texts({key: text})
        self._future.clear()

    def seal(self) -> None:
        """End the step that typing is in; one that changed nothing is forgotten."""
        self._typing = None
        if self._past and self._past[-1] == self._now:
            self._past.pop()
        del self._past[:-_MOST_UNDONE]

    def cancel(self) -> None:
        """Take back what is being typed, as if it had not been."""
        if self._typing is not None:
            self._now = self._past.pop()
            self._typing = None

    def change(self, texts: Mapping[str, str]) -> None:
        """Change several fields in one step."""
        self._become(self._now.with_texts(texts))

    def change_values(self, values: Mapping[str, Value]) -> None:
        """Give several fields these values in one step."""
        self._become(self._now.with_values(values))

    def reset(self, key: str) -> None:
        """Give a field the value that the configuration came with, or its default where it came without."""
        value = self._now.initial(key)
        if value is not None:
            self.change_values({key: value})

    def default(self, key: str) -> None:
        """Give a field its default, if it has one."""
        value = self._now.fields[key].default
        if value is not None:
            self.change_values({key: value})

    def reset_all(self) -> None:
        """Go back to the configuration as it came."""
        self._become(Draft.of(self._now.origin))

    def load(self, origin: Origin) -> None:
        """Take another configuration in place of this one; undo brings this one back."""
        self._become(Draft.of(origin))
        self.keep()

    def saved_as(self, origin: Origin) -> None:
        """Note that what stands here is now the configuration of that name. Undo keeps working."""
        self.seal()
        self._now = Draft(origin, self._now.texts)
        self.keep()

    def keep(self) -> None:
        """Note that what stands here exists elsewhere too, as a run or a file."""
        self.seal()
        self._kept.add(_known(self._now))

    def undo(self) -> bool:
        """Take the last step back; return whether there was one."""
        self.seal()
        if not self._past:
            return False
        self._future.append(self._now)
        self._now = self._past.pop()
        return True

    def redo(self) -> bool:
        """Take the last undone step again; return whether there was one."""
        self.seal()
        if not self._future:
            return False
        self._past.append(self._now)
        self._now = self._future.pop()
        return True

    def _become(self, draft: Draft) -> None:
        self.seal()
        if draft != self._now:
            self._past.append(self._now)
            self._future.clear()
            self._now = draft


def _known(draft: Draft) -> frozenset[tuple[str, Value]]:
    return frozenset(draft.values.items())
