"""Verified solving: the rules decide when a look ends and whether another follows; labels decide nothing."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from trm_engine.inference.looks import Looking
from trm_engine.inference.verified import Outcome, Seen, solve
from trm_engine.inference.verified_evaluation import evaluate_verified
from trm_engine.models.trm import State
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.kit.symmetry import Symmetry, places
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.generation.solver import solve as solutions_of
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.task import SudokuTask
from trm_engine.tasks.sudoku.text import to_digits, to_tokens

CONFIG = SudokuConfig(clues=6, train_size=5, test_size=40)
TASK = build_puzzles(CONFIG)
PUZZLES = TASK.test.head(40).inputs
LABELS = TASK.test.head(40).labels
IDS = np.zeros(len(PUZZLES), np.int32)


class Fickle:
    """In place of a network: solves one of `every` presentations of a puzzle, at its step `at`.

    Until then, and in all other presentations, the answer is the puzzle with its blanks. It halts with a
    probability of its own for each presentation. Noise on its state counts as another presentation.
    """

    seq_len = 16
    z_init = torch.zeros(1)  # on the device where it computes

    def __init__(self, every: int = 3, at: int = 2) -> None:
        self.every, self.at = every, at
        self.batches: list[int] = []

    def initial_state(self, rows: int) -> State:
        z = torch.zeros(self.seq_len, rows, 2)
        return State(z, z)

    def puzzle_rows(self, ids: torch.Tensor) -> None:
        return None

    def draw(self, view: np.ndarray, noise: float = 0.0) -> int:
        return zlib.crc32(view.astype(np.uint8).tobytes() + f"{noise:.4f}".encode()) % 1000

    def __call__(self, state: State, inputs: torch.Tensor, _: None) -> tuple[State, Any]:
        self.batches.append(len(inputs))
        step = state.z[0, :, 0].round() + 1
        views = inputs.numpy()
        answers = to_tokens(solutions_of(Geometry(2, 2), to_digits(views)).solution)
        noise = state.z[0, :, 1].tolist()
        draws = [self.draw(*pair) for pair in zip(views, noise, strict=True)]
        right = [m % self.every == 0 and s >= self.at for m, s in zip(draws, step.tolist(), strict=True)]
        shown = np.where(np.array(right)[:, None], answers, views)
        logits = torch.nn.functional.one_hot(torch.from_numpy(shown.astype(np.int64)), 6).float() * 9
        z = state.z.clone()
        z[:, :, 0] = step
        q = torch.tensor(draws) / 1000 * 4 - 3
        return State(z, z), SimpleNamespace(logits=logits.transpose(0, 1), q_halt=q)


def outcomes(model, looking, *, batch_size=8, task=TASK, observe=None) -> list[Outcome]:
    found = solve(model, task, PUZZLES, IDS, looking, batch_size=batch_size, observe=observe)
    return sorted(found, key=lambda outcome: outcome.puzzle)


def test_a_look_ends_when_the_rules_accept():
    model = Fickle(every=1, at=3)
    found = outcomes(model, Looking(max_steps=8))
    assert [outcome.puzzle for outcome in found] == list(range(40))
    assert all((one.proven, one.looks, one.steps) == (True, 1, 3) for one in found)
    assert np.array_equal(np.stack([one.answer for one in found]), LABELS)


def test_what_is_not_solved_is_looked_at_again_and_the_answer_comes_home():
    found = outcomes(Fickle(every=3), Looking(max_steps=4, looks=32))
    assert all(one.proven for one in found)
    assert np.array_equal(np.stack([one.answer for one in found]), LABELS)
    looks = [one.looks for one in found]
    assert min(looks) == 1
    assert max(looks) > 3
    assert all(one.steps == 4 * (one.looks - 1) + 2 for one in found)


def test_one_look_is_one_look():
    found = outcomes(Fickle(every=3), Looking(max_steps=4, looks=1))
    assert 0 < sum(one.proven for one in found) < 40
    assert all(one.looks == 1 for one in found)
    assert all(one.steps == 4 for one in found if not one.proven)


def test_without_a_proof_the_surest_look_answers_and_is_said_to_be_unproven():
    model = Fickle(every=10**9)
    ends: dict[int, list[tuple[float, list[int]]]] = {number: [] for number in range(40)}

    def observe(seen: Seen) -> None:
        if seen.step == 2:
            ends[seen.puzzle].append((seen.halt_probability, seen.answer.tolist()))

    found = outcomes(model, Looking(max_steps=2, looks=5), observe=observe)
    for one in found:
        assert (one.proven, one.looks, one.steps) == (False, 5, 10)
        surest = max(ends[one.puzzle])
        assert (one.halt_probability, one.answer.tolist()) == surest
        assert len(ends[one.puzzle]) == 5


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_no_outcome_depends_on_the_rows_beside_it(batch_size):
    looking = Looking(max_steps=3, looks=6, seed=1)
    assert same(outcomes(Fickle(), looking, batch_size=batch_size), outcomes(Fickle(), looking, batch_size=7))


def same(some: list[Outcome], others: list[Outcome]) -> bool:
    def plain(one: Outcome) -> tuple[object, ...]:
        return (
            one.puzzle,
            one.answer.tolist(),
            one.proven,
            one.looks,
            one.steps,
            round(one.halt_probability, 5),
        )

    return [*map(plain, some)] == [*map(plain, others)]


def test_another_seed_looks_elsewhere():
    first, second = (outcomes(Fickle(), Looking(max_steps=3, looks=16, seed=seed)) for seed in (0, 1))
    assert [one.looks for one in first] != [one.looks for one in second]


def test_new_puzzles_take_the_place_of_those_that_are_done():
    model = Fickle(every=3)
    found = outcomes(model, Looking(max_steps=4, looks=16), batch_size=8)
    total = sum(one.steps for one in found)
    assert sum(model.batches) == total, "no row is computed once it is done"
    full = [rows for rows in model.batches if rows == 8]
    # Every step is full until fewer puzzles are left than a batch has rows.
    assert model.batches[: len(full)] == full
    assert sum(full) > 0.6 * total


# --- what is seen -----------------------------------------------------------------------------------------


def test_every_step_of_every_look_is_brought_home():
    seen: list[Seen] = []
    found = outcomes(Fickle(), Looking(max_steps=3, looks=8), observe=seen.append)
    for one in seen:
        assert one.accepted == TASK.check(PUZZLES[one.puzzle], one.answer).solved
        given = TASK.given(PUZZLES[one.puzzle])
        assert (one.answer[given] == PUZZLES[one.puzzle][given]).all(), "the puzzle's clues are in place"
    assert len(seen) == sum(one.steps for one in found)
    assert {one.look for one in seen} == set(range(1, max(one.looks for one in found) + 1))


def test_places_follow_what_a_symmetry_moves():
    for seed in range(5):
        symmetry = TASK.symmetry(np.random.default_rng(seed))
        assert symmetry is not None
        found = places(symmetry, 16)
        assert sorted(found.tolist()) == list(range(16))
        home = symmetry.back(LABELS[0])
        for digit in range(2, 6):
            assert len(set(home[np.isin(found, np.flatnonzero(LABELS[0] == digit))].tolist())) == 1
    stays = Symmetry(lambda puzzle: puzzle[..., ::-1], lambda answer: answer)
    assert places(stays, 16).tolist() == list(range(16))


# --- noise, and tasks that cannot judge -------------------------------------------------------------------


class Silent(SudokuTask):
    """Sudoku whose rules nobody has written down, and which has no symmetries."""

    judges_all = False

    def symmetry(self, rng: np.random.Generator) -> None:
        return None


def test_without_symmetries_and_noise_there_is_one_look():
    found = outcomes(Fickle(), Looking(max_steps=3, looks=16), task=Silent(CONFIG))
    assert all((one.looks, one.steps, one.proven) == (1, 3, False) for one in found)


def test_noise_makes_looks_differ_and_the_surest_is_chosen_without_a_checker():
    ends: dict[int, list[float]] = {number: [] for number in range(40)}

    def observe(seen: Seen) -> None:
        if seen.step == 3:
            ends[seen.puzzle].append(seen.halt_probability)

    looking = Looking(max_steps=3, looks=4, noise=0.1)
    found = outcomes(Fickle(), looking, task=Silent(CONFIG), observe=observe)
    for one in found:
        assert (one.proven, one.looks, one.steps) == (False, 4, 12)
        assert len(ends[one.puzzle]) == 4
        assert len(set(ends[one.puzzle])) > 1
        assert one.halt_probability == max(ends[one.puzzle])
    assert same(found, outcomes(Fickle(), looking, task=Silent(CONFIG), batch_size=3))


def test_with_a_checker_noise_ends_at_the_first_right_answer():
    found = outcomes(Fickle(), Looking(max_steps=3, looks=64, noise=0.1))
    assert all(one.proven for one in found)
    assert np.array_equal(np.stack([one.answer for one in found]), LABELS)


def test_the_first_look_is_without_noise():
    with_noise, without = (
        outcomes(Fickle(), Looking(max_steps=3, looks=1, noise=noise)) for noise in (0.5, 0.0)
    )
    assert same(with_noise, without)


# --- figures ----------------------------------------------------------------------------------------------


def measured(labels: np.ndarray, looking: Looking, **more: Any):
    examples = Examples.of(PUZZLES, labels)
    return evaluate_verified(Fickle(), TASK, examples, looking, batch_size=8, **more)


def test_labels_are_never_used_to_choose():
    looking = Looking(max_steps=3, looks=4)
    honest = measured(LABELS, looking).to_dict()
    poisoned = measured(np.where(LABELS == 2, 3, 2).astype(np.uint8), looking).to_dict()
    for name in ("verified_accuracy", "mean_looks", "mean_steps", "verified_within"):
        assert honest[name] == poisoned[name]
    assert honest["exact_accuracy"] == honest["verified_accuracy"]
    assert poisoned["exact_accuracy"] == 0.0


def test_figures_are_those_of_the_outcomes():
    looking = Looking(max_steps=3, looks=5)
    found = outcomes(Fickle(), looking)
    figures = measured(LABELS, looking)
    assert figures.accuracy == np.mean([one.proven for one in found])
    assert figures.mean_looks == np.mean([one.looks for one in found])
    assert figures.mean_steps == np.mean([one.steps for one in found])
    assert figures.puzzles_per_second > 0
    assert figures.within() == {
        limit: np.mean([one.proven and one.looks <= limit for one in found]) for limit in (1, 2, 4, 5)
    }


def test_what_was_measured_before_a_stop_counts():
    heard: list[tuple[int, int]] = []
    figures = measured(
        LABELS,
        Looking(max_steps=3),
        progress=lambda *far: heard.append(far),
        stopping=lambda: len(heard) == 5,
    )
    assert figures.puzzles == 5
    assert heard == [(done, 40) for done in range(1, 6)]
