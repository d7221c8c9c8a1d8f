"""A mixture asks its parts, and gives each its share; what every task keeps to is in the contract."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.config import apply
from trm_engine.errors import ConfigError, UsageError
from trm_engine.inference.evaluate import Evaluation
from trm_engine.learning.build import build_learner
from trm_engine.tasks import build_puzzles, build_task
from trm_engine.tasks.mixture.config import MixtureConfig
from trm_engine.tasks.mixture.task import MixtureTask
from trm_engine.tasks.subset import Selected

FEW = "train_size=10 test_size=6"
SUDOKU = f"sudoku clues=6 {FEW}"
MAZE = f"maze rows=5 cols=5 min_path=4 {FEW}"


def mixture(parts: str) -> MixtureTask:
    task = build_puzzles(MixtureConfig(parts=parts))
    assert isinstance(task, MixtureTask)
    return task


def test_every_kind_that_can_be_a_part_is_read_back_from_its_line() -> None:
    task = mixture(f"futoshiki size=4 {FEW}; light-up rows=5 cols=4 {FEW}; {MAZE}; {SUDOKU}")
    rows = task.test.head(24)
    assert set(rows.puzzle_ids.tolist()) == {1, 2, 3, 4}
    for puzzle, label, number in zip(rows.inputs, rows.labels, rows.puzzle_ids, strict=True):
        assert task.parse(task.line(puzzle)).tolist() == puzzle.tolist()
        assert task.parse_answer(task.line(label)).tolist() == label.tolist()
        assert task.puzzle_id_of(task.line(puzzle)) == number


def test_no_two_parts_share_a_token_but_padding() -> None:
    task = mixture(f"{SUDOKU}; {MAZE}; {SUDOKU}")
    rows = task.train.take(slice(0, None))
    used = [set(np.unique(rows.inputs[rows.puzzle_ids == number])) - {0} for number in (1, 2, 3)]
    assert not used[0] & used[1]
    assert not used[0] & used[2]
    assert not used[1] & used[2]
    assert task.part_names == ["sudoku", "maze", "sudoku-2"]
    assert task.vocab_size == 1 + 5 + 5 + 5


def test_weights_are_shares_of_the_rows_of_an_epoch() -> None:
    task = mixture(f"{SUDOKU}; {MAZE} weight=3")
    ids = task.train.take(slice(0, None)).puzzle_ids
    assert (ids == 2).sum() == 3 * (ids == 1).sum()
    assert {tuple(row) for row in task.train.take(slice(0, None)).inputs[ids == 1]} == {
        tuple(row) for row in task.train.take(np.flatnonzero(ids == 1)[:10]).inputs
    }


def test_the_first_held_out_rows_are_of_every_part() -> None:
    assert set(mixture(f"{SUDOKU}; {MAZE}").test.head(4).puzzle_ids.tolist()) == {1, 2}


def test_a_puzzle_of_no_part_is_refused_with_what_each_says() -> None:
    with pytest.raises(UsageError, match=r"no puzzle of any part: sudoku: .*; maze: "):
        mixture(f"{SUDOKU}; {MAZE}").parse("12")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("", "0 parts; a mixture has 2 to 16"),
        ("sudoku", "1 parts; a mixture has 2 to 16"),
        ("text; sudoku", '"text" cannot be a part; these can: futoshiki, light-up, maze, sudoku'),
        ("arc; sudoku", '"arc" cannot be a part'),
        ("mixture; sudoku", '"mixture" cannot be a part'),
        ("sudoku clue=3; maze", 'sudoku: clue: unknown key. Did you mean "clues"'),
        ("sudoku clues=abc; maze", "sudoku: clues: "),
        ("sudoku clues=99; maze", "sudoku: clues: 99 clues in a grid of 16 cells"),
        ("sudoku clues; maze", 'sudoku: "clues": write it as setting=value'),
        ("sudoku weight=0; maze", "sudoku: weight is a number above 0"),
        ("sudoku data=x.csv; maze", "sudoku: puzzles of a mixture are generated"),
        ("sudoku 'clues=3; maze", "a quotation mark is missing"),
    ],
)
def test_parts_that_cannot_be_are_named(make_config, parts: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config("task.kind=mixture", f"task.parts={parts}")
    assert words in str(caught.value)


@pytest.fixture
def learner(make_config):
    prefix = ("model.mixer=attention", "model.positions=rope", "model.puzzle_emb_ndim=8")
    config = make_config("task.kind=mixture", f"task.parts={SUDOKU}; {MAZE}", *prefix)
    return build_learner(config, build_task(config.task))


def test_evaluation_tells_the_accuracy_of_each_part(learner) -> None:
    learner.learn(6)
    found = learner.measure(learner.task.test)
    ids, figures = learner.task.test.take(slice(0, None)).puzzle_ids, found.to_dict()
    for number, name in enumerate(learner.task.part_names, 1):
        assert figures[f"exact_accuracy_of_{name}"] == found.solved[ids == number].mean()


def test_accuracies_of_parts_are_joined_by_their_own_counts(learner) -> None:
    """Shares of ranks hold different numbers of each part."""
    test = learner.task.test
    shares = []
    for rows in (np.array([0, 1, 2]), np.array([3])):
        found = learner.evaluate(Selected(test, rows), lambda: False, batch_size=2)
        solved = np.arange(len(rows)) == 0
        right = {
            f"right of {name}": float((solved & (test.take(rows).puzzle_ids == number)).mean())
            for number, name in enumerate(learner.task.part_names, 1)
        }
        shares.append({**found.share(), "parts": {**found.parts, **right}})
    joined = Evaluation.joined(shares).to_dict()
    ids = test.head(4).puzzle_ids
    for number, name in enumerate(learner.task.part_names, 1):
        right = sum(int(ids[row] == number) for row in (0, 3))
        assert joined[f"exact_accuracy_of_{name}"] == pytest.approx(right / (ids == number).sum())


def test_each_part_has_a_prefix_of_its_own_and_trains_its_own_rows(learner) -> None:
    before = learner.model.embed_tokens.clone()
    for _ in range(4):
        learner.learn(6)
    assert learner.model.puzzle_emb.shape[0] == 3
    assert (learner.model.puzzle_emb[1:] != 0).any(1).all()
    assert not learner.model.puzzle_emb[0].any()
    assert (learner.model.embed_tokens != before).any(1)[1:].any()


def test_a_window_needs_one_grid(learner) -> None:
    with pytest.raises(ConfigError, match=r'a "mixture" task has no grid of cells'):
        apply(learner.config, ["model.attention_window=3"])
