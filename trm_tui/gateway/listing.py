"""Who can be talked to, as JSON values: for the pages, programs and the command line."""

from __future__ import annotations

from typing import Any

from trm_engine.text import safe_text
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.models.registry import AUTO, TrmEntry
from trm_tui.gateway.turn import TRM_ALONE


def models_json(gateway: Gateway) -> dict[str, Any]:
    """Return what is selected, and every name that a message may be sent to."""
    chosen = gateway.languages.registry.read()
    listed: list[dict[str, Any]] = [
        _entry(AUTO, "auto", "what fits: puzzles to the recursive models, the rest to the language model"),
        _entry(TRM_ALONE, "trm", "the recursive models alone: puzzles only"),
    ]
    for state in gateway.languages.states():
        about = _entry(state.name, state.kind, state.reason)
        listed.append({**about, "state": state.phase, "bytes": state.bytes, "context": state.context})
    listed += [
        {**_entry(name, "trm", f"named in the registry: {safe_text(one.path)}"), "state": "named"}
        for name, one in chosen.models.items()
        if isinstance(one, TrmEntry)
    ]
    residents = gateway.service.residents
    held = {one.served.session: one.bytes for one in residents.held()}
    for served in residents.catalogue.list():
        about = _entry(served.session, "trm", served.config.task.called, served.title)
        state_ = "loaded" if served.session in held else "unloaded"
        score = {"accuracy": served.best_score, "parameters": served.parameters}
        listed.append({**about, "state": state_, "bytes": held.get(served.session), **score})
    for record in gateway.writers.records()[:20]:
        title = safe_text(record.name or record.preset or record.id)
        listed.append({**_entry(record.id, "text", "continues texts", title), "state": "unloaded"})
    return {"selected": chosen.selected_model, "models": listed, "language": gateway.state().name}


def _entry(name: str, kind: str, about: str, title: str = "") -> dict[str, Any]:
    return {"id": name, "title": title or name, "kind": kind, "about": about}
