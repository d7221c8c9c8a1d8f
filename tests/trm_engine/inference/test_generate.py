"""Text written by a model: seeded, in its own characters, from any start it can read."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from trm_engine.errors import UsageError
from trm_engine.inference.generate import Sampling, check_start, generate
from trm_engine.models.text import RecursiveText
from trm_engine.tasks.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("\nabc")


class Fixed(torch.nn.Module):
    """Stands for a model whose logits never change, and remembers the windows it was given."""

    context = 4
    z_init = torch.zeros(1)  # on the device where it computes

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits, self.windows = logits, list[list[int]]()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.windows.append(inputs[0].tolist())
        return torch.tensor(self.logits).expand(inputs.shape[1], 1, -1).clone()


def write(logits: list[float], start: str = "a", sample: int = 0, **options: float) -> str:
    sampling = Sampling(**{"max_tokens": 300, **options})  # type: ignore[arg-type]
    model: RecursiveText = Fixed(logits)  # type: ignore[assignment]  # looks like one
    return "".join(generate(model, VOCABULARY, start, sampling, sample))


def test_the_same_seed_writes_the_same_and_another_does_not() -> None:
    flat = [0.0] * 5
    assert write(flat, seed=4) == write(flat, seed=4)
    assert len({write(flat, seed=4), write(flat, seed=5), write(flat, seed=4, sample=1)}) == 3


def test_characters_come_as_often_as_the_temperature_says() -> None:
    logits = [9.0, -50.0, 0.0, 1.0, 2.0]  # the first is of token 0, which is never written
    for temperature in (0.5, 1.0, 2.0):
        counts = Counter(write(logits, temperature=temperature, max_tokens=4000))
        weights = np.exp(np.array(logits[2:]) / temperature)
        for character, share in zip("abc", weights / weights.sum(), strict=True):
            assert counts[character] / 4000 == pytest.approx(share, abs=0.03)


def test_without_temperature_the_likeliest_is_taken() -> None:
    assert write([9.0, 0.0, 0.1, 3.0, 2.9], temperature=0.0, max_tokens=5) == "bbbbb"


@pytest.mark.parametrize(("top_k", "written"), [(1, {"c"}), (2, {"b", "c"}), (99, {"\n", "a", "b", "c"})])
def test_top_k_leaves_the_likeliest(top_k: int, written: set[str]) -> None:
    assert set(write([9.0, 0.0, 0.1, 0.2, 0.3], top_k=top_k, temperature=1.0)) == written


def test_the_window_moves_on_with_the_text() -> None:
    model = Fixed([0.0, 0.0, 0.0, 0.0, 5.0])
    assert "".join(generate(model, VOCABULARY, "ab", Sampling(0.0, max_tokens=4))) == "cccc"  # type: ignore[arg-type]
    assert model.windows == [[2, 3], [2, 3, 4], [2, 3, 4, 4], [3, 4, 4, 4]]


def test_a_start_that_cannot_be_read_names_its_characters() -> None:
    with pytest.raises(UsageError, match=r'never seen: "é", U\+001B; it knows abc') as caught:
        check_start(VOCABULARY, "aé\x1bé")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("characters", "start"), [("\nab", "\n"), ("xy", "x")])
def test_nothing_begins_with_a_line_break_or_the_first_character(characters: str, start: str) -> None:
    assert check_start(Vocabulary(characters), "") == start
