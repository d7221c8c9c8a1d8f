"""Sessions to serve that took no training: an oracle in place of a network, which answers as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from trm_engine.config import Config, dumps, loads
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.models.trm import Output, State, build_model
from trm_engine.serving.catalogue import Catalogue
from trm_engine.serving.residents import Residents
from trm_engine.serving.service import Service
from trm_engine.sessions import Checkpoint, Store
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.sudoku.generation.solver import solve as solve_exactly
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.text import to_digits

PUZZLE = "1..4......4..23."
SOLUTION = "1324241331424231"
SMALL = """
[task]
kind = "sudoku"
box_rows = {box_rows}
box_cols = {box_cols}
train_size = 20
test_size = 12
[model]
hidden_size = 8
[train]
batch_size = 4
halt_max_steps = 8
[runtime]
threads = 1
tuning = "off"
"""


def small_config(box_rows: int = 2, box_cols: int = 2) -> Config:
    return loads(SMALL.format(box_rows=box_rows, box_cols=box_cols), "test")


class Oracle(nn.Module):
    """Answers Sudokus exactly at step `at` of a row, and before that with 1 in every blank.

    `lost` says which puzzles (L,) it never solves. With a `gate`, every step waits for it.
    """

    puzzle_emb_len = 0

    def __init__(
        self,
        config: Config,
        at: int = 3,
        lost: Callable[[np.ndarray], bool] = lambda _: False,
        gate: threading.Semaphore | None = None,
    ) -> None:
        super().__init__()
        self.geometry = Geometry(config.task.box_rows, config.task.box_cols)
        self.at, self.lost, self.gate = at, lost, gate
        self.vocab = config.task.vocab_size
        self.weight = nn.Parameter(torch.full((3,), float(at)), requires_grad=False)
        self.z_init = self.weight  # where it computes is where its states begin
        self.seq_len = config.task.seq_len
        self.steps = 0

    def puzzle_rows(self, ids: torch.Tensor) -> None:
        return None

    def initial_state(self, rows: int) -> State:
        z = torch.zeros(1, rows, 1)
        return State(z, z)

    def forward(
        self, state: State, inputs: torch.Tensor, puzzle_rows: torch.Tensor | None = None
    ) -> tuple[State, Output]:
        if self.gate is not None:
            assert self.gate.acquire(timeout=30)
        self.steps += 1
        z = state.z + 1
        puzzles = inputs.numpy()
        answers = np.where(puzzles == 1, 2, puzzles)
        solved = solve_exactly(self.geometry, to_digits(puzzles)).solution + 1
        ready = z[0, :, 0].numpy() >= self.at
        for row in np.flatnonzero(ready):
            if not self.lost(puzzles[row]):
                answers[row] = solved[row]
        logits = 8.0 * nn.functional.one_hot(torch.from_numpy(answers).long(), self.vocab).float()
        q_halt = torch.from_numpy(np.where(ready, 4.0, -4.0))
        return State(z, z), Output(logits.transpose(0, 1), q_halt, -q_halt)


def add_session(
    store: Store, config: Config, *, name: str = "", step: int = 5, score: float | None = 0.9
) -> str:
    """Make a session with one checkpoint of random weights."""
    session = store.create(dumps(config), preset="small", task=config.task.kind, name=name, threads=1)
    with session:
        save(session, config, step, score)
        session.update(status="completed", summary={"parameters": 123, "steps": step})
    return session.id


def save(session, config: Config, step: int, score: float | None) -> None:
    model = build_model(
        config, build_puzzles(config.task).num_puzzle_ids, torch.Generator().manual_seed(step)
    )
    weights = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    session.save(Checkpoint(step, weights, {}, {}), best_score=score)


def residents_of(
    store: Store,
    oracle: Callable[[Config], nn.Module] | None = Oracle,
    *,
    budget: int = 10**9,
    **options,
) -> Residents:
    """Return the residents of a store; an oracle answers in place of each session's network."""
    if oracle is None:
        return Residents(Catalogue(store), budget=budget, **options)

    def load(home: Store, ref: str, checkpoint: str) -> PuzzleModel:
        session = home.get(ref)
        config = loads(session.config_text, "test")
        return PuzzleModel(
            session=session.id, step=int(checkpoint), config=config, network=oracle(config), warnings=()
        )

    return Residents(Catalogue(store), budget=budget, load=load, **options)


def service_of(store: Store, oracle=Oracle, **options) -> Service:
    return Service(residents_of(store, oracle), **options)


def sudoku_store(folder: Path, *boxes: tuple[int, int]) -> Store:
    """Return a store that holds one session for each geometry, by default 4×4."""
    store = Store(folder)
    for rows, cols in boxes or ((2, 2),):
        add_session(store, small_config(rows, cols), name=f"sudoku-{rows * cols}")
    return store
