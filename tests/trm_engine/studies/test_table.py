from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.studies.fitting.table import Columns, read_table

GOOD = "size,acc,n,seed,status\n1,0.5,100,0,completed\n1,0.6,100,1,completed\n2,0.7,100,0,completed\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_row_is_a_run(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, GOOD), Columns("size", "acc", "n", "seed"))
    assert [(run.x, run.y, run.n) for run in table.runs] == [(1, 0.5, 100), (1, 0.6, 100), (2, 0.7, 100)]
    assert not table.left_out


def test_what_did_not_finish_is_left_out_and_listed(tmp_path: Path) -> None:
    text = GOOD + "2,0.1,100,1,diverged\n4,,100,0,\n4,nan,100,1,completed\n"
    table = read_table(written(tmp_path, text), Columns("size", "acc", "n", "seed"))
    assert len(table.runs) == 3
    assert [line.partition(":")[0] for line in table.left_out] == ["line 5", "line 6", "line 7"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("size,acc\n", "no column"),
        ("size,acc,n,seed\n", "no run"),
        ("size,acc,n,seed\n1,0.5,100\n", "line 2: 3 cells under 4 columns"),
        ("size,acc,n,seed\nsmall,0.5,100,0\n", 'line 2: size = "small" is not a number'),
        ("size,acc,n,seed\n0,0.5,100,0\n", "x above 0"),
        ("size,acc,n,seed\n1,0.5,0,0\n", "puzzles are counted"),
        ("size,acc,n,seed\n1,87.4,100,0\n", "divide percentages by 100"),
        ("size,acc,n,seed\n1,0.5,100,0\n1,0.6,100,0\n", "line 3: x = 1 with seed"),
        ("size,accuracy,n,seed\n1,0.5,100,0\n", 'Did you mean "accuracy"?'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=r"runs\.csv") as caught:
        read_table(written(tmp_path, text), Columns("size", "acc", "n", "seed"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00,\n")
    with pytest.raises(UsageError, match="cannot be read as a table"):
        read_table(path, Columns("size", "acc"))
    with pytest.raises(UsageError, match="cannot be read as a table"):
        read_table(tmp_path / "missing.csv", Columns("size", "acc"))
