"""Trained models for the commands that use one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import notice

if TYPE_CHECKING:
    from trm_engine.inference.model import Model

    M = TypeVar("M", bound=Model)

CheckpointOption = Annotated[
    str | None, typer.Option(metavar="STEP|best", help="Which checkpoint; default: the newest.")
]


def load_model(ctx: typer.Context, session: str, checkpoint: str | None, expect: type[M]) -> M:
    """Load the model of a session, print its warnings, and compute with as many threads as the session did.

    Raises `UsageError` when the session has learned something else than `expect`.
    """
    import torch

    from trm_engine.inference.load import load

    store = settings(ctx).store()
    model = load(store, session, checkpoint, expect=expect)
    for warning in model.warnings:
        notice(f"warning: {warning}")
    torch.set_num_threads(max(store.get(model.session).record.threads, 1))
    return model


def with_data_found_again(ctx: typer.Context, model: M, data: str) -> tuple[M, str]:
    """Return the model and what to measure it on: nothing else where `data` are its own, moved."""
    from trm_engine.training.provenance import found_again

    config = found_again(settings(ctx).store(), model.session, model.config, data) if data else None
    return (model, data) if config is None else (replace(model, config=config), "")
