"""Which rank a process is, by what the environment tells."""

from __future__ import annotations

import pytest

from trm_engine.compute.place import Place
from trm_engine.errors import UsageError


def test_torchrun_tells_a_place() -> None:
    told = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    assert Place.told(told) == Place(5, 8, 1, 4)


@pytest.mark.parametrize("told", [{}, {"WORLD_SIZE": "4"}, {"RANK": "0"}, {"RANK": "0", "WORLD_SIZE": "1"}])
def test_a_process_on_its_own_has_none(told: dict[str, str]) -> None:
    assert Place.told(told) is None


@pytest.mark.parametrize(
    "told",
    [
        {"RANK": "4", "WORLD_SIZE": "4"},
        {"RANK": "-1", "WORLD_SIZE": "4"},
        {"RANK": "one", "WORLD_SIZE": "4"},
        {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "2"},
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(told: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="do not describe a rank") as error:
        Place.told(told)
    assert "\n" not in str(error.value)
