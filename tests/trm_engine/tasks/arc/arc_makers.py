"""ARC tasks small enough to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trm_engine.tasks.arc.task import ArcTask

Raw = dict[str, Any]
MakeTask = Callable[..., ArcTask]

# The rule is to swap rows and columns; colours do not matter.
TURN: Raw = {
    "train": [
        {"input": [[1, 2], [3, 0]], "output": [[1, 3], [2, 0]]},
        {"input": [[4, 0, 4]], "output": [[4], [0], [4]]},
        {"input": [[5], [6]], "output": [[5, 6]]},
    ],
    "test": [{"input": [[7, 8, 0]], "output": [[7], [8], [0]]}],
}
# The rule is to keep the first row.
FIRST: Raw = {
    "train": [{"input": [[1, 2], [3, 4]], "output": [[1, 2]]}],
    "test": [
        {"input": [[0, 9], [9, 0]], "output": [[0, 9]]},
        {"input": [[2, 2, 5], [1, 6, 1]], "output": [[2, 2, 5]]},
    ],
}
# The rule is to do nothing.
SAME: Raw = {
    "train": [{"input": [[3, 1], [1, 2]], "output": [[3, 1], [1, 2]]}],
    "test": [{"input": [[4, 5]], "output": [[4, 5]]}],
}


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path
