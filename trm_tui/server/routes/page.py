"""The web page: a few files of the package, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from trm_tui.server.errors import ApiError

router = APIRouter(include_in_schema=False)

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    tag: str


def _load() -> dict[str, _File]:
    """Read the page into memory: what is asked for later is a name in this table, never a path."""
    found = {}
    for entry in files("trm_tui.server").joinpath("page").iterdir():
        suffix = f".{entry.name.rpartition('.')[2]}"
        if suffix in _TYPES:
            content = entry.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
            found[entry.name] = _File(content, _TYPES[suffix], tag)
    return found


_FILES = _load()


@router.get("/")
async def index(request: Request) -> Response:
    """Return the page."""
    return _respond(request, "index.html")


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    """Return a file of the page."""
    return _respond(request, name)


def _respond(request: Request, name: str) -> Response:
    file = _FILES.get(name)
    if file is None:
        raise ApiError(404, "the page has no such file")
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
