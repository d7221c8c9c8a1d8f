"""Text as a task to learn: windows of a file, and the character after each of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.text.config import TextConfig
from trm_engine.tasks.text.encoded import EncodedText, encoded
from trm_engine.tasks.text.fetch import located
from trm_engine.tasks.text.vocabulary import Vocabulary
from trm_engine.text import safe_text

_MANY_UNKNOWN = 0.01
"""Share of a text's characters beyond the vocabulary from which a person is warned."""


@dataclass(frozen=True)
class Windows(Source):
    """Windows of `context` tokens, the i-th from token i · `stride` on; labels are one character further.

    `tokens` (N,) stay in their file: a window is read when it is taken.
    """

    tokens: Tokens
    vocabulary: Vocabulary
    context: int
    stride: int = 1

    def __len__(self) -> int:
        return max(0, (len(self.tokens) - self.context - 1) // self.stride + 1)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given windows in memory."""
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        taken = np.asarray(self.tokens[numbers[:, None] * self.stride + np.arange(self.context + 1)])
        return Examples.of(taken[:, :-1], taken[:, 1:])

    def content(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Return the tokens, and what they stand for."""
        return {"tokens": self.tokens, "vocabulary": self.vocabulary.points}


class TextTask(Task):
    """The next character: token 0 is unknown and not scored, tokens 1, 2, … are the characters in order.

    The file is read when anything but `seq_len` is first used. A trained model brings its `vocabulary`:
    without one, the text decides.
    """

    def __init__(
        self, config: TextConfig, progress: Progress = silent, vocabulary: Vocabulary | None = None
    ) -> None:
        self._config = config
        self._progress = progress
        self._vocabulary = vocabulary
        self.seq_len = config.context

    @cached_property
    def vocab_size(self) -> int:  # type: ignore[override]  # an attribute that is read from the text when asked
        """Tokens of this text."""
        return len(self._text.vocabulary)

    @property
    def vocabulary(self) -> str:
        """The characters of tokens 1, 2, …."""
        return self._text.vocabulary.characters

    @property
    def train(self) -> Windows:
        """Windows that begin at any character of the first part."""
        return Windows(self._text.tokens[: self._split], self._text.vocabulary, self.seq_len)

    @property
    def test(self) -> Windows:
        """Windows side by side over the part at the end."""
        return side_by_side(self._text.tokens[self._split :], self._text.vocabulary, self.seq_len)

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: `source`, `training`, `test`, `unseen`."""
        text, share = self._text, self._config.val_share
        total, known = len(text.tokens), len(text.vocabulary.characters)
        lost = f", {text.unknown:,} characters beyond these not scored" if text.unknown else ""
        return {
            "source": f"{safe_text(self._path.name)}: {total:,} characters, {known:,} different{lost}",
            "training": f"the first {self._split:,} characters",
            "test": f"the last {total - self._split:,} characters ({share:.0%})",
            "unseen": "the held-out part comes after the training part and shares no character with it",
        }

    @property
    def warnings(self) -> list[str]:
        """What is neither learned nor scored, where it is more than a hundredth of the text."""
        text = self._text
        share, known = text.unknown / len(text.tokens), len(text.vocabulary.characters)
        if share < _MANY_UNKNOWN:
            return []
        return [
            f"{share:.0%} of the characters of {safe_text(self._path.name)} are neither learned nor scored: "
            f"only the {known:,} most frequent ones have a token; raise task.max_vocabulary "
            f"(now {self._config.max_vocabulary:,})"
        ]

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:  # noqa: ARG002  # of the task
        """Return the windows as they are: a text has no symmetries."""
        return examples

    def load(self, path: str) -> Windows:
        """Return the windows side by side of another file, in this task's tokens.

        Raises `UsageError` when the file is no text, has not one window, or no character that is known.
        """
        vocabulary = self._vocabulary or self._text.vocabulary
        file = located(path, self._progress)
        tokens = encoded(file, vocabulary=vocabulary, progress=self._progress).tokens
        windows = side_by_side(tokens, vocabulary, self.seq_len)
        if not len(windows):
            raise _too_short(file, len(tokens), self.seq_len, self.seq_len + 1)
        return windows

    @property
    def _split(self) -> int:
        total = len(self._text.tokens)
        return total - round(total * self._config.val_share)

    @cached_property
    def _path(self) -> Path:
        return located(self._config.data, self._progress)

    @cached_property
    def _text(self) -> EncodedText:
        most = self._config.max_vocabulary
        text = encoded(self._path, vocabulary=self._vocabulary, most_tokens=most, progress=self._progress)
        total, share, window = len(text.tokens), self._config.val_share, self.seq_len + 1
        held_out = round(total * share)
        if min(held_out, total - held_out) < window:
            needed = int(np.ceil((window + 0.5) / min(share, 1 - share)))
            raise _too_short(self._path, total, self.seq_len, needed)
        if not text.tokens[total - held_out :].any():
            raise UsageError(
                f"{safe_text(str(self._path))}: no character of the held-out part has a token, so there is "
                f"nothing to measure; raise task.max_vocabulary (now {most:,}) or task.val_share"
            )
        return text


def side_by_side(tokens: Tokens, vocabulary: Vocabulary, context: int) -> Windows:
    """Return the windows that cover a text once; what is left over at its end is in none."""
    return Windows(tokens, vocabulary, context, stride=context)


def _too_short(path: Path, characters: int, context: int, needed: int) -> UsageError:
    return UsageError(
        f"{safe_text(str(path))} has {characters:,} characters, too few for context {context}: "
        f"{needed:,} are needed; name a longer text or lower task.context"
    )
