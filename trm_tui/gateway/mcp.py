"""The Model Context Protocol over stdin and stdout, for programs that give their language models tools.

Three tools need no more of the protocol than this: JSON-RPC, one message a line, as
https://modelcontextprotocol.io/specification describes for the stdio transport. The official package would
bring a web server and cryptography along for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trm_engine import __version__
from trm_engine.language.stop import Stop, StoppedError
from trm_engine.serving.service import Service
from trm_tui.gateway.tools import FOR_PROGRAMS, Toolbox, ToolError

_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
_LONGEST = 1_000_000
_PARSE, _REQUEST, _METHOD, _PARAMETERS, _INTERNAL = -32700, -32600, -32601, -32602, -32603
_TOGETHER = 4
Json = dict[str, Any]


class McpServer:
    """Answers the requests of one client; `send` takes each line that goes back, one at a time."""

    def __init__(self, service: Service, send: Callable[[str], None]) -> None:
        self._service = service
        self._send = send
        self._lock = threading.Lock()
        self._stops: dict[object, Stop] = {}

    def serve(self, lines: Iterable[str]) -> None:
        """Answer until there are no more lines; calls of tools run beside each other."""
        with ThreadPoolExecutor(_TOGETHER, "mcp") as pool:
            for line in lines:
                if line.strip():
                    self._take(line, pool)

    def _take(self, line: str, pool: ThreadPoolExecutor) -> None:
        try:
            if len(line) > _LONGEST:
                raise ValueError
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._tell(_error(None, _PARSE, "this line is no JSON"))
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._tell(_error(None, _REQUEST, "this is not a request of JSON-RPC 2.0"))
            return
        identifier, method = message.get("id"), message.get("method")
        given = message.get("params")
        parameters = given if isinstance(given, dict) else {}
        if not isinstance(identifier, str | int):
            if method == "notifications/cancelled":
                self._cancel(parameters.get("requestId"))
            return  # a notification has no answer
        if method == "tools/call":
            stop = self._stops[identifier] = Stop()
            pool.submit(self._call, identifier, parameters, stop)
        else:
            self._tell(self._answer(identifier, method, parameters))

    def _answer(self, identifier: str | int, method: object, parameters: Json) -> Json:
        if method == "initialize":
            wanted = parameters.get("protocolVersion")
            version = wanted if wanted in _VERSIONS else _VERSIONS[0]
            about = {"name": "trm-tui", "title": "Tiny Recursive Models", "version": __version__}
            said = "Solves grid puzzles with trained recursive models and checks answers by the rules."
            result: Json = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
            return _result(identifier, {**result, "instructions": said})
        if method == "ping":
            return _result(identifier, {})
        if method == "tools/list":
            tools = [
                {"name": one.name, "description": one.description, "inputSchema": dict(one.parameters)}
                for one in FOR_PROGRAMS
            ]
            return _result(identifier, {"tools": tools})
        return _error(identifier, _METHOD, "there is no such method here")

    def _call(self, identifier: str | int, parameters: Json, stop: Stop) -> None:
        try:
            name, arguments = parameters.get("name"), parameters.get("arguments") or {}
            if not isinstance(name, str) or not isinstance(arguments, dict):
                self._tell(_error(identifier, _PARAMETERS, "a call has a name, and arguments"))
                return
            if name not in {one.name for one in FOR_PROGRAMS}:
                self._tell(_error(identifier, _PARAMETERS, "there is no such tool"))
                return
            found, failed = Toolbox(self._service, stop=stop).call(name, arguments), False
        except ToolError as error:
            found, failed = {"error": str(error)}, True
        except StoppedError:
            return  # a call that was cancelled has no answer
        except Exception as error:
            self._tell(_error(identifier, _INTERNAL, f"the tool failed: {type(error).__name__}"))
            return
        finally:
            self._stops.pop(identifier, None)
        content = [{"type": "text", "text": json.dumps(found, ensure_ascii=False)}]
        self._tell(_result(identifier, {"content": content, "structuredContent": found, "isError": failed}))

    def _cancel(self, identifier: object) -> None:
        if isinstance(identifier, str | int) and (stop := self._stops.get(identifier)) is not None:
            stop.set()

    def _tell(self, message: Json) -> None:
        with self._lock:
            self._send(json.dumps(message, separators=(",", ":")))


def _result(identifier: str | int, result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": identifier, "result": result}


def _error(identifier: str | int | None, code: int, message: str) -> Json:
    return {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}}
