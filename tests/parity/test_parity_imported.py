"""Recorded weights, saved as the published code saves them and imported by the command, compute the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import torch
from parity_fixtures import CASES, Fixture, assert_evaluation_agrees

from trm_engine.config import Config, RuntimeConfig, TaskConfig, dumps
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.sessions import Store
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.task import SudokuTask
from trm_tui.cli.main import main

KIND = "recorded"


class RecordedTask(SudokuTask):
    @property
    def num_puzzle_ids(self) -> int:
        return 4


@pytest.fixture
def recorded_kind() -> Iterator[type[SudokuConfig]]:
    """A task of the recordings' shapes, whose data are nowhere: none are needed to import weights."""

    class RecordedConfig(SudokuConfig, kind=KIND, task=f"{__name__}:RecordedTask"):
        kind: Literal["recorded"] = KIND  # type: ignore[assignment]
        data: str = "nowhere"

        @property
        def vocab_size(self) -> int:
            return 7

    yield RecordedConfig
    del TaskConfig.kinds[KIND]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_imported_weights_give_the_recorded_outputs(
    case: Path,
    recorded_kind: type[SudokuConfig],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fixture = Fixture(case, fused=True)
    # As a compiled model saves them; other tests import names without that prefix.
    torch.save(
        {f"_orig_mod.{name}": tensor for name, tensor in fixture.weights.items()}, tmp_path / "case.pt"
    )
    config = Config(
        task=recorded_kind(),
        model=fixture.model_config(),
        train=fixture.train,
        runtime=RuntimeConfig(threads=1),
    )
    (tmp_path / "case.toml").write_text(dumps(config), encoding="utf-8")
    sessions = tmp_path / "sessions"
    words = ["--sessions-dir", sessions, "import-checkpoint", tmp_path / "case.pt"]
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words), "--preset", str(tmp_path / "case.toml"), "--json"])
    printed = capsys.readouterr()
    assert ended.value.code == 0, printed.err
    session = json.loads(printed.out)["session"]
    single, double = (load(Store(sessions), session, expect=PuzzleModel).network for _ in range(2))
    assert_evaluation_agrees(fixture, single, double)
