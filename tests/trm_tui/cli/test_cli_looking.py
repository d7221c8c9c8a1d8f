"""`--views`, `--noise` and `--tries`: what they measure, what they say, and what goes together."""

from __future__ import annotations

from typing import Any

import pytest

PUZZLE = ".321..3..4..21.."


def test_eval_tells_one_look_and_views_apart(trm: Any, trained: str) -> None:
    (plain,) = trm("eval", "first", "--json").objects
    (both,) = trm("eval", "first", "--views", "4", "--json").objects
    assert "verified" not in plain
    verified = both.pop("verified")
    assert both["exact_accuracy"] == plain["exact_accuracy"]
    assert (verified["puzzles"], verified["max_looks"], verified["max_steps"]) == (12, 4, 3)
    assert set(verified["verified_within"]) == {"1", "2", "4"}
    assert 1 <= verified["mean_looks"] <= 4
    assert verified["mean_steps"] <= 12
    told = trm("eval", "first", "--views", "4").out
    assert "exact accuracy" in told
    assert "with at most 4 views, by the rules alone" in told
    assert "attempts and" in told


def test_an_unproven_answer_says_so_and_marks_the_broken_rules(trm: Any, trained: str) -> None:
    done = trm("solve", "first", PUZZLE, "--views", "2")
    (answer,) = trm("solve", "first", PUZZLE, "--views", "2", "--json").objects
    if answer["solved"]:
        pytest.fail("three steps of training should not solve a puzzle: choose another seed")
    assert done.code == 1
    assert (answer["looks"], answer["supervision_steps"]) == (2, 6)
    assert (
        "unproven: no attempt passed the check (after 6 supervision steps, attempt 2 of at most 2)"
        in done.out
    )
    assert f"- {answer['faults'][0]['reason']}" in done.out
    assert "!" in done.out


def test_each_step_says_to_which_look_it_belongs(trm: Any, trained: str) -> None:
    out = trm("solve", "first", PUZZLE, "--views", "2", "--steps").out
    assert "attempt 1 · step 3" in out
    assert "attempt 2 · step 1" in out
    assert "look" not in trm("solve", "first", PUZZLE, "--views", "1", "--steps").out.split("unproven")[0]


def test_noise_tries_again(trm: Any, trained: str) -> None:
    (answer,) = trm("solve", "first", PUZZLE, "--noise", "0.3", "--tries", "3", "--json").objects
    assert answer["looks"] == (3 if not answer["solved"] else answer["looks"])
    (both,) = trm("eval", "first", "--noise", "0.3", "--tries", "2", "--json").objects
    assert (both["verified"]["noise"], both["verified"]["max_looks"]) == (0.3, 2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("solve", "first", PUZZLE, "--tries", "3"), "--noise SIGMA"),
        (("solve", "first", PUZZLE, "--views", "3", "--noise", "0.2"), "choose one"),
        (("eval", "first", "--views", "0"), "--views"),
        (("eval", "first", "--views", "4", "--vote"), "--vote"),
    ],
)
def test_what_does_not_go_together_is_refused(
    trm: Any, trained: str, words: tuple[str, ...], says: str
) -> None:
    done = trm(*words)
    assert done.code == 2
    assert says in done.err
