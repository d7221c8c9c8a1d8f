"""A gateway for a command: the sessions of the folder, this machine, and what the registry names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trm_tui.cli.terminal.output import notice

if TYPE_CHECKING:
    from trm_engine.hardware import Hardware
    from trm_engine.serving.service import Service
    from trm_engine.sessions import Store
    from trm_tui.gateway.gateway import Gateway

SHARE_OF_MEMORY = 0.25
"""The share of free memory that models may take where nobody says how much."""
LEAST_BYTES = 64_000_000


def open_service(store: Store, docs: Path | None = None) -> tuple[Service, Gateway]:
    """Return the service of a folder of sessions and its gateway; `close_service` ends them."""
    from trm_engine.hardware import detect
    from trm_engine.serving.catalogue import Catalogue, Named
    from trm_engine.serving.neighbours import Neighbours
    from trm_engine.serving.residents import Residents
    from trm_engine.serving.service import Service
    from trm_tui.gateway.opening import free_bytes

    store, named = with_usual_checkpoint(store)
    neighbours = Neighbours(store, detect().cpu.usable_physical_cores or 1)
    budget = max(int(SHARE_OF_MEMORY * free_bytes()), LEAST_BYTES)
    catalogue = Catalogue(store, [Named.parse(one) for one in named])
    service = Service(Residents(catalogue, budget=budget, threads=neighbours.threads))
    return service, gateway_for(service, docs, neighbours.language_threads)


def gateway_for(
    service: Service,
    docs: Path | None,
    threads: Callable[[], int],
    *,
    tell: Callable[[object], None] = lambda _: None,
) -> Gateway:
    """Return the gateway of a service on this machine."""
    from trm_tui.gateway.opening import open_gateway

    return open_gateway(service, docs=docs, threads=threads, machine=this_machine, tell=tell)


def close_service(service: Service, gateway: Gateway) -> None:
    """End the threads and free the memory of both."""
    gateway.languages.close()
    service.residents.close(2.0)


def this_machine() -> Hardware:
    """Return this machine with its rate, which is measured once and remembered."""
    from trm_engine.hardware import detect
    from trm_engine.tuning.gemm_rate import with_gemm_rate

    return with_gemm_rate(detect())


def with_usual_checkpoint(store: Store) -> tuple[Store, list[str]]:
    """Return what to serve where the folder has no session: a checkpoint in one of the usual places."""
    from trm_engine.errors import TrmError
    from trm_tui.cli.published import session_of_weights
    from trm_tui.gateway.models.checkpoints import usual_checkpoint

    if store.list() or (found := usual_checkpoint()) is None:
        return store, []
    try:
        session = session_of_weights(store, found)
    except TrmError as error:
        notice(f"{found} cannot be used: {error}")
        return store, []
    notice(f"no session yet; {found} has become session {session}")
    return store, [session]
