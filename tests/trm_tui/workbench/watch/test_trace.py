"""Films and how they play: what a cell is, what a frame says, where the model halts; forward and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.trm_tui.fake_model_host import (
    FOUR,
    NINE,
    PUZZLE_NINE,
    PUZZLES_FOUR,
    SOLVED_FOUR,
    SOLVED_NINE,
    steps,
)
from trm_tui.workbench.watch.playback import SPEEDS, Playback
from trm_tui.workbench.watch.trace import Film, make_film

PUZZLE, LABEL = FOUR.parse(PUZZLES_FOUR[0]), FOUR.parse(SOLVED_FOUR)


def kinds(film: Film, at: int) -> str:
    """Return the first letter of every cell's kind."""
    return "".join(cell.kind[0] for row in film.frames[at].rows for cell in row)


def film(*, label: bool = True, mistakes: int = 0) -> Film:
    return make_film(FOUR, PUZZLE, LABEL if label else None, steps(FOUR, PUZZLE, LABEL, mistakes=mistakes))


def test_the_first_frame_is_the_puzzle() -> None:
    made = film()
    assert kinds(made, 0) == "gbgbbgbbgbbgbgbg"
    assert made.frames[0].step == 0
    assert made.blanks == 9
    assert made.text == PUZZLES_FOUR[0]


def test_cells_are_given_right_or_wrong() -> None:
    made = film(mistakes=2)
    assert kinds(made, made.last).count("w") == 2
    assert kinds(made, made.last).count("r") == 7
    assert kinds(made, made.last).count("g") == 7
    assert made.frames[-1].right == 7
    assert made.solved_at is None
    assert not made.verdict.solved
    assert made.verdict.reason


def test_a_clue_that_the_model_changes_is_wrong() -> None:
    taken = steps(FOUR, PUZZLE, LABEL)
    taken[-1].answer[0] = 5
    made = make_film(FOUR, PUZZLE, LABEL, taken)
    assert kinds(made, made.last)[0] == "w"
    assert made.solved_at is None
    assert "clue 1" in made.verdict.reason


def test_only_what_differs_from_the_step_before_has_changed() -> None:
    taken = steps(FOUR, PUZZLE, LABEL)
    made = make_film(FOUR, PUZZLE, LABEL, taken)
    for number in range(2, made.last + 1):
        changed = [cell.changed for row in made.frames[number].rows for cell in row]
        assert changed == (taken[number - 1].answer != taken[number - 2].answer).tolist()
        assert made.frames[number].changed == sum(changed)
    assert made.frames[1].changed == 0, "the first answer is no change of one"


def test_it_says_where_the_model_would_halt_and_from_where_on_all_is_right() -> None:
    made = film()
    assert (made.halts_at, made.solved_at) == (7, 6)
    assert made.verdict.solved


def test_solved_means_until_the_end() -> None:
    taken = steps(FOUR, PUZZLE, LABEL)
    taken[-2].answer[1] = 4
    assert make_film(FOUR, PUZZLE, LABEL, taken).solved_at == 8


def test_without_a_label_an_answer_by_the_rules_is_the_truth() -> None:
    made = film(label=False)
    assert made.known
    assert made.solved_at == 6
    assert "w" in kinds(made, 1)


def test_without_label_and_solution_nobody_knows() -> None:
    made = film(label=False, mistakes=3)
    assert not made.known
    assert made.frames[-1].right is None
    assert set(kinds(made, made.last)) == {"g", "a", "w"}
    assert made.unproven
    # What is wrong is where a rule is broken: nobody knows the solution.
    wrong = {place for place, kind in enumerate(kinds(made, made.last)) if kind == "w"}
    answer = steps(FOUR, PUZZLE, LABEL, mistakes=3)[-1].answer
    broken = {cell for fault in FOUR.faults(PUZZLE, answer) for cell in fault.cells}
    assert wrong == broken
    assert made.frames[-1].faults == [fault.reason for fault in FOUR.faults(PUZZLE, answer)]


def test_padding_in_a_label_is_not_asked_for() -> None:
    label = np.array(LABEL)
    label[-2:] = 0
    taken = steps(FOUR, PUZZLE, LABEL)
    made = make_film(FOUR, PUZZLE, label, taken)
    assert made.blanks == 8


def test_confidence_is_over_the_cells_to_be_filled_in() -> None:
    taken = steps(FOUR, PUZZLE, LABEL)
    taken[0].confidence[:] = 1.0
    taken[0].confidence[1] = 0.1
    frame = make_film(FOUR, PUZZLE, LABEL, taken).frames[1]
    assert abs(frame.lowest - 0.1) < 1e-6
    assert abs(frame.confidence - (8 + 0.1) / 9) < 1e-6


def test_a_larger_grid_has_its_boxes() -> None:
    puzzle, label = NINE.parse(PUZZLE_NINE), NINE.parse(SOLVED_NINE)
    made = make_film(NINE, puzzle, label, steps(NINE, puzzle, label))
    assert made.box == (3, 3)
    assert [len(row) for row in made.frames[0].rows] == [9] * 9


def test_no_steps_make_a_film_of_the_puzzle_alone() -> None:
    made = make_film(FOUR, PUZZLE, LABEL, [])
    assert (made.last, made.halts_at, made.verdict.solved) == (0, None, False)


# --- playing ----------------------------------------------------------------------------------------------

_MOVES = st.lists(
    st.sampled_from(["forward", "back", "first", "last", "toggle", "tick", "faster", "slower"]), max_size=40
)


@given(st.integers(0, 12), _MOVES)
def test_whatever_is_pressed_the_place_is_in_the_film(last: int, moves: list[str]) -> None:
    now = Playback().of(last, play=True)
    for move in moves:
        now = {
            "forward": lambda p: p.moved(1),
            "back": lambda p: p.moved(-1),
            "first": lambda p: p.moved(-10_000),
            "last": lambda p: p.moved(10_000),
            "toggle": lambda p: p.toggled(),
            "tick": lambda p: p.ticked(),
            "faster": lambda p: p.paced(1),
            "slower": lambda p: p.paced(-1),
        }[move](now)
        assert 0 <= now.at <= now.last == last
        assert now.speed in SPEEDS
        assert not (now.playing and now.at_end)


def test_playing_shows_every_frame_and_holds_at_the_end() -> None:
    now, seen = Playback().of(3, play=True), []
    while now.playing:
        now = now.ticked()
        seen.append(now.at)
    assert seen == [1, 2, 3]
    assert now.toggled() == Playback(last=3, at=0, playing=True), "play at the end begins anew"


def test_stepping_holds_the_film() -> None:
    now = Playback().of(5, play=True).ticked().moved(1)
    assert (now.at, now.playing) == (2, False)
    assert now.moved(-1).at == 1
    assert now.ticked() == now


def test_another_film_keeps_the_pace_and_may_keep_the_place() -> None:
    now = Playback().of(8, play=False).paced(2).moved(5)
    again = now.of(8, play=False, at=now.at)
    assert (again.at, again.speed) == (5, now.speed)
    assert now.of(2, play=False, at=now.at).at == 2
    assert not now.of(0, play=True).playing
