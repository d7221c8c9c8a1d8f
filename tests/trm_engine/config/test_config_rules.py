"""Settings that cannot work together are refused, and only those."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from trm_engine.config import Config, flatten
from trm_engine.config.build import check
from trm_engine.config.rules import _RULES, rules
from trm_engine.tasks.sudoku.config import SudokuConfig

ATTENTION: dict[str, object] = {"mixer": "attention", "positions": "rope"}

IMPOSSIBLE: list[tuple[dict[str, dict[str, object]], str]] = [
    (
        {"model": {**ATTENTION, "heads": 5}},
        "[model] hidden_size: 64 is not a multiple of heads = 5; 60 or 65 is",
    ),
    (
        {"model": {**ATTENTION, "heads": 100}},
        "[model] hidden_size: 64 is not a multiple of heads = 100; 100 is",
    ),
    (
        {"model": {**ATTENTION, "heads": 64}},
        "[model] hidden_size: hidden_size / heads is 1, and rope needs an even",
    ),
    ({"model": {"mixer": "attention"}}, "[model] positions: attention cannot tell cells apart"),
    (
        {"model": {**ATTENTION, "attention_window": 4}},
        "[model] attention_window: 4 has no cell in its middle",
    ),
    (
        {"model": {"attention_window": 7}},
        '[model] attention_window: is for mixer = "attention", and mixer is',
    ),
    (
        {"model": {**ATTENTION, "attention_window": 7, "registers": 0}},
        "[model] attention_window: the halting head reads position 0, which must see every cell",
    ),
    ({"model": {"expansion": 0.01}}, "[model] expansion: 0.01 · hidden_size 64 · 2/3 rounds to a width of 0"),
    ({"model": {"puzzle_emb_len": 2}}, "[model] puzzle_emb_len: 2 positions with nothing to fill them"),
    (
        {"model": {"puzzle_emb_len": 2, "puzzle_emb_ndim": 129}},
        "[model] puzzle_emb_len: 2 positions of hidden_size 64 hold 128 of the puzzle_emb_ndim = 129",
    ),
    ({"train": {"micro_batch": 65}}, "[train] micro_batch: 65 is more than batch_size = 64"),
    ({"train": {"lr": 10.0, "weight_decay": 1.0}}, "[train] weight_decay: 1.0 · lr = 10.0 is above 1"),
    (
        {"model": {"puzzle_emb_ndim": 64}, "train": {"puzzle_emb_lr": 2.0, "puzzle_emb_weight_decay": 1.0}},
        "[train] puzzle_emb_weight_decay: 1.0 · puzzle_emb_lr = 2.0 is above 1",
    ),
    (
        {"train": {"halt_start_steps": 4, "halt_max_steps": 2}},
        "[train] halt_start_steps: 4 is above halt_max_steps = 2",
    ),
    (
        {"train": {"continue_loss": True, "halt_max_steps": 1}},
        "[train] continue_loss: halt_max_steps = 1 leaves",
    ),
    (
        {"eval": {"every": 0, "target_accuracy": 0.9}},
        "[eval] target_accuracy: every = 0 evaluates only at the end",
    ),
    ({"memory": {"shrink_at": 0.5}}, "[memory] shrink_at: 0.5 is below warn_at = 0.7; at least that"),
    ({"memory": {"stop_at": 0.75}}, "[memory] stop_at: 0.75 is below shrink_at = 0.8; at least that"),
    (
        {"task": {"kind": "sudoku", "box_rows": 5, "box_cols": 5}},
        "[task] box_rows: box_rows · box_cols is 25",
    ),
    ({"task": {"kind": "sudoku", "clues": 17}}, "[task] clues: 17 clues in a grid of 16 cells"),
    ({"task": {"kind": "sudoku", "clues": 9, "clues_max": 8}}, "[task] clues_max: 8 is below clues = 9"),
    ({"task": {"kind": "sudoku", "test_data": "x"}}, "[task] test_data: is set but `data` is not"),
]

POSSIBLE: list[dict[str, dict[str, object]]] = [
    {},
    {"model": {"heads": 5}},
    {"model": {"mixer": "attention", "positions": "learned", "heads": 64}},
    {"model": {"puzzle_emb_ndim": 65, "puzzle_emb_len": 2, "registers": 0}},
    {"model": {"puzzle_emb_ndim": 65}},
    {"train": {"micro_batch": 64}},
    {"train": {"steps": 20}},
    {"train": {"lr": 10.0}},
    {"train": {"halt_max_steps": 1}},
    {"train": {"puzzle_emb_lr": 10.0, "puzzle_emb_weight_decay": 10.0}},
    {"eval": {"every": 0}},
    {"eval": {"every": 10_000, "target_accuracy": 0.9}},
    {"checkpoint": {"every_steps": 0, "every_seconds": 0.0}},
    {"memory": {"warn_at": 0.5, "shrink_at": 0.5, "stop_at": 0.5}},
]


def tables(changed: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {"task": {"kind": "sudoku"}, **changed}


@pytest.mark.parametrize(("changed", "message"), IMPOSSIBLE, ids=[message[:40] for _, message in IMPOSSIBLE])
def test_an_impossible_combination_names_its_field(
    changed: dict[str, dict[str, object]], message: str
) -> None:
    _, found = check(tables(changed))
    assert len(found) == 1
    assert str(found[0]).startswith(message)


@pytest.mark.parametrize("changed", POSSIBLE, ids=str)
def test_a_combination_that_works_is_allowed(changed: dict[str, dict[str, object]]) -> None:
    assert check(tables(changed))[1] == []


def test_several_broken_rules_are_told_together() -> None:
    _, found = check(tables({"model": {"mixer": "attention", "heads": 5}, "train": {"micro_batch": 65}}))
    assert [problem.field for problem in found] == ["hidden_size", "positions", "micro_batch"]


@pytest.mark.parametrize("doubtful", ["train.micro_batch", "train.batch_size", "train"])
def test_a_rule_is_not_judged_on_doubtful_settings(doubtful: str) -> None:
    config, _ = check(tables({"train": {"micro_batch": 65}}))
    assert rules(config)
    assert rules(config, {doubtful}) == []


def test_rules_name_settings_that_exist() -> None:
    known = set(flatten(Config(task=SudokuConfig())))
    assert {key for rule in _RULES for key in rule.keys} <= known


class Watched:
    """Stands for a configuration and remembers which settings were read."""

    def __init__(self, model: BaseModel, prefix: str, read: set[str]) -> None:
        self._of = SimpleNamespace(model=model, prefix=prefix, read=read)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._of.model, name)
        if isinstance(value, BaseModel):
            return Watched(value, f"{name}.", self._of.read)
        self._of.read.add(self._of.prefix + name)
        return value


@pytest.mark.parametrize("changed", [*(changed for changed, _ in IMPOSSIBLE), *POSSIBLE], ids=str)
def test_a_rule_reads_only_the_settings_that_it_declares(changed: dict[str, dict[str, object]]) -> None:
    config, _ = check(tables(changed))
    for rule in _RULES:
        read: set[str] = set()
        rule.check(Watched(config, "", read))  # type: ignore[arg-type]  # looks like one
        assert read <= set(rule.keys)
