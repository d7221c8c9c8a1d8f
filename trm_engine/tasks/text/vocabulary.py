"""The characters that a text model knows, and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import PAD, Tokens

CODE_POINTS = 0x110000
Counts = npt.NDArray[np.int64]


class Vocabulary:
    """Characters in the order of their tokens 1, 2, …; token 0 stands for every other character."""

    def __init__(self, characters: str) -> None:
        self.characters = characters

    @classmethod
    def of(cls, counts: Counts, most_tokens: int) -> Vocabulary:
        """Return the characters counted (by code point), sorted; of too many, the most frequent ones."""
        points = np.flatnonzero(counts)
        if len(points) >= most_tokens:
            by_frequency = points[np.argsort(-counts[points], kind="stable")]
            points = np.sort(by_frequency[: most_tokens - 1])
        return cls("".join(map(chr, points)))

    def __len__(self) -> int:
        """Return the number of tokens, token 0 included."""
        return len(self.characters) + 1

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """The smallest type that holds every token."""
        return np.dtype(np.uint8) if len(self) <= 256 else np.dtype(np.uint16)

    def encode(self, text: str) -> Tokens:
        """Return the tokens (N,) of a text; unknown characters are 0."""
        points = code_points(text)
        tokens: Tokens = self._table[points]
        return tokens

    def decode(self, tokens: Sequence[int] | Tokens) -> str:
        """Return the characters of tokens; token 0 is the replacement character."""
        shown = "\ufffd" + self.characters
        return "".join(shown[token] for token in tokens)

    def unknown(self, text: str) -> str:
        """Return the characters of a text that have no token, each once, in the order of the text."""
        known = set(self.characters)
        return "".join(dict.fromkeys(character for character in text if character not in known))

    @cached_property
    def points(self) -> npt.NDArray[np.uint32]:
        """The code points of the characters."""
        return code_points(self.characters)

    @cached_property
    def _table(self) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        table = np.full(CODE_POINTS, PAD, self.dtype)
        table[self.points] = np.arange(1, len(self))
        return table


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points (N,) of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32, copy=False)
