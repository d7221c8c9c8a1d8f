"""A gateway on oracles in place of trained networks, and a stub in place of a language model's server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.language_server import Stub
from tests.serving import Oracle, service_of, sudoku_store
from trm_engine.hardware import Hardware
from trm_engine.language.stop import Stop
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.models.registry import OllamaEntry, OpenAIEntry, Registry
from trm_tui.gateway.opening import open_gateway
from trm_tui.gateway.reply import Ask, Reply


@dataclass
class Chatting:
    """A gateway, and what it has told."""

    gateway: Gateway
    registry: Registry
    told: list[tuple[str, Any]] = field(default_factory=list)

    def say(self, message: str, *, stop: Stop | None = None, **ask: Any) -> Reply:
        self.told.clear()
        return self.gateway.reply(
            Ask(message, **ask), lambda name, data: self.told.append((name, data)), stop or Stop()
        )

    @property
    def text(self) -> str:
        """What was streamed."""
        return "".join(data["text"] for name, data in self.told if name == "text")


@pytest.fixture
def chat_with(tmp_path: Path) -> Iterator[Callable[..., Chatting]]:
    """Return a function that opens a gateway with models of these boxes."""
    opened: list[Gateway] = []

    def make(*boxes: tuple[int, int], oracle=Oracle, docs: Path | None = None) -> Chatting:
        store = sudoku_store(tmp_path / f"sessions-{len(opened)}", *(boxes or ((2, 2),)))
        registry = Registry(tmp_path / f"models-{len(opened)}.toml")
        gateway = open_gateway(
            service_of(store, oracle),
            registry=registry,
            docs=docs,
            machine=lambda: Hardware(gemm_gflops=40.0),
        )
        opened.append(gateway)
        return Chatting(gateway, registry)

    yield make
    for gateway in opened:
        gateway.languages.close()
        gateway.service.residents.close(5.0)


@pytest.fixture(params=["openai", "ollama"])
def entry_for(request, stub: Stub):
    """Return a function that makes an entry for a model of the stub."""
    if request.param == "openai":
        return lambda model: OpenAIEntry(url=f"{stub.url}/v1", model=model)
    return lambda model: OllamaEntry(url=stub.url, model=model)
