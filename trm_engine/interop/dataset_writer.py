"""Write a task's examples as a dataset folder in the published form; `tasks.dataset_folder` reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from trm_engine.files import unusable
from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Task
from trm_engine.tasks.dataset_folder import METADATA
from trm_engine.tasks.examples import PAD, Source, Tokens

NO_PUZZLE = 0
"""The identifier of puzzles that have none of their own (blank_identifier_id)."""
_SET = "all"
_CHUNK_ROWS = 2**12


def write_published(
    folder: Path,
    train: Source,
    test: Source,
    *,
    vocab_size: int,
    identifiers: Sequence[str] = ("<blank>",),
    test_puzzles: Mapping[str, object] | None = None,
    progress: Progress = silent,
) -> None:
    """Write both splits into a folder, a chunk of rows at a time.

    Consecutive rows of a group that share an identifier are the examples of one puzzle; a row without one
    (identifier 0) is a puzzle by itself. Labels that are not scored become 0, the padding. `identifiers.json`
    names the identifiers, and `test_puzzles.json` holds `test_puzzles`, where there are any.

    `dataset.json` comes last in each split, so that a folder cut short is not taken for a dataset. Raises
    `UsageError` where a split exists, has no rows, or cannot be written.
    """
    for name, source in (("train", train), ("test", test)):
        if (folder / name).exists():
            raise unusable(folder / name, "exists already; choose another folder")
        if not len(source):
            raise unusable(folder / name, "would be empty: the task has no such examples")
    try:
        for name, source in (("train", train), ("test", test)):
            _write_split(folder / name, source, vocab_size, len(identifiers), progress)
        _write_json(folder / "identifiers.json", list(identifiers))
        if test_puzzles:
            _write_json(folder / "test_puzzles.json", dict(test_puzzles))
    except OSError as error:
        raise unusable(folder, f"cannot be written: {error.strerror}") from error


def write_task(folder: Path, task: Task, progress: Progress = silent) -> None:
    """Write the examples that a task trains on and holds out, as `write_published` does."""
    write_published(
        folder,
        task.train,
        task.test,
        vocab_size=task.vocab_size,
        identifiers=task.identifiers,
        test_puzzles=task.test_puzzles,
        progress=progress,
    )


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _write_split(folder: Path, source: Source, vocab_size: int, names: int, progress: Progress) -> None:
    rows = len(source)
    folder.mkdir(parents=True)
    seq_len, ids = _write_rows(folder, source, progress)
    assert ids.max() < names, "the task has identifiers without a name"
    groups = np.arange(rows + 1) if source.groups is None else np.asarray(source.groups)
    puzzles = _puzzle_bounds(ids, groups)
    indices: dict[str, npt.NDArray[np.integer]] = {
        "puzzle_identifiers": ids[puzzles[:-1]],
        "puzzle_indices": puzzles,
        "group_indices": np.searchsorted(puzzles, groups),
    }
    for field, array in indices.items():
        np.save(_path(folder, field), array.astype(np.int32), allow_pickle=False)
    metadata = {
        "pad_id": PAD,
        "ignore_label_id": PAD,
        "blank_identifier_id": NO_PUZZLE,
        "vocab_size": vocab_size,
        "seq_len": seq_len,
        "num_puzzle_identifiers": names,
        "total_groups": len(groups) - 1,
        "mean_puzzle_examples": rows / (len(puzzles) - 1),
        "total_puzzles": len(puzzles) - 1,
        "sets": [_SET],
    }
    _write_json(folder / METADATA, metadata)


def _path(folder: Path, field: str) -> Path:
    return folder / f"{_SET}__{field}.npy"


def _write_rows(folder: Path, source: Source, progress: Progress) -> tuple[int, npt.NDArray[np.int32]]:
    """Write inputs and labels; return the length of a row and every row's identifier."""
    ids = np.empty(len(source), np.int32)
    length = 0
    with ExitStack() as stack:
        files = {
            field: stack.enter_context(_path(folder, field).open("xb")) for field in ("inputs", "labels")
        }
        types: dict[str, np.dtype[np.integer]] = {}
        for start in range(0, len(source), _CHUNK_ROWS):
            part = source.take(slice(start, start + _CHUNK_ROWS))
            ids[start : start + len(part)] = part.puzzle_ids
            length = part.inputs.shape[1]
            for field, rows in (("inputs", part.inputs), ("labels", np.maximum(part.labels, PAD))):
                if field not in types:
                    types[field] = rows.dtype
                    _begin(files[field], rows, len(source))
                files[field].write(np.ascontiguousarray(rows, types[field]).data)
            progress(f"writing {folder.name}", start + len(part), len(source))
    return length, ids


def _begin(file: IO[bytes], rows: Tokens, count: int) -> None:
    """Write the header of an array of `count` rows like these."""
    header = {
        "descr": np.lib.format.dtype_to_descr(rows.dtype),
        "fortran_order": False,
        "shape": (count, *rows.shape[1:]),
    }
    np.lib.format.write_array_header_1_0(file, header)


def _puzzle_bounds(ids: npt.NDArray[np.int32], groups: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """Return where puzzles begin, and the number of rows: at a new group, a new identifier, or none."""
    begins = np.ones(len(ids), np.bool_)
    begins[1:] = (ids[1:] != ids[:-1]) | (ids[1:] == NO_PUZZLE)
    begins[groups[:-1]] = True
    return np.append(np.flatnonzero(begins), len(ids))
