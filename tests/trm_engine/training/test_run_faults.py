"""What fails beside the training itself: listeners, and the files that a run records itself in."""

from __future__ import annotations

import dataclasses

import pytest

from trm_engine.errors import ResourceError, SessionError
from trm_engine.files import Disk
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.events import Stepped
from trm_engine.training.runs import resume, start


@pytest.mark.parametrize(
    "error",
    [OSError("gone"), ValueError("NaN"), SystemExit(1), MemoryError(), UnicodeEncodeError("a", "", 0, 1, "")],
)
def test_no_listener_can_end_a_run(store: Store, make_config, make_sitting, error: BaseException) -> None:
    heard: list[object] = []

    def fail(event: object) -> None:
        heard.append(event)
        raise error

    sitting = dataclasses.replace(make_sitting(), listeners=[fail, heard.append])
    finished = start(store, make_config(), sitting, preset="tiny", name="heard")
    assert (finished.status, store.get("heard").record.status) == ("completed", "completed")
    assert heard[::2] == heard[1::2]
    noted = [e.message for e in store.get("heard").events() if "a listener failed" in e.message]
    assert len(noted) == 1
    assert type(error).__name__ in noted[0]


def test_who_looks_at_the_weights_cannot_end_a_run(store: Store, make_config, make_sitting) -> None:
    def fail(step: int, weights: object) -> None:
        raise ValueError("no such layer")

    control = Control()
    control.look(fail)
    finished = start(store, make_config(), make_sitting(control=control), preset="tiny", name="seen")
    assert finished.status == "completed"
    assert any("no such layer" in event.message for event in store.get("seen").events())


@pytest.mark.parametrize("name", ["metrics.jsonl", "events.log"])
def test_records_that_cannot_be_written_end_a_run_saved(
    store: Store, make_config, make_sitting, name: str
) -> None:
    whole = start(store, make_config(), make_sitting(), preset="tiny")

    def spoil(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 6:
            path = store.get("full").path / name
            path.unlink(missing_ok=True)
            path.mkdir()

    sitting = dataclasses.replace(make_sitting(), listeners=[spoil])
    with pytest.raises(SessionError, match=r"cannot write the .*saved at step \d+, and resumes from there"):
        start(store, make_config(), sitting, preset="tiny", name="full")
    (store.get("full").path / name).rmdir()
    assert store.get("full").status == "stopped"
    assert resume(store, "full", make_sitting()).weights_sha256 == whole.weights_sha256


def test_a_run_that_cannot_save_at_all_leaves_no_session(tmp_path, make_config, make_sitting) -> None:
    class Full(Disk):
        def free_bytes(self, path: object) -> int:
            return 0

    store = Store(tmp_path / "full", Full())
    with pytest.raises(ResourceError, match="not enough disk space") as caught:
        start(store, make_config(), make_sitting(), preset="tiny")
    assert "intact" not in str(caught.value)
    assert "Nothing was saved" in str(caught.value)
    assert store.list() == []
