"""Runs of several ranks end like those of one, go on with any number of ranks, and do what they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trm_engine.ranks import followed, leading
from tests.trm_engine.tasks.arc.arc_makers import FIRST, SAME, TURN, write
from trm_engine.compute.group import Group
from trm_engine.config import Config, apply, loads
from trm_engine.errors import UsageError
from trm_engine.learning.build import build_learner
from trm_engine.sessions import Store
from trm_engine.tasks import build_task
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.training.control import Control
from trm_engine.training.events import Evaluated, Event, Finished, Paused, Saved, Stepped
from trm_engine.training.provenance import digests
from trm_engine.training.ranks.launch import require_ranks
from trm_engine.training.ranks.lead import lead
from trm_engine.training.runs import resume, start

LONG = ("train.steps=60", "train.batch_size=8", "eval.every=25", "eval.batch_size=5")


@pytest.fixture
def arc(tmp_path: Path) -> str:
    """A small ARC, of which a batch holds each puzzle identifier several times."""
    for name, content in (("training/turn", TURN), ("training/same", SAME), ("evaluation/first", FIRST)):
        write(tmp_path / "arc" / f"{name}.json", content)
    return f"""
        [task]
        kind = "arc"
        data = "{tmp_path / "arc"}"
        size = 5
        augmentations = 1
        [model]
        hidden_size = 8
        puzzle_emb_ndim = 16
        registers = 0
        [train]
        halt_max_steps = 3
        warmup_steps = 2
        [checkpoint]
        every_steps = 0
        every_seconds = 0
    """


@pytest.fixture
def config_of(make_config, arc: str) -> Callable[..., Config]:
    def make(kind: str, *overrides: str) -> Config:
        if kind == "arc":
            return apply(loads(arc, "arc"), ["runtime.threads=1", *overrides])
        return make_config(*(("text",) if kind == "text" else ()), *overrides)

    return make


@pytest.mark.parametrize("kind", ["sudoku", "arc", "text"])
def test_exact_reduction_ends_with_the_same_weights_and_losses(
    tmp_path: Path, store: Store, config_of, make_sitting, kind: str
) -> None:
    config = config_of(kind, *LONG, "runtime.reduction=exact")
    ends: list[Finished] = []
    for ranks in (1, 2):
        with followed(tmp_path / "meeting", ranks) as group:
            ends.append(start(store, config, replace(make_sitting(), group=group), preset="tiny"))
    alone, together = (store.get(end.session) for end in ends)
    assert ends[0].weights_sha256 == ends[1].weights_sha256
    assert digests(alone) == digests(together)
    assert len(digests(alone)) > 5
    assert (alone.record.ranks, together.record.ranks) == (1, 2)
    # Evaluations are cut into other batches, where products round otherwise, and recursion amplifies that.
    assert ends[0].eval.get("lm_loss", 0.0) == pytest.approx(ends[1].eval.get("lm_loss", 0.0), rel=1e-4)
    figures = {name: one for name, one in ends[0].eval.items() if "second" not in name and name != "lm_loss"}
    assert figures == pytest.approx({name: ends[1].eval[name] for name in figures}, rel=1e-5)


@pytest.mark.parametrize("kind", ["sudoku", "arc", "text"])
def test_fast_reduction_differs_by_rounding_alone_at_any_step(tmp_path: Path, config_of, kind: str) -> None:
    # Adam and sign-SGD make whole steps of what is rounding alone, so that weights drift apart: every step is
    # compared from one state.
    config = config_of(kind, *LONG)
    task = build_task(config.task)
    alone = build_learner(config, task)
    with leading(tmp_path / "meeting", config, task, 2) as together:
        for step in range(60):
            if step % 6 == 0:
                together.restore(alone.weights(), alone.tensors(), alone.state())
            one, two = alone.learn(config.micro_batch), together.learn(config.micro_batch)
            if step % 6 == 0:
                assert one is not None
                assert two is not None
                assert float(two.sums.loss) == pytest.approx(float(one.sums.loss), rel=1e-5)
                gradient = alone.parameters.grads
                assert (together.parameters.grads - gradient).norm() < 1e-5 * gradient.norm()


def test_any_number_of_ranks_goes_on_with_a_run(
    tmp_path: Path, store: Store, config_of, make_sitting
) -> None:
    config = config_of("arc", *LONG, "runtime.reduction=exact")
    straight = start(store, config, make_sitting(), preset="tiny")
    session = ""
    for ranks, steps in ((2, 17), (1, 16), (2, None)):
        with followed(tmp_path / "meeting", ranks) as group:
            sitting = replace(make_sitting(steps=steps), group=group)
            end = resume(store, session, sitting) if session else start(store, config, sitting, preset="tiny")
        session = end.session
    assert end.weights_sha256 == straight.weights_sha256
    found, wanted = digests(store.get(session)), digests(store.get(straight.session))
    assert {step: found[step] for step in wanted} == wanted


def test_what_is_asked_of_rank_0_happens_on_all(
    tmp_path: Path, store: Store, config_of, make_sitting, heard
) -> None:
    config = config_of("sudoku", *LONG, "runtime.reduction=exact", "train.log_every=1")
    ends: list[Finished] = []
    for ranks in (1, 2):
        control = Control()

        def command(event: Event, control: Control = control) -> None:
            if isinstance(event, Stepped) and event.step == 5:
                control.scale_lr(0.5)
                control.checkpoint()
                control.evaluate()
                control.pause()
            if isinstance(event, Paused) and event.paused:
                control.resume()
            if isinstance(event, Stepped) and event.step == 12:
                control.stop("enough")

        with followed(tmp_path / "meeting", ranks) as group:
            sitting = replace(make_sitting(control=control), group=group, listeners=[heard, command])
            ends.append(start(store, config, sitting, preset="tiny"))
        assert [event.step for event in heard.of(Saved)] == [0, 5, 12]
        assert [event.step for event in heard.of(Evaluated)] == [5]
        heard.events.clear()
    assert (ends[0].steps, ends[0].reason) == (ends[1].steps, ends[1].reason) == (12, "enough")
    assert ends[0].weights_sha256 == ends[1].weights_sha256


def test_a_signal_to_another_rank_stops_all_after_the_same_step(
    tmp_path: Path, store: Store, config_of, make_sitting
) -> None:
    config = config_of("sudoku", *LONG, "train.log_every=1")
    others: list[Group] = []
    control = Control()

    def command(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == 5:
            others[0].signal = 15

    with followed(tmp_path / "meeting", 2, others) as group:
        sitting = replace(make_sitting(control=control), group=group, listeners=[command])
        end = start(store, config, sitting, preset="tiny")
    assert (end.status, end.steps, control.signal_number) == ("stopped", 6, 15)


def test_a_rank_with_other_data_is_refused(tmp_path: Path, config_of) -> None:
    config = config_of("sudoku")
    learner = build_learner(config, build_task(config.task))
    data = {**fingerprint(learner.task), "train": "other"}
    with followed(tmp_path / "meeting", 2) as group:
        assert group is not None
        with pytest.raises(UsageError, match="rank 1: its data are not those of rank 0"):
            lead(learner, group, threads=1, data=data)


@pytest.mark.parametrize(
    ("ranks", "reduction", "message"),
    [
        (0, "fast", "0 ranks cannot share 6 rows"),
        (7, "fast", "7 ranks cannot share 6 rows"),
        (3, "exact", "3 ranks cannot share evenly"),
    ],
)
def test_numbers_of_ranks_that_cannot_be(make_config, ranks: int, reduction: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        require_ranks(make_config(f"runtime.reduction={reduction}"), ranks)
    assert "\n" not in str(error.value)
