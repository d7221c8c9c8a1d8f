from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.config import Config, EvalConfig, MemoryConfig, ModelConfig, TrainConfig, apply
from trm_engine.config.presets import find
from trm_engine.hardware import Hardware, Memory
from trm_engine.planning.estimate import estimate, memory_budget
from trm_engine.planning.flops import forward_flops, parameters, training_flops
from trm_engine.planning.time import implied_gflops
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.sudoku.config import SudokuConfig

GB = 10**9
ATTENTION_128 = [
    "model.hidden_size=128",
    "model.mixer=attention",
    "model.positions=rope",
    "model.l_cycles=3",
    "model.registers=16",
    "model.width_multiple=256",
]


def published(mixer: str, **train: Any) -> Config:
    """Configure the published Sudoku-Extreme model: 16 puzzle positions in front of 81 cells."""
    model = ModelConfig.model_validate(
        {
            "hidden_size": 512,
            "heads": 8,
            "h_cycles": 3,
            "l_cycles": 6,
            "mixer": mixer,
            "positions": "rope" if mixer == "attention" else "none",
            "registers": 0,
            "puzzle_emb_ndim": 512,
            "puzzle_emb_len": 16,
            "width_multiple": 256,
        }
    )
    task = SudokuConfig(box_rows=3, box_cols=3)
    return Config(
        task=task, model=model, train=TrainConfig(batch_size=768, **train), eval=EvalConfig(batch_size=16)
    )


def test_published_attention_model() -> None:
    config = published("attention")
    # qkv and output 4·512², SwiGLU 3·1536·512, two layers; embeddings in and out 2·11·512; q head 2·512 + 2.
    assert parameters(config) == 2 * (4 * 512**2 + 3 * 1536 * 512) + 2 * 11 * 512 + 1026 == 6_828_034
    assert training_flops(config) == pytest.approx(47e9, rel=0.02)


def test_published_mlp_model() -> None:
    # SwiGLU along 97 positions: 259 rounded up to 512.
    config = published("mlp_t")
    assert parameters(config) == 2 * (3 * 512 * 97 + 3 * 1536 * 512) + 2 * 11 * 512 + 1026 == 5_028_866


def test_learned_positions_and_registers_are_parameters() -> None:
    base = published("attention")
    learned = apply(base, ["model.positions=learned"])
    registers = apply(base, ["model.registers=3"])
    assert parameters(learned) - parameters(base) == 97 * 512
    assert parameters(registers) - parameters(base) == 3 * 512


def test_puzzle_embeddings_are_counted_apart() -> None:
    fit = estimate(published("mlp_t"), num_puzzle_ids=1000)
    assert (fit.parameters, fit.puzzle_parameters) == (5_028_866, 512_000)


def test_the_backward_pass_costs_twice_the_last_cycle() -> None:
    one_cycle = apply(published("attention"), ["model.h_cycles=1"])
    assert training_flops(one_cycle) == 3 * forward_flops(one_cycle)


def test_the_continue_loss_costs_a_forward_pass() -> None:
    config = published("attention")
    with_loss = apply(config, ["train.continue_loss=true"])
    assert training_flops(with_loss) - training_flops(config) == forward_flops(config)


def test_time_follows_the_rate() -> None:
    config = published("attention")
    slow, fast, unknown = (estimate(config, gemm_gflops=rate) for rate in (100, 200, None))
    assert fast.samples_per_second == pytest.approx(2 * (slow.samples_per_second or 0), rel=0.01)
    assert slow.seconds == pytest.approx(2 * (fast.seconds or 0), rel=0.01)
    assert (unknown.samples_per_second, unknown.seconds) == (None, None)


def test_small_models_wait_for_python_however_fast_the_products_are() -> None:
    small = find("sudoku-4x4").config
    speeds = [estimate(small, gemm_gflops=rate).samples_per_second or 0 for rate in (100, 1000, 1e9)]
    passages = 2 * 3 * (1 + 2)  # layers, applications, forward and back
    assert speeds == sorted(speeds)
    assert speeds[1] < 6 * speeds[0]  # at ten times the rate
    assert speeds[2] == pytest.approx(64 / (passages * 3e-4), rel=1e-3)


def test_each_part_of_a_batch_adds_up_the_gradients_of_all_weights() -> None:
    config = find("sudoku-extreme").config
    whole = apply(config, ["train.batch_size=64", "train.micro_batch=64"])
    parts = apply(whole, ["train.micro_batch=2"])
    fast, slow = (estimate(each, gemm_gflops=268.0).samples_per_second or 0 for each in (whole, parts))
    assert slow < 0.9 * fast  # measured: 3.5 to 4.3 samples/s against 4.4 to 5.1


@pytest.mark.parametrize("preset", ["sudoku-4x4", "sudoku-extreme", "maze-hard", "shakespeare-char"])
def test_a_speed_implies_the_rate_that_predicts_it(preset: str) -> None:
    config = find(preset).config
    speed = estimate(config, gemm_gflops=123.0).samples_per_second
    assert speed is not None
    assert implied_gflops(config, speed) == pytest.approx(123.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e9])
def test_a_speed_that_no_rate_explains_implies_none(speed: float) -> None:
    assert implied_gflops(find("sudoku-4x4").config, speed) is None


def test_two_hundred_gflops_train_about_three_published_samples_a_second() -> None:
    assert estimate(published("attention"), gemm_gflops=200).samples_per_second == pytest.approx(
        3.4, rel=0.15
    )


def test_memory_grows_with_the_rows_in_flight_and_not_with_the_batch() -> None:
    small, large = published("attention", micro_batch=4), published("attention", micro_batch=8)
    none = 2 * estimate(small).memory.training - estimate(large).memory.training
    # What does not grow with them: gradients, and the batch's next state.
    assert none == pytest.approx(estimate(small).memory.carry + 4 * 4 * parameters(small), rel=1e-6)
    wider = apply(small, ["train.batch_size=1536"])
    grown = estimate(wider).memory.training - estimate(small).memory.training
    assert grown == estimate(wider).memory.carry - estimate(small).memory.carry > 0


# Peak RSS of an evaluation of 500 puzzles, measured like those below.
@pytest.mark.parametrize(("changes", "megabytes"), [([], 660), (ATTENTION_128, 1412)])
def test_peak_memory_of_an_evaluation_is_near_what_was_measured(changes: list[str], megabytes: int) -> None:
    task = SudokuConfig(box_rows=3, box_cols=3)
    config = Config(task=task, train=TrainConfig(batch_size=4), eval=EvalConfig(batch_size=500))
    assert estimate(apply(config, changes)).peak_rss_bytes == pytest.approx(megabytes * 1e6, rel=0.15)


# Peak RSS of three training steps, measured in fresh processes with one thread (torch 2.13).
@pytest.mark.parametrize(
    ("side", "changes", "megabytes"),
    [
        (2, [], 300),
        (3, [], 456),
        (3, ["model.h_cycles=3", "model.l_cycles=3"], 508),
        (3, [*ATTENTION_128, "runtime.attention=sdpa"], 919),
        (3, [*ATTENTION_128, "runtime.attention=products"], 939),
    ],
)
def test_peak_memory_of_small_models_is_near_what_was_measured(
    side: int, changes: list[str], megabytes: int
) -> None:
    config = Config(task=SudokuConfig(box_rows=side, box_cols=side), eval=EvalConfig(batch_size=1))
    assert estimate(apply(config, changes)).peak_rss_bytes == pytest.approx(megabytes * 1e6, rel=0.15)


@pytest.mark.parametrize(
    ("mixer", "loss", "megabytes"), [("attention", "softmax", 908), ("mlp_t", "stablemax", 991)]
)
def test_peak_memory_of_the_published_models_is_near_what_was_measured(
    mixer: str, loss: str, megabytes: int
) -> None:
    config = apply(published(mixer, micro_batch=8, loss=loss), ["train.batch_size=16"])
    assert estimate(config).peak_rss_bytes == pytest.approx(megabytes * 1e6, rel=0.15)


# Peak RSS of two training steps, measured in fresh processes with two threads (torch 2.13).
@pytest.mark.parametrize(
    ("changes", "megabytes"),
    [
        (["model.l_cycles=6"], 459),
        (["model.hidden_size=256", "model.l_cycles=6", "model.h_cycles=1", "train.batch_size=16"], 455),
        (["model.hidden_size=128", *ATTENTION_128[1:3], "model.l_cycles=3", "train.batch_size=32"], 404),
    ],
)
def test_peak_memory_with_gradient_checkpointing_is_near_what_was_measured(
    changes: list[str], megabytes: int
) -> None:
    config = Config(task=SudokuConfig(box_rows=3, box_cols=3), eval=EvalConfig(batch_size=1))
    checkpointed = apply(config, [*changes, "runtime.checkpointing=true", "runtime.attention=sdpa"])
    assert estimate(checkpointed).peak_rss_bytes == pytest.approx(megabytes * 1e6, rel=0.15)


WINDOWS = ["model.mixer=attention", "model.positions=rope", "model.attention_window=7"]


@pytest.mark.parametrize(("side", "rows", "megabytes"), [(30, 16, 612), (50, 4, 490)])
def test_peak_memory_with_windowed_attention_is_near_what_was_measured(
    side: int, rows: int, megabytes: int
) -> None:
    sizes = [f"task.rows={side}", f"task.cols={side}", f"train.batch_size={rows}"]
    few = ["task.train_size=60", "task.test_size=4", "eval.batch_size=1"]
    windowed = apply(find("maze-10").config, [*WINDOWS, *sizes, *few])
    assert estimate(windowed).peak_rss_bytes == pytest.approx(megabytes * 1e6, rel=0.15)


def test_windowed_attention_costs_by_the_cells_and_not_by_their_pairs() -> None:
    costs = {}
    for side in (25, 50):
        config = apply(Config(task=MazeConfig(rows=side, cols=side)), WINDOWS)
        dense = apply(config, ["model.attention_window=0"])
        costs[side] = training_flops(config)
        assert costs[side] < training_flops(dense)
    assert costs[50] / costs[25] == pytest.approx(4, rel=0.1)


def test_measuring_how_far_states_move_keeps_a_state_of_each_update() -> None:
    config = Config(task=SudokuConfig(box_rows=3, box_cols=3), train=TrainConfig(recursion_penalty=0.1))
    plain = apply(config, ["train.recursion_penalty=0"])
    more = estimate(config).memory.training - estimate(plain).memory.training
    assert more == pytest.approx(1.1 * 4 * 64 * 3 * 82 * 64, rel=0.01)


def test_gradient_checkpointing_costs_the_last_cycle_once_more() -> None:
    config = published("attention")
    again = apply(config, ["runtime.checkpointing=true"])
    last = forward_flops(apply(config, ["model.h_cycles=1"]))
    assert training_flops(again) - training_flops(config) == pytest.approx(last, rel=0.01)


def test_a_fitting_configuration_has_no_problem() -> None:
    fit = estimate(published("attention", micro_batch=8), budget_bytes=4 * GB)
    assert fit.fits
    assert (fit.problems, fit.alternatives) == ((), ())


def test_without_a_budget_nothing_is_judged() -> None:
    assert estimate(published("attention")).fits


def test_what_does_not_fit_is_told_with_its_largest_part() -> None:
    fit = estimate(published("attention"), budget_bytes=4 * GB)
    assert not fit.fits
    (problem,) = fit.problems
    assert "may use 4.0 GB" in problem
    assert "training 768 rows at once" in problem


def test_the_first_alternative_is_the_largest_halving_that_fits() -> None:
    config = published("attention")
    first, *_ = estimate(config, budget_bytes=4 * GB).alternatives
    ((key, value),) = first.settings
    assert key == "train.micro_batch"
    rows = int(value)
    twice = apply(config, [f"train.micro_batch={2 * rows}"])
    assert not estimate(twice, budget_bytes=4 * GB).fits


def test_a_large_evaluation_is_what_shrinks_when_it_is_the_cause() -> None:
    config = apply(published("attention", micro_batch=1), ["eval.batch_size=4096"])
    fit = estimate(config, budget_bytes=2 * GB)
    assert "evaluating 4096 puzzles at once" in fit.problems[0]
    assert fit.alternatives[0].settings[0][0] == "eval.batch_size"


def test_a_smaller_width_keeps_the_size_of_the_heads() -> None:
    config = apply(published("attention"), ["model.puzzle_emb_len=0"])
    budget = estimate(apply(config, ["model.hidden_size=256", "model.heads=4"])).peak_rss_bytes
    found = estimate(config, budget_bytes=budget).alternatives
    assert (("model.hidden_size", "256"), ("model.heads", "4")) in [change.settings for change in found]


def test_where_one_change_is_not_enough_they_are_taken_together() -> None:
    config = apply(published("attention"), ["model.hidden_size=4096", "model.puzzle_emb_len=0"])
    (only,) = estimate(config, budget_bytes=GB // 2).alternatives
    assert only.settings[:2] == (("train.micro_batch", "1"), ("eval.batch_size", "1"))
    assert only.settings[2][0] == "model.hidden_size"


def test_less_than_python_needs_has_no_alternative() -> None:
    fit = estimate(published("attention"), budget_bytes=GB // 10)
    assert not fit.fits
    assert fit.alternatives == ()


@settings(max_examples=40, deadline=None)
@given(
    mixer=st.sampled_from(["attention", "mlp_t"]),
    hidden=st.sampled_from([64, 96, 512, 2048]),
    rows=st.sampled_from([1, 7, 64, 768]),
    evaluated=st.sampled_from([1, 250, 4000]),
    budget=st.integers(GB // 3, 8 * GB),
)
def test_every_alternative_is_valid_and_fits(
    mixer: str, hidden: int, rows: int, evaluated: int, budget: int
) -> None:
    changes = [f"model.hidden_size={hidden}", "model.puzzle_emb_len=0", f"eval.batch_size={evaluated}"]
    config = apply(published(mixer), [*changes, f"train.batch_size={rows}"])
    for alternative in estimate(config, budget_bytes=budget).alternatives:
        assert estimate(apply(config, alternative.assignments), budget_bytes=budget).fits


def test_the_estimate_is_json() -> None:
    told = json.loads(json.dumps(estimate(published("mlp_t"), budget_bytes=GB, gemm_gflops=100).to_dict()))
    assert told["fits"] is False
    assert "train.micro_batch" in told["alternatives"][0]
    assert told["memory"]["weights"] == 4 * 5 * 5_028_866 + 4 * 512


def test_the_configured_budget_comes_before_the_machine() -> None:
    machine = Hardware(memory=Memory(available_bytes=5 * GB, limit_bytes=9 * GB, headroom_bytes=3 * GB))
    config = published("mlp_t")
    assert memory_budget(config, machine) == 3 * GB
    assert memory_budget(config, machine, held_bytes=100) == 3 * GB + 100
    assert memory_budget(config, Hardware()) is None
    asked = config.model_copy(update={"memory": MemoryConfig(budget_gb=1.5)})
    assert memory_budget(asked, machine) == 1_500_000_000
