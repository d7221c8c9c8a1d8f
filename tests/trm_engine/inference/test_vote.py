"""Evaluation by voting: answers come back through their images, are counted, ranked and submitted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from trm_engine.config import loads
from trm_engine.inference.vote import Answers, Predictor, predictor, vote
from trm_engine.models.trm import build_model
from trm_engine.tasks.arc.augment import image
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.arc.text import to_tokens
from trm_engine.tasks.examples import Examples

SIZE = 4
FIRST = {
    "train": [{"input": [[1, 2], [3, 4]], "output": [[1, 2]]}],
    "test": [
        {"input": [[5, 6], [7, 0]], "output": [[5, 6]]},
        {"input": [[8], [9], [1]], "output": [[8]]},
    ],
}
SAME = {
    "train": [{"input": [[1, 2, 3]], "output": [[1, 2, 3]]}],
    "test": [{"input": [[4, 5], [0, 6]], "output": [[4, 5], [0, 6]]}],
}
Grid = list[list[int]]
Say = Callable[[str, int, int], tuple[Grid, float]]
"""What is answered to test input `number` of a task under its k-th image: a grid of the original, a halt."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, raw in (("first", FIRST), ("same", SAME)):
        (tmp_path / f"{name}.json").write_text(json.dumps(raw))
    return tmp_path


@pytest.fixture
def task(folder: Path) -> ArcTask:
    return ArcTask(ArcConfig(data=str(folder), size=SIZE, augmentations=30))


def oracle(batch: Examples) -> Answers:
    """Answer with the label of each image."""
    return Answers(batch.labels, np.full(len(batch), 0.5))


def saying(task: ArcTask, say: Say) -> Predictor:
    """Answer as `say` does, in the colours and orientation of each image."""
    first = {name.split("|||")[0]: number for number, name in reversed(list(enumerate(task.identifiers)))}
    records = task.train._records

    def predict(batch: Examples) -> Answers:
        tokens, halts = [], []
        for given, puzzle_id in zip(batch.inputs, batch.puzzle_ids.tolist(), strict=True):
            name = task.identifiers[puzzle_id].split("|||")[0]
            shown = task.restore(given, puzzle_id)
            (number,) = [
                query.number
                for query in task.queries
                if query.task == name and np.array_equal(query.input, shown)
            ]
            grid, halt = say(name, number, puzzle_id - first[name])
            tokens.append(to_tokens(image(np.array(grid, np.uint8), records[puzzle_id]), SIZE))
            halts.append(halt)
        return Answers(np.stack(tokens), np.array(halts))

    return predict


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_an_oracle_is_right_through_every_image(task: ArcTask, batch_size: int) -> None:
    poll = vote(task, oracle, images=31, batch_size=batch_size)
    assert [outcome.rank for outcome in poll.outcomes] == [1, 1, 1]
    assert [outcome.votes for outcome in poll.outcomes] == [31, 31, 31]
    assert poll.predictions == 93
    assert set(poll.to_dict()["pass"].values()) == {1.0}  # type: ignore[attr-defined]


def test_a_mixed_case_is_scored_by_votes_then_by_halting(task: ArcTask) -> None:
    wrong = [[2, 2]], [[3, 3]], [[4, 4]]

    def say(name: str, number: int, k: int) -> tuple[Grid, float]:
        if name == "same":  # two grids with two votes each: the right one came with less confidence
            return (SAME["test"][0]["output"], 0.6) if k < 2 else (wrong[0], 0.7)
        if number == 0:  # the right grid has one vote of four, but two others are before it
            return (FIRST["test"][0]["output"], 0.9) if k == 3 else (wrong[k % 2], 0.99)
        return wrong[k % 3], 0.5  # the right grid is never named

    poll = vote(task, saying(task, say), images=4, batch_size=5)
    assert [outcome.rank for outcome in poll.outcomes] == [3, None, 2]
    # A task counts by the share of its test inputs: `first` can reach a half, `same` all.
    assert [poll.pass_at(tries) for tries in (1, 2, 5, 1000)] == [0.0, 0.5, 0.75, 0.75]
    assert [grid.tolist() for grid in poll.outcomes[2].attempts] == [wrong[0], SAME["test"][0]["output"]]


def test_confidence_is_the_mean_and_not_the_sum(task: ArcTask) -> None:
    def say(name: str, number: int, k: int) -> tuple[Grid, float]:
        return ([[1]], [0.9, 0.1][k // 2]) if k % 2 else ([[2]], 0.6)

    poll = vote(task, saying(task, say), images=4, batch_size=4)
    assert [grid.tolist() for grid in poll.outcomes[0].attempts] == [[[2]], [[1]]]


def test_answers_without_a_cell_have_no_vote(task: ArcTask) -> None:
    def nothing(batch: Examples) -> Answers:
        return Answers(np.zeros_like(batch.inputs), np.ones(len(batch)))

    poll = vote(task, nothing, images=4, batch_size=8)
    assert [(outcome.votes, outcome.rank) for outcome in poll.outcomes] == [(0, None)] * 3
    assert poll.submission()["same"] == [{"attempt_1": [[0]], "attempt_2": [[0]]}]


def test_a_submission_has_the_competition_s_shape(task: ArcTask) -> None:
    submission = json.loads(json.dumps(vote(task, oracle, images=8, batch_size=8).submission()))
    assert submission == {
        "first": [
            {"attempt_1": [[5, 6]], "attempt_2": [[5, 6]]},
            {"attempt_1": [[8]], "attempt_2": [[8]]},
        ],
        "same": [{"attempt_1": [[4, 5], [0, 6]], "attempt_2": [[4, 5], [0, 6]]}],
    }


def test_a_submission_holds_the_two_grids_with_the_most_votes(task: ArcTask) -> None:
    def say(name: str, number: int, k: int) -> tuple[Grid, float]:
        return [[1 + (k >= 3) + (k >= 5)]], 0.5

    submission = vote(task, saying(task, say), images=6, batch_size=6).submission()
    assert submission["first"][1] == {"attempt_1": [[1]], "attempt_2": [[2]]}


def test_questions_without_known_outputs_are_submitted_but_not_scored(folder: Path) -> None:
    open_question = {**SAME, "test": [{"input": [[4, 5]]}]}
    (folder / "same.json").write_text(json.dumps(open_question))
    task = ArcTask(ArcConfig(data=str(folder), size=SIZE, augmentations=3))

    def echo(batch: Examples) -> Answers:
        return Answers(batch.inputs, np.ones(len(batch)))

    poll = vote(task, echo, images=4, batch_size=8)
    assert (len(poll.outcomes), poll.scored, poll.pass_at(1000)) == (3, 2, 0.0)
    assert poll.submission()["same"] == [{"attempt_1": [[4, 5]], "attempt_2": [[4, 5]]}]


def test_fewer_images_are_asked_for_than_there_are(task: ArcTask) -> None:
    seen: list[int] = []

    def noting(batch: Examples) -> Answers:
        seen.extend(batch.puzzle_ids.tolist())
        return oracle(batch)

    vote(task, noting, images=2, batch_size=100)
    assert seen == [1, 2, 1, 2, 32, 33]
    assert [task.identifiers[number] for number in (1, 32)] == ["first", "same"]


def test_an_interrupted_vote_returns_what_was_finished(task: ArcTask) -> None:
    told: list[tuple[int, int]] = []
    poll = vote(
        task,
        oracle,
        images=10,
        batch_size=4,
        progress=lambda done, total: told.append((done, total)),
        stopping=lambda: len(told) == 4,
    )
    assert told == [(4, 30), (8, 30), (12, 30), (16, 30)]
    assert (len(poll.outcomes), poll.complete, poll.predictions) == (1, False, 16)


def small_model(folder: Path) -> torch.nn.Module:
    config = loads(
        f'[task]\nkind = "arc"\ndata = "{folder}"\nsize = {SIZE}\n'
        "[model]\nhidden_size = 8\npuzzle_emb_ndim = 8\nregisters = 0\n",
        "test",
    )
    return build_model(config, 63, torch.Generator().manual_seed(0)).requires_grad_(False)


def test_a_model_answers_after_its_last_step_as_in_evaluation(task: ArcTask, folder: Path) -> None:
    from trm_engine.inference.supervise import refine

    model = small_model(folder)
    model.puzzle_emb.normal_(generator=torch.Generator().manual_seed(1))
    batch = task.ballots(4).take(slice(0, 5))
    answers = predictor(model, 3)(batch)
    for row in range(5):
        *_, last = refine(model, batch.inputs[row], 3, int(batch.puzzle_ids[row]))
        assert np.array_equal(answers.tokens[row], last.answer)
        assert answers.halt[row] == pytest.approx(last.halt_probability, rel=1e-5)


def test_with_early_halting_a_model_answers_at_its_first_step_that_halts(task: ArcTask, folder: Path) -> None:
    model = small_model(folder)
    batch = task.ballots(4).take(slice(0, 5))
    model.q_bias.data[0] = 50.0
    once = predictor(model, 1)(batch)
    assert np.array_equal(predictor(model, 5, early_halt=True)(batch).tokens, once.tokens)
    model.q_bias.data[0] = -50.0
    full = predictor(model, 5)(batch)
    assert np.array_equal(predictor(model, 5, early_halt=True)(batch).tokens, full.tokens)
