"""What every request passes first: who is called (Host), who calls (Origin, token), how much and how often.

A web page that a person visits can make their browser send requests to this server, also by letting its own
name resolve to 127.0.0.1 (DNS rebinding). So the name in `Host` must be one this server goes by, a page of
another origin is refused, and no response can be read by another site.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trm_engine.text import safe_text
from trm_tui.server.errors import ApiError, error_response
from trm_tui.server.rates import RateLimit
from trm_tui.server.settings import ServerSettings

_LOG = logging.getLogger("trm_tui.server")

_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_OPEN = ("/", "/health", "/api/health", "/ping")
_WORK = ("/api/", "/v1/", "/invocations")
_BODIES = ("application/json", "text/csv", "application/x-ndjson")

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """The outermost layer of the app. `seen` hears the status of every response."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        seen: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._settings = settings
        self._seen = seen
        limits = settings.limits
        self._work = RateLimit(limits.requests_per_second, clock=clock)
        wrong = limits.wrong_tokens_per_minute
        self._wrong_tokens = RateLimit(wrong / 60, burst=wrong, clock=clock)
        own = {"localhost", "127.0.0.1", "[::1]", _in_host(settings.host)}
        self._hosts = {name.lower() for name in (*own, *map(_in_host, settings.allow_hosts))}
        self._origins = {origin.lower().rstrip("/") for origin in settings.allow_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with an error."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no web sockets here
        request = secrets.token_hex(6)
        scope["trm_request"] = request
        response = _Response(send, request, cors=self._cors_origin(scope), api=scope["path"] != "/")
        began = time.perf_counter()
        try:
            granted = self._is_granted_preflight(scope)
            refusal = None if granted else self._refusal(scope)
            if granted:
                await Response(status_code=204)(scope, receive, response)
            elif refusal is not None:
                await error_response(refusal)(scope, receive, response)
            else:
                await self.app(scope, self._bounded(scope, receive), response)
        finally:
            self._seen(response.status)
            self._log(scope, request, response.status, time.perf_counter() - began)

    def _log(self, scope: Scope, request: str, status: int, seconds: float) -> None:
        client = scope["client"][0] if scope.get("client") else "?"
        path = safe_text(scope["path"].encode("utf-8", "replace").decode())[:200]
        words = request, client, scope["method"], path, status, 1000 * seconds
        _LOG.info("%s %s %s %s %d %.0f ms", *words)

    # --- who may ask --------------------------------------------------------------------------------------

    def _refusal(self, scope: Scope) -> ApiError | None:
        """Return why a request is not let in; None for one that is."""
        headers = Headers(scope=scope)
        refusal = self._wrong_host(headers) or self._wrong_origin(headers)
        if refusal is not None:
            return refusal
        path = scope["path"]
        client = scope["client"][0] if scope.get("client") else ""
        if self._settings.token and path not in _OPEN and not path.startswith("/static/"):
            refusal = self._wrong_token(headers, client)
            if refusal is not None:
                return refusal
        return self._too_often(scope, client) or self._wrong_body(scope, headers)

    def _wrong_host(self, headers: Headers) -> ApiError | None:
        given = headers.getlist("host")
        match = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if match is None:
            return ApiError(400, "the request must name its host once", code="bad_host")
        if match[1].lower() in self._hosts:
            return None
        name = safe_text(match[1][:80])
        hint = f"Start the server with --allow-host {name} if it goes by that name."
        return ApiError(421, f'this server does not go by the name "{name}"', hint=hint)

    def _wrong_origin(self, headers: Headers) -> ApiError | None:
        origin = headers.get("origin")
        if origin is None:
            cross = (
                headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
            )
            return ApiError(403, "another web site may not call this server") if cross else None
        if origin.lower() in self._origins or self._same_origin(origin, headers["host"]):
            return None
        hint = f"Start the server with --allow-origin {safe_text(origin[:80])} to let that site call it."
        return ApiError(403, "another web site may not call this server", code="foreign_origin", hint=hint)

    def _same_origin(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()

    def _wrong_token(self, headers: Headers, client: str) -> ApiError | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        shown = given.strip() if scheme.lower() == "bearer" else ""
        if hmac.compare_digest(shown.encode("utf-8", "replace"), self._settings.token.encode()):
            return None
        if shown and (seconds := self._wrong_tokens.wait(client)):
            return _too_many("too many wrong tokens", seconds)
        hint = "Send the header Authorization: Bearer TOKEN; the server printed the token when it started."
        headers_out = {"WWW-Authenticate": "Bearer"}
        return ApiError(401, "this server asks for a token", hint=hint, headers=headers_out)

    def _too_often(self, scope: Scope, client: str) -> ApiError | None:
        if scope["method"] != "POST" or not scope["path"].startswith(_WORK):
            return None
        seconds = self._work.wait(client)
        return _too_many("too many requests from this client", seconds) if seconds else None

    def _cors_origin(self, scope: Scope) -> str:
        origin = Headers(scope=scope).get("origin", "")
        return origin if origin.lower() in self._origins else ""

    def _is_granted_preflight(self, scope: Scope) -> bool:
        """Return whether a browser asks on behalf of an allowed site if it may send a request."""
        headers = Headers(scope=scope)
        asks = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        return asks and bool(self._cors_origin(scope)) and self._wrong_host(headers) is None

    # --- bodies -------------------------------------------------------------------------------------------

    def _wrong_body(self, scope: Scope, headers: Headers) -> ApiError | None:
        given = headers.getlist("content-length")
        if len(given) > 1 or any(not (one.isascii() and one.isdigit()) for one in given):
            return ApiError(400, "the length of the body is not a number")
        if given and (len(given[0]) > 12 or int(given[0]) > self._settings.limits.body_bytes):
            return self._too_large()
        has_body = bool(given and int(given[0])) or "transfer-encoding" in headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and has_body and kind not in _BODIES:
            return ApiError(415, "send the body as application/json", hint="A batch may also be text/csv.")
        return None

    def _too_large(self) -> ApiError:
        most = self._settings.limits.body_bytes
        return ApiError(413, f"the body has more than {most:,} bytes", hint="Send large batches in parts.")

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Return a `receive` that ends bodies that are too long, or do not come."""
        limits = self._settings.limits
        taken, complete = 0, scope["method"] in ("GET", "HEAD", "OPTIONS")

        async def bounded() -> Message:
            nonlocal taken, complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), limits.body_seconds)
            except asyncio.TimeoutError:
                raise ApiError(408, f"the body did not come within {limits.body_seconds:g} s") from None
            taken += len(message.get("body", b""))
            if taken > limits.body_bytes:
                raise self._too_large()
            complete = not message.get("more_body", False)
            return message

        return bounded


class _Response:
    """Adds what every response says, and remembers its status."""

    def __init__(self, send: Send, request: str, *, cors: str, api: bool) -> None:
        self.status = 0
        self._send = send
        self._request = request
        self._cors, self._api = cors, api

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["X-Request-Id"] = self._request
            if self._api and "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
            if self._cors:
                headers["Access-Control-Allow-Origin"] = self._cors
                headers["Access-Control-Allow-Headers"] = "authorization, content-type"
                headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
                headers["Vary"] = "Origin"
        await self._send(message)


def _too_many(message: str, seconds: float) -> ApiError:
    return ApiError(429, message, headers={"Retry-After": str(max(1, round(seconds + 0.5)))})


def _in_host(name: str) -> str:
    """Return an address as it stands in a Host header: IPv6 in brackets."""
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
