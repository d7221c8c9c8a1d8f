"""One POST or GET to a language model's server, read line by line as it comes, and stopped at any time."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trm_engine.language.model import LanguageError, said_in
from trm_engine.language.stop import Stop, StoppedError
from trm_engine.remedies import Advice
from trm_engine.text import one_line, safe_text

_CONNECT_SECONDS = 10.0
_LONGEST_LINE = 1_000_000
_LONGEST_ERROR = 4096


@dataclass(frozen=True)
class Place:
    """Where a server is. `silence` is how many seconds it may say nothing."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    silence: float = 120.0

    @property
    def shown(self) -> str:
        """The address for people, without what may be secret in it."""
        parts = urlsplit(self.url)
        return safe_text(
            f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        )


def check_url(url: str) -> None:
    """Raise `LanguageError` for what is no address of a server, or holds a password."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise LanguageError(
            "bad_url",
            f"{safe_text(url[:100])} is not an address of a server",
            "It begins with http:// or https://, as http://127.0.0.1:11434",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise LanguageError(
            "bad_url",
            "the address holds a name, a password or a query",
            Advice.NAME_TOKEN,
        )


@contextmanager
def lines_of(
    place: Place, path: str, body: Mapping[str, Any] | None, stop: Stop, *, seconds: float
) -> Iterator[Iterator[str]]:
    """Send a request and yield the lines of its answer; POST with a body, else GET.

    Raises `LanguageError` where the server cannot be reached, refuses, is silent too long or breaks off,
    `StoppedError` as soon as `stop` is set.
    """
    parts = urlsplit(place.url)
    secure = parts.scheme == "https"
    until = time.monotonic() + seconds
    link = (
        http.client.HTTPSConnection(
            parts.netloc, timeout=_CONNECT_SECONDS, context=ssl.create_default_context()
        )
        if secure
        else http.client.HTTPConnection(parts.netloc, timeout=_CONNECT_SECONDS)
    )
    response: http.client.HTTPResponse | None = None
    held: list[socket.socket] = []
    try:
        with stop.calling(lambda: _cut(held)):
            try:
                link.connect()
                held.append(link.sock)  # the connection forgets it where its answer ends with it
                stop.check()
                link.sock.settimeout(min(place.silence, max(seconds, 1.0)))
                data = None if body is None else json.dumps(body).encode()
                kind = {} if data is None else {"Content-Type": "application/json"}
                target = parts.path.rstrip("/") + path
                link.request("GET" if data is None else "POST", target, data, {**place.headers, **kind})
                response = link.getresponse()
                if response.status != 200:
                    raise _refused(place, response)
                yield _lines(response, until)
                stop.check()
            except (OSError, http.client.HTTPException) as error:
                if stop.is_set:
                    raise StoppedError from error
                raise _unreachable(place, error) from error
    finally:
        if response is not None:
            response.close()
        link.close()


def _cut(held: list[socket.socket]) -> None:
    """End a connection whose reader waits in another thread."""
    for link in held:
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)


def _lines(response: http.client.HTTPResponse, until: float) -> Iterator[str]:
    while line := response.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise http.client.HTTPException("a line of the answer is too long")
        if time.monotonic() > until:
            raise TimeoutError("timed out")
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _refused(place: Place, response: http.client.HTTPResponse) -> LanguageError:
    text = response.read(_LONGEST_ERROR).decode("utf-8", "replace")
    said = _said(text) or f"status {response.status}"
    if response.status in (401, 403):
        return LanguageError("unauthorized", f"{place.shown} wants a token: {said}", Advice.NAME_TOKEN)
    if response.status == 404:
        return LanguageError(
            "missing_model", f"{place.shown} does not know it: {said}", Advice.SEE_OFFERED_MODELS
        )
    if "context" in said and response.status in (400, 413):
        return LanguageError("context_too_long", f"{place.shown}: {said}", "Send less text.")
    if response.status in (429, 503):
        return LanguageError("busy", f"{place.shown} is busy: {said}", "Try again in a moment.")
    return LanguageError("refused", f"{place.shown} refused: {said}", "Its log may say more.")


def _said(text: str) -> str:
    """Return the message in a server's error, which has one of several forms."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return one_line(text)
    return said_in(found.get("error", found) if isinstance(found, dict) else found)


def _unreachable(place: Place, error: Exception) -> LanguageError:
    if isinstance(error, TimeoutError):
        return LanguageError(
            "timeout",
            f"{place.shown} did not answer in time",
            "It may still be loading its model: try again.",
        )
    if isinstance(error, http.client.HTTPException | ConnectionResetError | BrokenPipeError):
        return LanguageError("cut", f"{place.shown} broke off its answer", "Ask again; its log may say why.")
    return LanguageError(
        "endpoint_down",
        f"{place.shown} cannot be reached ({one_line(str(error), 120)})",
        Advice.CHOOSE_MODEL,
    )
