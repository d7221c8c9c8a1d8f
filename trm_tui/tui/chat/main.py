"""The one function that opens the chat. Textual is imported inside it, after the terminal is prepared."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from trm_engine.errors import UsageError
from trm_tui.tui.terminal import StrayOutput

if TYPE_CHECKING:
    from trm_tui.gateway.gateway import Gateway

_TOO_PLAIN = ("dumb", "unknown")


def open_chat(gateway: Gateway, model: str, max_tokens: int) -> int:
    """Open the chat and return the exit code. Raises `UsageError` where there is no terminal for it."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()) or os.environ.get("TERM") in _TOO_PLAIN:
        raise UsageError('the chat needs a terminal; without one: trm-tui --no-ui chat "MESSAGE"')
    gateway.choose(model)  # it must be one
    with StrayOutput():
        from trm_tui.tui.chat.app import ChatApp
        from trm_tui.tui.chat.history import History
        from trm_tui.tui.failure import Failure

        app = ChatApp(gateway, History(), model=model, max_tokens=max_tokens)
        failure = Failure(app)
        app.run()
    if failure.cause:
        sys.stderr.write(f"error: the chat has failed: {failure.cause}\n")
        return 1
    return 0
