"""What every task about puzzles keeps to beside `task_contract`: checks for any of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import numpy as np
import pytest
from task_contract import AT_ONCE, Check, Subject, rows_of

from trm_engine.errors import UsageError
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.puzzle_lists.files import write_list

NONSENSE = (
    "",
    " \n ",
    "no puzzle ☃",
    "\x1b[2J\x07",
    "[[",
    "{}",
    "[[[1]]]",
    "-1",
    "\x00",
    "?" * 10_000,
    "9" * 100_000,
)


def answers_to(subject: Subject) -> Iterator[tuple[Tokens, Tokens]]:
    """Yield held-out puzzles with answers: right, wrong in one cell, the puzzle itself, and nonsense."""
    rows, rng = subject.task.test.head(AT_ONCE), np.random.default_rng(8)
    for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
        spoilt = label.copy()
        spoilt[rng.integers(len(label))] = rng.integers(subject.task.vocab_size)
        nonsense = rng.integers(0, subject.task.vocab_size, len(label)).astype(label.dtype)
        for answer in (label, spoilt, puzzle, nonsense):
            yield puzzle, answer


def check_labels_solve_their_puzzles(subject: Subject) -> None:
    task = subject.puzzles
    judged = list(subject.heads) if task.judges_all else [task.test.head(AT_ONCE)]
    for rows in judged:
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
            verdict = task.check(puzzle, label)
            assert verdict.solved, verdict.reason


def check_a_puzzle_is_not_its_own_answer(subject: Subject) -> None:
    task = subject.puzzles
    rows = task.test.head(AT_ONCE)
    verdicts = [
        task.check(puzzle, puzzle)
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True)
        if not np.array_equal(puzzle, label)
    ]
    assert verdicts
    assert not any(verdict.solved for verdict in verdicts)
    assert all(verdict.reason for verdict in verdicts)


def check_the_rules_for_many_agree_with_the_rules_for_one(subject: Subject) -> None:
    task = subject.puzzles
    rows = task.test.head(AT_ONCE)
    for answers in (rows.labels, rows.inputs):
        one_by_one = [task.check(*pair).solved for pair in zip(rows.inputs, answers, strict=True)]
        assert task.solved(rows.inputs, answers).tolist() == one_by_one
    empty = rows.take(slice(0, 0))
    assert task.solved(empty.inputs, empty.labels).tolist() == []


def check_faults_are_what_the_checker_refuses(subject: Subject) -> None:
    """An answer has faults if and only if it is refused, each in words and of cells of the grid."""
    task = subject.puzzles
    for puzzle, answer in answers_to(subject):
        faults, verdict = task.faults(puzzle, answer), task.check(puzzle, answer)
        assert (not faults) == verdict.solved, (faults, verdict)
        for fault in faults:
            assert fault.reason
            assert "\n" not in fault.reason
            assert all(0 <= cell < task.seq_len for cell in fault.cells)
            assert len(set(fault.cells)) == len(fault.cells)
            assert all(type(cell) is int for cell in fault.cells)


def check_another_look_is_the_same_puzzle(subject: Subject) -> None:
    """An answer solves the view of a puzzle if and only if, brought home, it solves the puzzle."""
    task, rng = subject.puzzles, np.random.default_rng(11)
    if task.symmetry(rng) is None:
        return
    assert task.judges_all, "a look that cannot be judged by rules alone is of no use"
    moved, accepted = 0, 0
    for puzzle, answer in answers_to(subject):
        symmetry = task.symmetry(rng) or pytest.fail("a symmetry, or none at all")
        view = symmetry.forward(puzzle)
        assert view.shape == puzzle.shape
        moved += not np.array_equal(view, puzzle)
        assert task.given(view).sum() == task.given(puzzle).sum()
        for given in (answer, symmetry.forward(answer)):
            home = symmetry.back(given)
            assert home.shape == given.shape
            assert task.check(puzzle, home).solved == task.check(view, given).solved
            accepted += task.check(view, given).solved
    assert moved, "no look differs from the puzzle"
    assert accepted, "no answer was right in any view"


def check_looks_follow_from_the_generator(subject: Subject) -> None:
    task, puzzle = subject.puzzles, subject.task.test.head(1).inputs[0]
    looks = [task.symmetry(np.random.default_rng(4)) for _ in range(2)]
    if looks[0] is not None and looks[1] is not None:
        assert looks[0].forward(puzzle).tolist() == looks[1].forward(puzzle).tolist()


def check_figures_and_identifiers_are_numbers(subject: Subject) -> None:
    task = subject.puzzles
    assert all(np.isfinite(figure) for figure in task.statistics(task.test).values())
    for puzzle in task.test.head(3).inputs:
        assert 0 <= task.puzzle_id_of(task.line(puzzle)) < task.num_puzzle_ids


def check_what_is_given_stands_in_the_answer(subject: Subject) -> None:
    for rows in subject.heads:
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
            given = subject.puzzles.given(puzzle)
            assert given.shape == puzzle.shape
            assert given.dtype == np.bool_
            assert (puzzle[given] == label[given]).all()
            assert not given.all()


def check_a_line_and_a_drawing_are_read_back(subject: Subject) -> None:
    task = subject.puzzles
    for puzzle in task.test.head(AT_ONCE).inputs:
        assert "\n" not in task.line(puzzle)
        for text in (task.line(puzzle), task.render(puzzle)):
            assert task.parse(text).tolist() == puzzle.tolist()


def check_a_grid_has_a_symbol_for_each_position(subject: Subject) -> None:
    task = subject.puzzles
    for rows in subject.heads:
        for tokens in (*rows.inputs[:4], *rows.labels[:4]):
            symbols = [symbol for row in task.grid(tokens) for symbol in row]
            assert len(symbols) == task.seq_len
            assert all(len(symbol) <= 1 for symbol in symbols)
            assert task.render(tokens).replace("\n", "").isprintable()
    for symbol, colour in task.palette.items():
        assert len(symbol) == 1
        assert re.fullmatch("#[0-9a-fA-F]{6}", colour)


def check_any_tokens_can_be_drawn(subject: Subject) -> None:
    """An untrained model answers with any token anywhere."""
    task = subject.puzzles
    rng = np.random.default_rng(3)
    for tokens in rng.integers(0, task.vocab_size, (AT_ONCE, task.seq_len)):
        assert isinstance(task.render(tokens), str)
        assert "\n" not in task.line(tokens)
        assert sum(map(len, task.grid(tokens))) == task.seq_len
        assert not task.check(task.test.head(1).inputs[0], tokens).solved


def check_nonsense_is_refused_in_a_line_or_two(subject: Subject) -> None:
    for text in NONSENSE:
        with pytest.raises(UsageError) as caught:
            subject.puzzles.parse(text)
        words = str(caught.value)
        assert len(words.splitlines()) <= 2, text
        assert len(words) < 500, text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", words), text


def check_a_list_that_was_written_is_read(subject: Subject) -> None:
    task = subject.puzzles
    for as_csv, name in ((True, "puzzles.csv"), (False, "puzzles.txt")):
        path = subject.folder / name
        path.unlink(missing_ok=True)
        write_list(path, task, task.test, as_csv=as_csv)
        back = task.load(str(path))
        inputs, labels, _, _ = rows_of(back)
        assert (inputs, labels) == rows_of(task.test)[:2]
    with (subject.folder / "puzzles.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["puzzle", "solution"]


def check_a_file_that_is_not_there_is_named(subject: Subject) -> None:
    missing = str(subject.folder / "missing.txt")
    with pytest.raises(UsageError, match=r"missing\.txt"):
        subject.puzzles.load(missing)


PUZZLE_CHECKS: tuple[Check, ...] = tuple(
    value for name, value in globals().items() if name.startswith("check_")
)
