"""Without a language model: puzzles are solved and checked, doubts asked back, help comes from docs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.messages import with_puzzles, without_puzzles
from tests.serving import PUZZLE, SOLUTION, Oracle
from trm_engine.errors import SessionError
from trm_engine.language.stop import Stop, StoppedError
from trm_engine.serving.puzzles import task_of
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.text import BLANK
from trm_tui.gateway.models.registry import TrmEntry


def test_a_puzzle_is_solved_checked_and_drawn_step_by_step(chat_with) -> None:
    chat = chat_with()
    reply = chat.say(f"Can you solve this sudoku for me? {PUZZLE} Thanks!")
    assert (reply.route, reply.solved, reply.steps) == ("trm", True, 3)
    assert reply.grids[0]["answer"] == SOLUTION
    assert "| 1 3 | 2 4 |" in reply.response
    assert [name for name, _ in chat.told] == ["route", "puzzle", "step", "step", "step", "grid", "text"]
    assert chat.text == reply.response


def test_of_100_messages_no_answer_that_breaks_a_rule_is_called_solved(chat_with) -> None:
    """The oracle answers a third of all puzzles wrongly in every view: the rules must tell."""

    def oracle(config) -> Oracle:
        return Oracle(config, lost=lambda puzzle: int((puzzle > BLANK).sum()) % 3 == 0)

    chat = chat_with((2, 2), (2, 3), (3, 3), oracle=oracle)
    solved = wrong = 0
    for written in with_puzzles():
        reply = chat.say(written.text, model="trm")
        for grid in reply.grids:
            side = round(len(written.cells) ** 0.5)
            box = {4: (2, 2), 6: (2, 3), 9: (3, 3)}[side]
            task = task_of(SudokuConfig(box_rows=box[0], box_cols=box[1]))
            right = task.check(task.parse(written.cells), np.asarray(task.parse(grid["answer"]))).solved \
                if grid["solved"] else False  # fmt: skip
            assert grid["solved"] == right, written.text
            assert ("solved** by" in reply.response) == right
            solved += right
            wrong += not right
    assert solved > 40
    assert wrong > 0


def test_of_100_messages_without_a_puzzle_none_is_answered_as_one(chat_with) -> None:
    chat = chat_with((2, 2), (2, 3), (3, 3))
    for message in without_puzzles():
        reply = chat.say(message)
        assert reply.route in ("passages", "help"), message
        assert not reply.grids


def test_an_open_puzzle_is_asked_back_and_then_solved_as_any(chat_with) -> None:
    from trm_engine.language.model import Message

    chat = chat_with()
    asked = chat.say("sudoku 12..34....1.....")
    assert asked.route == "question"
    assert "row 1, column 3 can be 3 as well as 4" in asked.response
    assert not asked.grids
    history = [Message("user", "sudoku 12..34....1....."), Message("assistant", asked.response)]
    assert chat.say("Any solution will do.", history=history).solved


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("sudoku 11..............", "1 appears 2 times in row 1"),
        ("sudoku:\n1 . . 4\n. . .\n. . 4 .\n. 2 3 .", "row 2 has 3"),
        (f"sudoku 12..........3..4{18 * '.'}", "34 cells"),
        ("sudoku 123....4........", "row 1, column 4 can hold no digit"),
    ],
)
def test_a_broken_puzzle_is_asked_back_by_cell_or_rule(chat_with, message: str, named: str) -> None:
    reply = chat_with().say(message)
    assert reply.route == "question"
    assert named in reply.response


def test_without_a_fitting_session_the_preset_and_its_time_here_are_told(chat_with) -> None:
    chat = chat_with()
    reply = chat.say(
        "sudoku 53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
    )
    assert "trm-tui run sudoku-9x9" in reply.response
    assert "on this machine" in reply.response
    assert "4×4 Sudoku" in reply.response
    odd = chat.say(f"any solution of the sudoku 12345678{56 * '.'}")
    assert "--set task.box_rows=2" in odd.response


def test_a_chosen_session_of_another_kind_says_so(chat_with) -> None:
    chat = chat_with((2, 2), (2, 3))
    four = next(one for one in chat.gateway.service.residents.catalogue.list() if one.title == "sudoku-4")
    reply = chat.say("sudoku " + ("12345." + "." * 30), model=four.session)
    assert "has learned 4×4 Sudoku" in reply.response or "more than one solution" in reply.response
    chat.registry.add("mine", TrmEntry(path=four.session))
    chat.registry.select("mine")
    assert chat.say(f"sudoku {PUZZLE}").solved


def test_an_unknown_arc_task_is_refused_honestly(chat_with) -> None:
    task = '{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}'
    reply = chat_with().say(f"What comes out? {task}")
    assert reply.route == "question"
    assert "ARC task" in reply.response


def test_several_puzzles_are_all_answered(chat_with) -> None:
    reply = chat_with().say(f"Two sudokus: {PUZZLE} and `{PUZZLE[::-1]}` please")
    assert [grid["number"] for grid in reply.grids] == [0, 1]
    assert reply.solved


def test_the_products_own_help_is_searched_and_cited(chat_with) -> None:
    reply = chat_with().say("How do I resume a run?")
    assert reply.route == "passages"
    assert any("resume" in source.text for source in reply.sources)


def test_context_is_searched_and_it_is_said_that_nobody_read_it(chat_with) -> None:
    reply = chat_with().say("Where does the cat sleep?", context=["The cat sleeps on the roof."])
    assert "roof" in reply.response
    assert any("reads no prose" in note for note in reply.notes)


def test_a_trm_says_plainly_that_it_does_not_chat(chat_with) -> None:
    assert "I do not chat" in chat_with().say("Good morning, sunshine!").response


def test_a_job_of_a_client_is_never_taken_for_a_message(chat_with) -> None:
    reply = chat_with().say(f"### Task:\nSuggest a title for: sudoku {PUZZLE}")
    assert not reply.grids


def test_a_model_that_is_not_there_is_told(chat_with) -> None:
    with pytest.raises(SessionError, match="models list"):
        chat_with().say("hello", model="/etc/passwd")


def test_a_stopped_answer_ends(chat_with) -> None:
    stop = Stop()
    stop.set()
    chat = chat_with()
    with pytest.raises(StoppedError):
        chat.say(f"sudoku {PUZZLE}", stop=stop)
    assert chat.gateway.service.open == 0
