"""Runs that are tracked: files read back and compared with metrics.jsonl, and trackers that fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.trm_engine.conftest import Heard, MakeConfig
from tests.trm_engine.training.tracking.read_back import of_tensorboard, of_wandb, recorded, single
from trm_engine.config import TrackConfig, apply
from trm_engine.errors import ConfigError, UsageError
from trm_engine.sessions import Store
from trm_engine.training.events import Warned
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume, start
from trm_engine.training.tracking.tracker import require_trackers

MakeSitting = Callable[..., Sitting]


@pytest.fixture
def make_sitting(make_sitting: MakeSitting) -> MakeSitting:
    """Sittings that wait for their trackers however slow this machine is."""
    return lambda **options: replace(make_sitting(**options), patience=3600.0)


def test_event_files_hold_what_the_session_recorded_over_a_stop(
    make_config: MakeConfig, make_sitting: MakeSitting, store: Store, heard: Heard
) -> None:
    plain = start(store, make_config("eval.every=6"), make_sitting(), preset="p")
    config = make_config("eval.every=6", "track.tensorboard=true")
    first = start(store, config, make_sitting(steps=6), preset="p")
    session = store.get(first.session)
    assert of_tensorboard(session.path / "tensorboard") == single(recorded(session))
    finished = resume(store, first.session, make_sitting())
    figures = of_tensorboard(session.path / "tensorboard")
    assert figures == single(recorded(session))
    assert {step for name, step in figures if name == "train/loss"} == {3, 6, 9, 12}
    assert {step for name, step in figures if name == "final/exact_accuracy"} == {12}
    assert finished.weights_sha256 == plain.weights_sha256
    assert store.get(plain.session).record.trial == session.record.trial
    assert heard.warnings() == []


def test_a_session_is_one_run_of_weights_and_biases_over_a_stop(
    make_config: MakeConfig, make_sitting: MakeSitting, store: Store, heard: Heard
) -> None:
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    config = make_config("eval.every=6", "track.wandb=offline")
    first = start(store, config, make_sitting(steps=6), preset="p")
    resume(store, first.session, make_sitting())
    session = store.get(first.session)
    ids, figures = of_wandb(session.path / "wandb")
    assert ids == {first.session}
    assert figures == recorded(session)
    assert heard.warnings() == []


def test_a_tracker_that_fails_is_told_of_once_and_the_run_is_whole(
    make_config: MakeConfig, make_sitting: MakeSitting, store: Store, heard: Heard
) -> None:
    config = make_config("track.tensorboard=true")
    first = start(store, config, make_sitting(steps=3), preset="p")
    folder = store.get(first.session).path / "tensorboard"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    assert resume(store, first.session, make_sitting()).status == "completed"
    assert heard.warnings() == ["tracking"]
    (warning,) = [event for event in heard.of(Warned) if event.code == "tracking"]
    assert warning.message.startswith("TensorBoard is not told any more: FileExistsError")
    assert any(event.message == warning.message for event in store.get(first.session).events())


@pytest.mark.parametrize(
    ("setting", "module", "extra"),
    [("track.tensorboard=true", "tensorboardX", "tensorboard"), ("track.wandb=offline", "wandb", "wandb")],
)
def test_a_missing_package_is_named_before_there_is_a_session(
    make_config: MakeConfig,
    make_sitting: MakeSitting,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf'{module}.* not installed: pip install "trm-tui\[{extra}\]"'):
        start(store, make_config(setting), make_sitting(), preset="p")
    assert store.list() == []
    require_trackers(TrackConfig())


def test_names_of_projects_are_checked(make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match=r'track\.project: has "/"'):
        apply(make_config(), ["track.project=a/b"])
