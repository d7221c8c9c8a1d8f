"""A Hub of one data set on the loopback interface, as misbehaved as a test wants it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "someone/puzzles"


class LoopbackHub:
    """What the server serves and how, and what it was asked for.

    `cut` bytes of a file are sent before the connection breaks, the next time (and each time, with
    `always_cut`); `ranges` says whether it can begin in the middle of a file.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.commit = COMMIT
        self.etags = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        self.cut: int | None = None
        self.always_cut = False
        self.ranges = True
        self.requests: list[tuple[str, str, str | None]] = []
        self.url = ""

    @property
    def gets(self) -> list[str | None]:
        """The ranges of the files that were asked for (None: from the beginning)."""
        return [span for method, _, span in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: LoopbackHub

    def log_message(self, *_args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub, span = self.hub, self.headers.get("Range")
        hub.requests.append((self.command, self.path, span))
        name, refusal = self._find()
        if refusal:
            self._refuse(refusal)
            return
        content = hub.files[name]
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and hub.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", hub.commit)
        self.send_header("ETag", f'"{hub.etags[name]}"')
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if with_body:
            self._send(content[start:])

    def _find(self) -> tuple[str, str]:
        """Return the file that is asked for, and the code of what is wrong with that."""
        match = re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        if match is None or match[1] != REPO:
            return "", "RepoNotFound"
        if match[2] not in ("main", self.hub.commit):
            return "", "RevisionNotFound"
        return match[3], "" if match[3] in self.hub.files else "EntryNotFound"

    def _send(self, body: bytes) -> None:
        cut = self.hub.cut
        if not self.hub.always_cut:
            self.hub.cut = None
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def _refuse(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Serve on a free port for as long as the block lasts."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
