"""Errors as clients see them: `{"error": {"code", "message", "hint"}}`, with codes that do not change."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from trm_engine.errors import ResourceError, SessionError, TrmError
from trm_engine.language.model import LanguageError
from trm_engine.remedies import Remedy
from trm_engine.serving.puzzles import UnknownTaskError
from trm_engine.serving.service import BusyError, NoModelError
from trm_engine.text import safe_text
from trm_tui.shared.wording import command_text, command_words

_LOG = logging.getLogger("trm_tui.server")
_LONGEST = 600

_LANGUAGE = {
    "no_such_model": 404,
    "context_too_long": 422,
    "busy": 429,
    "endpoint_down": 502,
    "cut": 502,
    "refused": 502,
    "unauthorized": 502,
    "not_understood": 502,
    "timeout": 504,
}
"""Statuses by the code of a language model's error; any other is a matter of how this server is set up."""

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    421: "unknown_host",
    422: "invalid",
    429: "too_many_requests",
}


class ApiError(HTTPException):
    """An error with a stable code and, where there is one, a remedy."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        hint: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code or _CODES.get(status, "error")
        self.hint = hint
        self.remedies: Sequence[Remedy] = ()

    @property
    def body(self) -> dict[str, dict[str, Any]]:
        """The body of its response."""
        return error_body(self.code, self.detail, self.hint, self.remedies)


def error_body(
    code: str, message: str, hint: str = "", remedies: Sequence[Remedy] = ()
) -> dict[str, dict[str, Any]]:
    """Return the body of an error; foreign text in it is made harmless, and short."""
    body: dict[str, Any] = {"code": code, "message": _shown(message)}
    if hint:
        body["hint"] = _shown(hint)
    if remedies:
        body["remedies"] = [remedy.to_dict() for remedy in remedies]
    return {"error": body}


def error_response(error: ApiError) -> JSONResponse:
    """Return the response that tells an error."""
    return JSONResponse(error.body, error.status_code, headers=error.headers)


def api_error(error: TrmError) -> ApiError:
    """Return what a client is told of an error of the engine; its remedies go along as data."""
    told = _told(error)
    told.remedies = error.remedies
    return told


def _told(error: TrmError) -> ApiError:
    message = str(error)
    if isinstance(error, LanguageError):
        return _language_error(error)
    if isinstance(error, BusyError):
        return ApiError(429, message, code="busy", headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, UnknownTaskError):
        hint = 'Teach the model this task, or send "allow_unknown": true and expect nothing of the answer.'
        return ApiError(422, message, code="unknown_task", hint=hint)
    if isinstance(error, NoModelError):
        return ApiError(
            404, message, code="no_model", hint="Train one: trm-tui run sudoku-4x4 takes seconds."
        )
    if isinstance(error, SessionError):
        return ApiError(404, message, code="no_such_model", hint="GET /api/models lists those there are.")
    if isinstance(error, ResourceError):
        return ApiError(409, command_text(error), code="no_room")
    return ApiError(422, message, code="unreadable_puzzle")


def _language_error(error: LanguageError) -> ApiError:
    """Return what a client is told of a language model that cannot answer; its own code says why."""
    status = _LANGUAGE.get(error.code, 409)
    headers = {"Retry-After": "5"} if status in (429, 502, 504) else None
    words = "; ".join(map(command_words, error.remedies))
    hint = error.hint or words[:1].upper() + words[1:]
    return ApiError(status, error.message, code=error.code, hint=hint, headers=headers)


def install(app: FastAPI) -> None:
    """Let every error of the app leave in the same form."""
    app.add_exception_handler(TrmError, _on_engine_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_defect)


def _on_engine_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, TrmError)
    return error_response(api_error(error))


def _on_invalid(_: Request, error: Exception) -> Response:
    """Name the first field that is wrong. What was sent is not repeated: it may not be writable as JSON."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return error_response(ApiError(400, "the body is not valid JSON", code="invalid_json"))
    where = ".".join(str(part)[:80] for part in first["loc"] if part != "body") or "the body"
    return error_response(ApiError(422, f"{where}: {first['msg']}"))


def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, ApiError):
        return error_response(error)
    message = {404: "there is nothing here", 405: "this address does not take that method"}.get(
        error.status_code, str(error.detail)
    )
    headers = dict(error.headers) if error.headers else None
    return error_response(ApiError(error.status_code, message, headers=headers))


def _on_defect(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s failed", request.method, safe_text(request.url.path), exc_info=error)
    hint = f"The log of the server has more: request {request.scope.get('trm_request', '?')}."
    return error_response(ApiError(500, "the server has a defect here", code="internal", hint=hint))


def _shown(text: str) -> str:
    return safe_text(text.encode("utf-8", "replace").decode())[:_LONGEST]
