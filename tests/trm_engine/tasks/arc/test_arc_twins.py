"""Pairs whose input is a held-out one, turned, mirrored or recoloured, are no lessons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from arc_makers import MakeTask, Raw, write
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trm_engine.tasks.arc.augment import turned
from trm_engine.tasks.arc.twins import HeldOut, canonical

Grid = npt.NDArray[np.uint8]
GRIDS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 9))
COLOURS = st.permutations(range(1, 10)).map(lambda colours: np.array([0, *colours], np.uint8))


@given(GRIDS, st.integers(0, 7), COLOURS)
def test_every_image_of_a_grid_has_its_canonical_form(grid: Grid, symmetry: int, colours: Grid) -> None:
    image = turned(colours[grid], symmetry)
    assert canonical(image) == canonical(grid)
    assert image in HeldOut([grid])


def test_grids_of_other_patterns_have_other_forms() -> None:
    grids = [
        np.array(rows, np.uint8) for rows in ([[1, 1, 2]], [[1, 2, 1]], [[1, 1, 1]], [[1, 2, 3]], [[1, 1]])
    ]
    assert len({canonical(grid) for grid in grids}) == len(grids)
    assert grids[1] not in HeldOut([grids[0]])


def pair(given_: list[list[int]], answer: list[list[int]]) -> Raw:
    return {"input": given_, "output": answer}


ASKED, ANSWER = [[1, 2, 0], [0, 0, 3]], [[3, 0, 0], [0, 2, 1]]
TWINS = {
    "the same": ASKED,
    "turned": np.rot90(ASKED).tolist(),
    "mirrored": np.fliplr(ASKED).tolist(),
    "recoloured": [[7, 5, 0], [0, 0, 4]],
    "turned and recoloured": np.rot90([[7, 5, 0], [0, 0, 4]]).tolist(),
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS.keys())
def test_an_image_of_a_held_out_input_is_left_out_and_counted(
    tmp_path: Path, make_task: MakeTask, twin: list[list[int]]
) -> None:
    other = pair([[1, 1], [2, 2]], [[2, 2], [1, 1]])
    write(tmp_path / "d/training/twin.json", {"train": [other, pair(twin, ANSWER)], "test": [other]})
    write(tmp_path / "d/evaluation/asked.json", {"train": [other], "test": [pair(ASKED, ANSWER)]})
    task = make_task(data=str(tmp_path / "d"), size=4, augmentations=20)
    assert "1 that had have been left out" in task.facts["unseen"]
    asked = task.test.take(slice(None)).inputs[0].tobytes()
    learned = task.train.take(slice(None)).inputs
    assert asked not in {row.tobytes() for row in learned}


def test_a_task_of_which_no_pair_is_left_is_told(tmp_path: Path, make_task: MakeTask) -> None:
    other = pair([[1, 1], [2, 2]], [[2, 2], [1, 1]])
    write(tmp_path / "d/training/twin.json", {"train": [pair(ASKED, ANSWER)], "test": [pair(ASKED, ANSWER)]})
    write(tmp_path / "d/evaluation/asked.json", {"train": [other], "test": [pair(ASKED, ANSWER)]})
    told = make_task(data=str(tmp_path / "d"), size=4).facts["unseen"]
    assert "2 that had have been left out, and with them all of 1 task." in told
