"""Studies that are killed: nothing is lost, nothing is done twice, and the numbers are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.killed_studies import Killer, require_whole, undisturbed, write_study

KILLS = 100


def test_a_study_that_is_killed_a_few_times_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    study = write_study(tmp_path, rates=2, seeds=1)
    wanted, seconds = undisturbed(tmp_path, study)
    killer = Killer(tmp_path, study, kills=3, longest=1.5 * seconds, seed=1)
    killer.run(lambda root: require_whole(root, study, wanted))
    assert sum(killer.killed.values()) == 3


@pytest.mark.torture
def test_a_study_killed_a_hundred_times_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    wanted, seconds = undisturbed(tmp_path, study)
    assert len(wanted) == 12
    killer = Killer(tmp_path, study, kills=KILLS, longest=4 * seconds)
    killer.run(lambda root: require_whole(root, study, wanted))
    assert sum(killer.killed.values()) == KILLS
