"""What a person at the keyboard asks of a run while it trains: another rate, a measurement, a look."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from trm_engine.config import loads
from trm_engine.inference.evaluate import Evaluation
from trm_engine.learning.puzzle_learner import PuzzleLearner
from trm_engine.sessions import Store
from trm_engine.tasks.examples import Examples
from trm_engine.training.control import Control, Next
from trm_engine.training.events import Evaluated, Event, Paused, Stepped, Warned
from trm_engine.training.replay import replay
from trm_engine.training.run import Sitting
from trm_engine.training.runs import start


def at_step(step: int, control: Control, command: str, *arguments: object) -> object:
    """Return a listener that gives a command when a step is recorded."""

    def listen(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == step:
            getattr(control, command)(*arguments)

    return listen


def test_a_changed_rate_takes_effect_is_in_the_history_and_is_replayed(
    store: Store, make_config, make_sitting, heard
) -> None:
    control = Control()
    config = make_config("train.warmup_steps=0", "train.lr_min_ratio=1")
    sitting = Sitting(control, [heard, at_step(6, control, "scale_lr", 0.5)])
    finished = start(store, config, sitting, preset="tiny")
    assert [event.lr / config.train.lr for event in heard.of(Stepped)] == pytest.approx([1, 1, 0.5, 0.5])
    session = store.get(finished.session)
    entry = session.history.entries()[-1]
    assert (entry.step, entry.reason) == (6, "learning rate × 0.5")
    changed = loads(entry.config_toml, "history").train
    assert changed.lr == pytest.approx(config.train.lr / 2)
    assert changed.puzzle_emb_lr == pytest.approx(config.train.puzzle_emb_lr / 2)
    assert replay(store, session.id, make_sitting()).agrees


@pytest.mark.parametrize(
    ("doublings", "why"),
    [(40, "train.lr: 2199023255.552 is too large; at most 10"), (9, "flip the sign of the weights")],
)
def test_a_rate_that_no_configuration_may_have_is_refused(
    store: Store, make_config, make_sitting, heard, doublings: int, why: str
) -> None:
    control = Control()
    for _ in range(doublings):
        control.scale_lr(2)
    config = make_config("train.steps=1", "train.lr=0.002", "train.weight_decay=5")
    finished = start(store, config, make_sitting(control=control), preset="tiny")
    assert loads(store.get(finished.session).config_text, "session").train.lr == 0.002
    (warning,) = [event for event in heard.of(Warned) if event.code == "change-refused"]
    assert f"learning rate × {2**doublings:g} refused: " in warning.message
    assert why in warning.message


def test_a_signal_ends_a_pause_in_the_thread_that_it_interrupts() -> None:
    control = Control()
    control.pause()
    before = signal.signal(signal.SIGALRM, lambda number, _: control.stop_by_signal(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        control.await_turn()
        assert control.poll() is Next.STOP
    finally:
        signal.signal(signal.SIGALRM, before)
    assert control.stop_reason == f"signal {signal.SIGALRM}"


def test_what_is_asked_for_before_a_wait_is_not_slept_through() -> None:
    control, rounds = Control(), []
    control.pause()
    control.look(lambda step, weights: None)

    def meanwhile() -> None:
        rounds.append(len(control.take_looks()))
        if len(rounds) == 2:
            control.resume()

    control.await_turn(meanwhile=meanwhile)
    assert control.poll() is Next.CONTINUE
    assert rounds == [1, 0]


class CrowdedGate:
    """A gate that lets a run through at its second claim; `between` happens after the first."""

    def __init__(self, between: Callable[[Control], None]) -> None:
        self.asked: list[str] = []
        self.control = Control(self)
        self._between = between

    def claim(self, wake: Callable[[], None]) -> bool:
        self.asked.append("claim")
        if self.asked.count("claim") == 1:
            self._between(self.control)
            wake()
            return False
        return True

    def give_back(self) -> None:
        self.asked.append("give back")


def resumed_when_at_rest(gate: CrowdedGate) -> list[bool]:
    """Pause, and resume each time the run has come to rest; return what it told of its pauses."""
    told: list[bool] = []

    def meanwhile() -> None:
        if gate.asked[-1] == "give back":
            gate.control.resume()

    gate.control.pause()
    gate.control.await_turn(told.append, meanwhile)
    return told


def test_a_run_that_goes_on_waits_until_the_gate_lets_it() -> None:
    gate = CrowdedGate(between=lambda _: None)
    assert resumed_when_at_rest(gate) == [True, False]
    assert gate.asked == ["give back", "claim", "claim"]
    assert not gate.control.resting


def test_a_pause_before_the_turn_is_taken_gives_it_back() -> None:
    gate = CrowdedGate(between=Control.pause)
    assert resumed_when_at_rest(gate) == [True, False]
    assert gate.asked == ["give back", "claim", "give back", "claim"]


def test_a_stop_ends_the_wait_for_a_turn() -> None:
    gate = CrowdedGate(between=lambda control: control.stop("enough"))
    assert resumed_when_at_rest(gate) == [True, False]
    assert gate.asked == ["give back", "claim"], "it only saves, which another run does not hinder"
    assert gate.control.poll(undo=True) is Next.STOP


def test_a_question_changes_nothing() -> None:
    control = Control()
    assert [control.poll(), control.poll(undo=True), control.poll()] == [
        Next.CONTINUE,
        Next.UNDO,
        Next.CONTINUE,
    ]


def test_factors_multiply_and_are_taken_once() -> None:
    control = Control()
    control.scale_lr(0.5)
    control.scale_lr(0.5)
    assert (control.take_lr_factor(), control.take_lr_factor()) == (0.25, 1.0)


def test_an_evaluation_that_was_asked_for_changes_nothing_that_is_learned(
    store: Store, make_config, make_sitting, heard
) -> None:
    control = Control()
    sitting = Sitting(control, [heard, at_step(3, control, "evaluate")])
    asked = start(store, make_config(), sitting, preset="tiny")
    assert [(event.step, event.final) for event in heard.of(Evaluated)] == [(3, False), (12, True)]
    plain = start(store, make_config(), make_sitting(), preset="tiny")
    assert asked.weights_sha256 == plain.weights_sha256


def test_a_look_gets_a_copy_of_the_averaged_weights(store: Store, make_config, heard) -> None:
    control = Control()
    seen: list[tuple[int, Mapping[str, Tensor]]] = []
    sitting = Sitting(control, [heard, at_step(6, control, "look", lambda *look: seen.append(look))])
    finished = start(store, make_config(), sitting, preset="tiny")
    [(step, weights)] = seen
    assert step == 6
    saved, _ = store.get(finished.session).load()
    assert weights.keys() == saved.weights.keys()
    averaged = {
        name.removeprefix("ema."): tensor for name, tensor in saved.tensors.items() if name.startswith("ema.")
    }
    assert any(not torch.equal(weights[name], averaged[name]) for name in averaged), "training went on"


def test_a_paused_run_can_be_looked_at(store: Store, make_config) -> None:
    control = Control()
    paused, looked = threading.Event(), threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Paused) and event.paused:
            paused.set()

    control.pause()
    sitting = Sitting(control, [listen])
    config = make_config("train.steps=2")
    thread = threading.Thread(target=start, args=(store, config, sitting), kwargs={"preset": "tiny"})
    thread.start()
    assert paused.wait(20)
    control.look(lambda _step, _weights: looked.set())
    assert looked.wait(20)
    control.resume()
    thread.join(20)
    assert not thread.is_alive()


def test_a_pause_is_felt_within_an_evaluation(store: Store, make_config, heard, monkeypatch) -> None:
    control = Control()

    def measure(_model: object, examples: Examples, *, stopping, **_: object) -> Evaluation:
        control.pause()
        assert not stopping(), "it went on after the pause"
        return Evaluation(len(examples), 3, 0.5, 0.5, 0.5, 1.0, 1.0, 0.5, 0.1)

    def let_go(event: Event) -> None:
        if isinstance(event, Paused) and event.paused:
            control.resume()

    monkeypatch.setattr(PuzzleLearner, "measured_by", staticmethod(measure))
    finished = start(store, make_config("train.steps=2"), Sitting(control, [heard, let_go]), preset="tiny")
    assert [event.paused for event in heard.of(Paused)] == [True, False]
    assert finished.status == "completed"
