"""What is passed on to a tracker, over restarts, crashes and returns to a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.trm_engine.training.tracking.read_back import of_tensorboard
from trm_engine.sessions.metrics import Metrics
from trm_engine.training.tracking.follower import Follower, Passed
from trm_engine.training.tracking.sink import figures_of
from trm_engine.training.tracking.tensorboard import TensorBoard


class Sink:
    """Remembers what it is given."""

    def __init__(self, *, takes_back: bool = True) -> None:
        self.takes_back = takes_back
        self.told: list[object] = []

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        self.told.append((step, dict(figures)))

    def take_back(self, step: int) -> None:
        self.told.append(("back", step))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _follower(folder: Path, sink: Sink) -> Follower:
    return Follower(folder, sink, Passed(folder / "passed.json"))


def _record(metrics: Metrics, *steps: int) -> None:
    for step in steps:
        metrics.append({"event": "step", "step": step, "loss": 1 / step})


def test_figures_are_grouped_and_what_is_no_number_is_left_out() -> None:
    step = {"event": "step", "step": 3, "steps": 9, "loss": 0.5, "q_halt_loss": None, "rss_bytes": 7}
    assert figures_of({**step, "device": "cpu", "core_percents": [1, 2]}) == {
        "train/loss": 0.5,
        "machine/rss_bytes": 7.0,
    }
    evaluation = {"event": "eval", "step": 3, "final": False, "loss": 0.25, "seconds": 1.0}
    assert figures_of(evaluation) == {"eval/loss": 0.25, "eval/seconds": 1.0}
    assert figures_of({**evaluation, "final": True}) == {"final/loss": 0.25, "final/seconds": 1.0}


def test_each_record_is_passed_on_once_also_when_it_is_followed_anew(tmp_path: Path) -> None:
    metrics, sink = Metrics(tmp_path / "metrics.jsonl"), Sink()
    follower = _follower(tmp_path, sink)
    follower.advance()  # nothing is recorded yet
    _record(metrics, 1, 2)
    follower.advance()
    follower.advance()
    assert sink.told == [(1, {"train/loss": 1.0}), (2, {"train/loss": 0.5})]
    again = Sink()
    _record(metrics, 4)
    _follower(tmp_path, again).advance()
    assert again.told == [(4, {"train/loss": 0.25})]


def test_what_was_recorded_while_nobody_followed_is_passed_on(tmp_path: Path) -> None:
    _record(Metrics(tmp_path / "metrics.jsonl"), 1, 2, 4)
    sink = Sink()
    _follower(tmp_path, sink).advance()
    assert [told[0] for told in sink.told] == [1, 2, 4]


def test_a_line_in_the_making_waits_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    path, sink = tmp_path / "metrics.jsonl", Sink()
    follower = _follower(tmp_path, sink)
    path.write_bytes(b'{"event":"step","step":1,"loss":1.0,"crc32":"00000000"}\n{"event":"step","ste')
    follower.advance()
    assert sink.told == []
    with path.open("ab") as file:
        file.write(b'p":2,"loss":0.5}\n')
    follower.advance()
    assert sink.told == [(2, {"train/loss": 0.5})]


@pytest.mark.parametrize("takes_back", [True, False])
def test_steps_that_come_again(tmp_path: Path, takes_back: bool) -> None:
    metrics, sink = Metrics(tmp_path / "metrics.jsonl"), Sink(takes_back=takes_back)
    follower = _follower(tmp_path, sink)
    _record(metrics, 1, 2, 3)
    follower.advance()
    metrics.rewind(1)
    _record(metrics, 2, 3, 4)
    follower.advance()
    again = [("back", 1), (2, {"train/loss": 0.5})] if takes_back else []
    assert [one for one in sink.told[3:] if one != (3, {"train/loss": 1 / 3})] == [
        *again,
        (4, {"train/loss": 0.25}),
    ]


def test_event_files_say_what_stands_after_a_crash_and_a_return(tmp_path: Path) -> None:
    metrics, folder = Metrics(tmp_path / "metrics.jsonl"), tmp_path / "tensorboard"
    folder.mkdir()

    def sitting() -> TensorBoard:
        passed = Passed(folder / "passed.json")
        board = TensorBoard(tmp_path, passed.step)
        Follower(tmp_path, board, passed).advance()
        return board

    _record(metrics, 1, 2, 4)
    crashed = sitting()
    # Written, and then killed before that was noted down: the next one voids it.
    crashed.write(5, {"train/loss": 9.0})
    crashed.close()
    metrics.rewind(2)
    _record(metrics, 3, 4, 5)
    sitting().close()
    assert of_tensorboard(folder) == pytest.approx(
        {("train/loss", step): 1 / step for step in (1, 2, 3, 4, 5)}
    )


def test_without_its_notes_all_is_written_again_and_shown_once(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    folder.mkdir()
    _record(Metrics(tmp_path / "metrics.jsonl"), 1, 2)
    for _ in range(2):
        passed = Passed(folder / "passed.json")
        board = TensorBoard(tmp_path, passed.step)
        Follower(tmp_path, board, passed).advance()
        board.close()
        (folder / "passed.json").write_text("?")
    assert of_tensorboard(folder) == {("train/loss", 1): 1.0, ("train/loss", 2): 0.5}
