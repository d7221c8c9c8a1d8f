"""Characters and their tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.tasks.text.vocabulary import CODE_POINTS, Vocabulary, code_points


def counted(text: str) -> np.ndarray:
    return np.bincount(code_points(text), minlength=CODE_POINTS)


def test_tokens_are_the_sorted_characters_after_the_unknown_one() -> None:
    vocabulary = Vocabulary.of(counted("banana"), 256)
    assert vocabulary.characters == "abn"
    assert len(vocabulary) == 4
    assert vocabulary.encode("nab!").tolist() == [3, 1, 2, 0]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_what_is_encoded_is_decoded(text: str) -> None:
    vocabulary = Vocabulary.of(counted(text), CODE_POINTS)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.unknown(text) == ""


def test_of_too_many_characters_the_rarest_are_unknown() -> None:
    vocabulary = Vocabulary.of(counted("aaabbcddd"), 4)
    assert vocabulary.characters == "abd"
    assert vocabulary.unknown("abcdc☃") == "c☃"


@pytest.mark.parametrize(("characters", "dtype"), [(255, np.uint8), (256, np.uint16)])
def test_tokens_take_no_more_bytes_than_they_need(characters: int, dtype: type) -> None:
    assert Vocabulary("".join(map(chr, range(32, 32 + characters)))).dtype == dtype
