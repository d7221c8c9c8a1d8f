"""Recorded weights, saved as the published code saves them and imported by the command, compute the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
import torch
from parity_fixtures import CASES, FOLDER, Fixture, assert_evaluation_agrees, evaluation
from safetensors import safe_open
from safetensors.torch import save_file

from trm_engine.config import Config, RuntimeConfig, TaskConfig, dumps
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.sessions import Store
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.task import SudokuTask
from trm_tui.cli.main import main

KIND = "recorded"
ATTENTION = FOLDER / "attention.safetensors"


class RecordedTask(SudokuTask):
    @property
    def num_puzzle_ids(self) -> int:
        return self._config.num_puzzle_ids


@contextmanager
def recorded_kind(published: Mapping[str, int]) -> Iterator[TaskConfig]:
    """A task of a recording's shapes, whose data are nowhere: none are needed to import weights."""

    class RecordedConfig(SudokuConfig, kind=KIND, task=f"{__name__}:RecordedTask"):
        kind: Literal["recorded"] = KIND  # type: ignore[assignment]
        data: str = "nowhere"

        @property
        def seq_len(self) -> int:
            return published["seq_len"]

        @property
        def vocab_size(self) -> int:
            return published["vocab_size"]

        @property
        def num_puzzle_ids(self) -> int:
            return published["num_puzzle_identifiers"]

    try:
        yield RecordedConfig()
    finally:
        del TaskConfig.kinds[KIND]


def imported_agrees(case: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixture = Fixture(case, fused=True)
    # As a compiled model saves them; other tests import names without that prefix.
    torch.save({f"_orig_mod.{name}": tensor for name, tensor in fixture.weights.items()}, folder / "case.pt")
    with recorded_kind(fixture.published) as task:
        config = Config(
            task=task,
            model=fixture.model_config(),
            train=fixture.train,
            runtime=RuntimeConfig(threads=1),
        )
        (folder / "case.toml").write_text(dumps(config), encoding="utf-8")
        sessions = folder / "sessions"
        words = ["--sessions-dir", sessions, "import-checkpoint", folder / "case.pt"]
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words), "--preset", str(folder / "case.toml"), "--json"])
        printed = capsys.readouterr()
        assert ended.value.code == 0, printed.err
        session = json.loads(printed.out)["session"]
        single, double = (load(Store(sessions), session, expect=PuzzleModel).network for _ in range(2))
        assert_evaluation_agrees(fixture, single, double)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_imported_weights_give_the_recorded_outputs(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported_agrees(case, tmp_path, capsys)


def test_the_task_of_a_case_follows_from_its_shapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording of shorter sequences, made here: attention takes any length."""
    with safe_open(ATTENTION, framework="pt") as file:
        published = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    published["seq_len"] //= 2
    shorter = {name: tensors[name][..., : published["seq_len"]] for name in ("inputs", "labels")}
    tensors |= {name: rows.contiguous() for name, rows in shorter.items()}
    case, about = tmp_path / "shorter.safetensors", {"config": json.dumps(published)}
    save_file(tensors, case, about)
    fixture = Fixture(case, fused=False)
    for step, outputs in enumerate(evaluation(fixture, fixture.model(), torch.float32)):
        tensors |= {f"eval.{step}.{name}": value.contiguous() for name, value in outputs.items()}
    save_file(tensors, case, about)
    imported_agrees(case, tmp_path, capsys)
