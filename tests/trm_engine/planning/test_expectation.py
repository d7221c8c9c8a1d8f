"""What presets say they reach is read off their words, and how long it takes is scaled to a machine."""

from __future__ import annotations

import pytest

from trm_engine.config import list_presets
from trm_engine.planning.expectation import Expectation, expectation_of
from trm_engine.planning.time import run_seconds

PRESETS = {preset.name: preset.config for preset in list_presets()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_with_a_figure_says_after_how_many_steps_and_where(name: str) -> None:
    expected, words = expectation_of(PRESETS[name]), " ".join(PRESETS[name].expect.split())
    if not expected.reached:
        assert words.startswith(("Not measured", "Measured only"))
    elif not expected.reached.startswith("published"):
        assert expected.steps is not None
        assert expected.steps <= PRESETS[name].train.steps
        assert "cores of" in expected.measured or "one NVIDIA" in expected.measured


def test_the_quickstart_is_read_whole() -> None:
    assert expectation_of(PRESETS["sudoku-4x4"]) == Expectation("99 %", 250, "7 s, 2 cores of Intel Xeon")


def test_a_figure_of_a_gpu_says_so() -> None:
    assert expectation_of(PRESETS["futoshiki-5x5"]) == Expectation("88 %", 4000, "19 s, one NVIDIA H200")


def test_the_time_is_that_of_the_steps_it_took_at_this_machines_rate() -> None:
    config = PRESETS["sudoku-9x9-36"]
    expected = expectation_of(config)
    slow, fast = expected.seconds(config, 50.0), expected.seconds(config, 200.0)
    assert slow is not None
    assert fast is not None
    assert slow > fast
    assert slow < run_seconds(config, 50.0)


def test_without_a_rate_or_steps_no_time_is_claimed() -> None:
    config = PRESETS["sudoku-4x4"]
    assert expectation_of(config).seconds(config, None) is None
    assert Expectation("published 87.4 %", None, "").seconds(config, 100.0) is None
