"""Studies on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

LAW = "size,acc\n" + "".join(f"{x},{0.93 - 0.6 * x**-0.35!r}\n" for x in (1, 2, 4, 8, 16))


def test_fit_says_the_law_of_any_table(trm: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(LAW + "32,nan\n")
    done = trm("studies", "fit", "--csv", "runs.csv", "--x", "size", "--y", "acc", "--json")
    assert done.code == 0
    found = done.objects[0]
    assert (found["a"], found["b"], found["c"]) == pytest.approx((0.93, 0.6, 0.35), rel=1e-6)
    assert {"a", "b", "c", "intervals", "lack_of_fit_p", "preferred"} <= set(found)
    assert set(found["intervals"]) == {"a", "b", "c"}
    assert found["preferred"] == "power law"
    assert found["left_out"] == ["line 7: acc is nan"]


def test_fit_for_people_names_law_intervals_and_remarks(trm: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(LAW)
    done = trm("studies", "fit", "--csv", "runs.csv", "--x", "size", "--y", "acc")
    assert "power law" in done.out
    assert "0.35 (90 %" in done.out
    assert "no x was run more than once" in done.out


def test_a_wrong_table_is_one_line(trm: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("size,acc\n1,0.5\n2,much\n")
    done = trm("studies", "fit", "--csv", "runs.csv", "--x", "size", "--y", "acc")
    assert done.code == 2
    assert done.err == 'error: runs.csv, line 3: acc = "much" is not a number\n'
