"""Which models there are, and what each is."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastapi import APIRouter, Request

from trm_engine.serving.catalogue import Served
from trm_engine.serving.puzzles import task_of
from trm_engine.tasks.base import PuzzleTask
from trm_tui.server.context import context_of, views_by_default
from trm_tui.server.shapes import errors

router = APIRouter(tags=["models"], responses=errors(404))


def shape_of(task: PuzzleTask) -> tuple[int, int]:
    """Return rows and columns of the grids of a task."""
    rows = task.grid(np.zeros(task.seq_len, np.int64))
    return len(rows), len(rows[0])


def model_json(served: Served, loaded: bool) -> dict[str, Any]:
    """Return what a list of models says of one."""
    task = task_of(served.config.task)
    rows, columns = shape_of(task)
    return {
        "id": served.session,
        "title": served.title,
        "preset": served.preset,
        "kind": served.kind,
        "rows": rows,
        "columns": columns,
        "box": list(task.box),
        "palette": dict(task.palette),
        "parameters": served.parameters,
        "step": served.step,
        "accuracy": served.best_score,
        "status": served.status,
        "created": served.created,
        "loaded": loaded,
        "steps_by_default": served.config.eval_steps,
        "views_by_default": views_by_default(task),
        "judged": task.judges_all,
    }


@router.get("/api/models")
def models(request: Request) -> dict[str, Any]:
    """List the models that can be asked, the newest first."""
    residents = context_of(request).service.residents
    loaded = {resident.served.session for resident in residents.held()}
    listed = [model_json(served, served.session in loaded) for served in residents.catalogue.list()]
    hint = "" if listed else "No trained model yet. This makes one in seconds: trm-tui run sudoku-4x4"
    return {"models": listed, "hint": hint}


@router.get("/api/model-info")
def model_info(request: Request, model: str = "auto") -> dict[str, Any]:
    """Tell everything about one model, loading it where it is not: architecture, training, weights."""
    resident = context_of(request).service.choose(model)
    served, config = resident.served, resident.trained.config
    return {
        **model_json(served, loaded=True),
        "parameters": resident.parameters,
        "weights": resident.digest,
        "bytes": resident.bytes,
        "device": "cpu",
        "architecture": {
            "mixer": config.model.mixer,
            "hidden_size": config.model.hidden_size,
            "layers": config.model.layers,
            "h_cycles": config.model.h_cycles,
            "l_cycles": config.model.l_cycles,
            "states": config.model.states,
            "positions": config.model.positions,
        },
        "training": {
            "batch_size": config.train.batch_size,
            "steps": config.train.steps,
            "halt_max_steps": config.train.halt_max_steps,
        },
        "warnings": list(resident.trained.warnings),
    }
