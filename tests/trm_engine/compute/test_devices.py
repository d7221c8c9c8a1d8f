from __future__ import annotations

import pytest
import torch

from trm_engine.compute.devices import Found, choose_device, device_for_use
from trm_engine.config import apply, loads
from trm_engine.errors import ConfigError, UsageError

CARD = Found("cuda:0", "Card")
MPS = Found("mps:0", "Apple GPU")


def test_auto_takes_the_processor_where_there_is_nothing_else() -> None:
    device, decision = choose_device("auto", (), environment={})
    assert device == torch.device("cpu")
    assert decision.choice == "cpu"


def test_auto_takes_a_card_that_computes() -> None:
    device, decision = choose_device("auto", (CARD,), lambda _: 1.0, {})
    assert device == torch.device("cuda:0")
    assert decision.reason == "Card"


def test_auto_leaves_a_card_that_does_not_compute_and_says_why() -> None:
    def broken(device: torch.device) -> float:
        raise RuntimeError("no kernel image is available\nfor this card")

    device, decision = choose_device("auto", (CARD,), broken, {})
    assert device.type == "cpu"
    assert "no kernel image is available" in decision.reason


@pytest.mark.parametrize(("there", "here", "taken"), [(1.0, 2.0, "mps"), (2.0, 1.0, "cpu")])
def test_auto_takes_mps_only_where_a_step_is_faster_there(there: float, here: float, taken: str) -> None:
    def trial(device: torch.device) -> float:
        return here if device.type == "cpu" else there

    assert choose_device("auto", (MPS,), trial, {})[0].type == taken


def test_a_device_that_is_not_there_is_an_error_that_lists_what_is() -> None:
    with pytest.raises(UsageError, match=r'"cuda:1".*there is cpu, cuda:0 \(Card\); .*auto'):
        choose_device("cuda:1", (CARD,))


def test_the_environment_says_what_auto_takes() -> None:
    device, decision = choose_device("auto", (CARD,), environment={"TRM_DEVICE": "cpu"})
    assert device.type == "cpu"
    assert "TRM_DEVICE" in decision.reason
    assert choose_device("cuda", (CARD,), environment={"TRM_DEVICE": "cpu"})[0].type == "cuda"


def test_a_device_may_be_named_without_its_number() -> None:
    assert choose_device("cuda", (CARD,))[0] == torch.device("cuda:0")


def test_a_model_of_a_card_is_used_where_there_is_none() -> None:
    assert device_for_use("cuda:99") == device_for_use("auto")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CUDA", "mps:1", ""])
def test_a_word_that_names_no_device_is_refused(name: str) -> None:
    config = loads('[task]\nkind = "sudoku"\n', "here")
    with pytest.raises(ConfigError, match=r"runtime\.device.*none of auto, cpu"):
        apply(config, [f'runtime.device="{name}"'])
