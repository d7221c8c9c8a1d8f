"""The queue on disk: in order, whole, and shared by processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.config import Config, find_preset
from trm_engine.errors import SessionError
from trm_tui.workbench.queue.queue_file import QUEUE, QueueFile, queued

FOUR = find_preset("sudoku-4x4").config


def filled(root: Path, *names: str, config: Config = FOUR) -> QueueFile:
    file = QueueFile(root)
    file.add([queued(config, "sudoku-4x4", name) for name in names])
    return file


def names(file: QueueFile) -> list[str]:
    return [run.title for run in file.read()]


def test_runs_are_kept_in_order_with_their_configurations(tmp_path: Path) -> None:
    file = filled(tmp_path / "new", "a", "", "c")
    assert names(file) == ["a", "sudoku-4x4", "c"]
    assert file.read()[0].read() == FOUR
    assert names(QueueFile(tmp_path / "new")) == names(file), "it outlives who has written it"


@pytest.mark.parametrize(("by", "order"), [(-1, "bac"), (1, "acb"), (-9, "bac"), (9, "acb")])
def test_a_run_is_moved(tmp_path: Path, by: int, order: str) -> None:
    file = filled(tmp_path, "a", "b", "c")
    file.move(file.read()[1].id, by)
    assert "".join(names(file)) == order


def test_a_run_is_taken_out_and_put_back(tmp_path: Path) -> None:
    file = filled(tmp_path, "a", "b", "c")
    taken = file.read()[1]
    file.remove(taken.id)
    file.remove(taken.id)
    assert names(file) == ["a", "c"]
    file.add([taken], at=1)
    assert names(file) == ["a", "b", "c"]


def test_what_became_of_a_run_is_noted(tmp_path: Path) -> None:
    file = filled(tmp_path, "a", "b")
    file.note(file.read()[1].id, session="s-1", problem="failed")
    assert [(run.session, run.problem) for run in file.read()] == [("", ""), ("s-1", "failed")]


def test_a_damaged_file_is_told_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / QUEUE).write_text("precious")
    file = QueueFile(tmp_path)
    with pytest.raises(SessionError, match=r"damaged\); delete it"):
        file.read()
    with pytest.raises(SessionError, match="damaged"):
        file.add([queued(FOUR, "x")])
    assert (tmp_path / QUEUE).read_text() == "precious"


def test_one_process_runs_a_queue(tmp_path: Path) -> None:
    one, other = QueueFile(tmp_path), QueueFile(tmp_path)
    one.claim()
    with pytest.raises(SessionError, match="another process"):
        other.claim()
    one.release()
    one.release()
    other.claim()
    other.release()
