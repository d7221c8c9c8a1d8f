"""A stand-in for servers of language models on the loopback, in OpenAI's form and in Ollama's.

What it does is asked for by the name of the model: it answers, is slow, breaks off, calls tools, or fails.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ["Hello", ", ", "I ", "am ", "a ", "stub", "."]


class Stub(ThreadingHTTPServer):
    """Remembers what it was asked; `gate` holds back the model `slow` after its first word."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.gate = threading.Event()
        self.broken_off = threading.Event()
        self.reached = threading.Event()
        """Set once a slow or a silent answer is on its way."""
        self.says = ""
        """What the models `says` and `tools` say in the end."""
        self.calls: list[dict[str, Any]] = []
        """The calls of tools that the model `tools` makes, a request each."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients break off in these tests


@contextmanager
def stub_server() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        listed = {"good": 1, "slow": 1, "tools": 1}
        if self.path == "/v1/models":
            self._json(200, {"data": [{"id": name} for name in listed]})
        elif self.path == "/api/tags":
            self._json(200, {"models": [{"name": f"{name}:latest"} for name in listed]})
        else:
            self._json(404, {"error": "nothing"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        self.server.tokens.append(self.headers.get("authorization", ""))
        model = body["model"]
        refusals = {
            "unauthorized": (401, {"error": {"message": "no token"}}),
            "unknown": (404, {"error": f"model {model} not found"}),
            "busy": (503, {"error": {"message": "loading model"}}),
            "context": (400, {"error": {"message": "the request exceeds the context size"}}),
            "failing": (500, {"error": {"message": "out of memory"}}),
        }
        if model in refusals:
            self._json(*refusals[model])
            return
        if model == "silent":
            self.server.reached.set()
            self.server.gate.wait(30)
            return
        self.send_response(200)
        self.end_headers()
        try:
            self._stream(model, openai=self.path.startswith("/v1"))
        except (BrokenPipeError, ConnectionResetError):
            self.server.broken_off.set()

    def _stream(self, model: str, *, openai: bool) -> None:
        if model == "garbage":
            self._write("data: {nonsense\n\n" if openai else "{nonsense\n")
            return
        if model == "tools" and self.server.calls:
            self._call(self.server.calls.pop(0), openai=openai)
            return
        words = [self.server.says] if model in ("says", "tools") else WORDS
        for number, word in enumerate(words):
            self._write(_openai({"content": word}) if openai else _ollama(word))
            if model == "cut" and number == 2:
                return
            if model == "error-in-stream" and number == 1:
                error = json.dumps({"error": {"message": "it fell over"}})
                self._write(f"data: {error}\n\n" if openai else error + "\n")
                return
            if model == "slow":
                self.server.reached.set()
                while not self.server.gate.is_set():
                    self._write(": still here\n\n" if openai else "\n")
                    # A slow server, which keeps sending: only a write shows that the client has gone.
                    time.sleep(0.01)
        if openai:
            usage = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}
            self._write(_openai({}, "stop") + f"data: {json.dumps(usage)}\n\ndata: [DONE]\n\n")
        else:
            self._write(_ollama("", done=True, prompt_eval_count=11, eval_count=7))

    def _call(self, call: dict[str, Any], *, openai: bool) -> None:
        arguments = call["arguments"]
        if not openai:
            function = {"name": call["name"], "arguments": arguments}
            message = {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}
            self._write(json.dumps({"message": message, "done": False}) + "\n" + _ollama("", done=True))
            return
        text = json.dumps(arguments)
        half = len(text) // 2  # a stream brings arguments in pieces
        first = {"index": 0, "id": "call_1", "function": {"name": call["name"], "arguments": text[:half]}}
        rest = {"index": 0, "function": {"arguments": text[half:]}}
        for piece in (first, rest):
            self._write(_openai({"tool_calls": [piece]}))
        self._write(_openai({}, "tool_calls") + "data: [DONE]\n\n")

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def _json(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _openai(delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


def _ollama(word: str, *, done: bool = False, **counts: int) -> str:
    return json.dumps({"message": {"role": "assistant", "content": word}, "done": done, **counts}) + "\n"
