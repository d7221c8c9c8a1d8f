"""ARC tasks small enough to read, as files and as a task."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from arc_makers import FIRST, SAME, TURN, MakeTask, write

from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.task import ArcTask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two training tasks and one evaluation task, a file each."""
    write(tmp_path / "arc" / "training" / "turn.json", TURN)
    write(tmp_path / "arc" / "training" / "same.json", SAME)
    write(tmp_path / "arc" / "evaluation" / "first.json", FIRST)
    return tmp_path / "arc"


@pytest.fixture
def make_task(folder: Path) -> MakeTask:
    """An ARC task of that folder on a 5×5 canvas, with other settings as named."""

    def make(**settings: Any) -> ArcTask:
        return ArcTask(ArcConfig(**{"data": str(folder), "size": 5, "augmentations": 20, **settings}))

    return make
