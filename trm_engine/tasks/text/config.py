"""The settings of the text task."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig


class TextConfig(TaskConfig, kind="text", task="trm_engine.tasks.text.task:TextTask"):
    """The next character of a text, learned from windows of it."""

    architecture: ClassVar[str] = "text"

    kind: Literal["text"] = "text"
    """Which task the model learns."""
    data: str = Field("tinyshakespeare", min_length=1, max_length=4096)
    """A UTF-8 text file, or the name of a known text that has been downloaded."""
    context: int = Field(128, ge=2, le=8192)
    """Characters in a window: how far back the model sees."""
    val_share: float = Field(0.1, gt=0, lt=1)
    """Share of the text, at its end, that is held out to measure the loss on."""
    max_vocabulary: int = Field(256, ge=2, le=65535)
    """Tokens at most; of a text with more characters the rarest become unknown and are not scored."""

    @property
    def seq_len(self) -> int:
        """Characters of a window."""
        return self.context

    @property
    def vocab_size(self) -> int:
        """The most tokens there can be: how many there are, only the text knows."""
        return self.max_vocabulary
