"""A gateway put together from what this machine has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trm_engine.decisions import Decision
from trm_engine.hardware import Hardware, detect
from trm_engine.serving.service import Service
from trm_tui.gateway.documents.retrieval import Library
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.models.languages import Languages
from trm_tui.gateway.models.registry import Registry
from trm_tui.gateway.models.writers import Writers

_UNKNOWN = 1_000_000_000


def open_gateway(
    service: Service,
    *,
    docs: Path | None = None,
    registry: Registry | None = None,
    threads: Callable[[], int] = lambda: 1,
    machine: Callable[[], Hardware] = lambda: detect(with_torch=False),
    tell: Callable[[Decision], None] = lambda _: None,
) -> Gateway:
    """Return a gateway for a service's models, what the registry names, and a folder of docs.

    `threads` says how many threads a language model may compute with now. Raises `UsageError` where `docs`
    is no folder.
    """
    store = service.residents.catalogue.store
    languages = Languages(registry or Registry(), free=free_bytes, threads=threads, tell=tell)
    return Gateway(service, languages, Library(store, docs), Writers(store), machine)


def free_bytes() -> int:
    """Return how much memory is free now, the limits of containers included."""
    return detect(with_torch=False).memory.effective_available_bytes or _UNKNOWN
