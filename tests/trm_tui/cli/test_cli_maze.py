"""Mazes on the command line: data described, built and checked, a model measured, a maze solved."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

from trm_tui.cli.terminal import output

MAZE = """
[task]
kind = "maze"
rows = 6
cols = 5
min_path = 6
train_size = 40
test_size = 12
[model]
hidden_size = 8
[train]
batch_size = 6
steps = 4
halt_max_steps = 2
warmup_steps = 1
[eval]
every = 2
[runtime]
threads = 1
"""


@pytest.fixture
def maze(trm, tmp_path: Path):
    """The program, with a configuration file `maze.toml` in its folder."""
    (tmp_path / "maze.toml").write_text(MAZE)
    return trm


@pytest.fixture
def session(maze) -> str:
    done = maze("--no-ui", "run", "maze.toml", "--json")
    assert done.code == 0
    return str(done.objects[-1]["session"])


def test_describe_prints_facts_and_statistics(maze):
    done = maze("data", "describe", "maze.toml")
    assert done.code == 0
    for words in ("6×5", "4 reflections and rotations", "walls, mean", "training", "test"):
        assert words in done.out


def test_describe_puts_a_file_beside_what_was_generated(maze):
    assert maze("data", "build", "maze.toml", "mazes.csv", "--format", "csv").code == 0
    done = maze("data", "describe", "maze.toml", "--data", "mazes.csv", "--json")
    (shown,) = done.objects
    figures = shown["statistics"]
    assert list(figures) == ["training", "test", "mazes.csv"]
    assert figures["mazes.csv"] == figures["test"]
    assert figures["training"]["mazes"] == 40
    assert figures["training"]["labels that are a shortest path"] == 1
    assert "seed 0" in shown["facts"]["source"]
    assert maze("data", "describe", "maze.toml", "--data", "mazes.csv").out.count("mazes.csv") == 1


def test_describe_tells_of_other_tasks_what_they_say_of_themselves(trm):
    done = trm("data", "describe", "tiny.toml")
    assert done.code == 0
    assert "clues" in done.out


def test_describe_refuses_a_file_that_is_not_sound(maze, tmp_path):
    (tmp_path / "bad.txt").write_text("S" * 30 + "\n")
    done = maze("data", "describe", "maze.toml", "--data", "bad.txt")
    assert done.code == 2
    assert done.err.startswith("error: bad.txt, line 1: the maze has 30 starts (S)")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "csv", "published"])
def test_what_is_built_can_be_verified(maze, form):
    assert maze("data", "build", "maze.toml", "out", "--format", form).code == 0
    (told,) = maze("data", "verify", "maze.toml", "out", "--json").objects
    assert told.items() >= {"file": "out", "puzzles": 12, "unique": None, "looked_at": 12}.items()
    assert 0 <= told["several_solutions"] <= 12


def test_eval_reports_any_shortest_path_beside_the_label(maze, session):
    assert maze("data", "build", "maze.toml", "held.csv", "--format", "csv").code == 0
    (figures,) = maze("eval", session, "--json").objects
    assert 0 <= figures["exact_accuracy"] <= figures["valid_accuracy"] <= 1
    (again,) = maze("eval", session, "--data", "held.csv", "--json").objects
    assert again["valid_accuracy"] == figures["valid_accuracy"]
    assert "any other right answer" in maze("eval", session).out


def test_sudoku_reports_any_right_answer_too(trm, trained):
    (figures,) = trm("eval", trained, "--json").objects
    assert 0 <= figures["exact_accuracy"] <= figures["valid_accuracy"] <= 1
    assert "any other right answer" in trm("eval", trained).out


def test_solve_draws_the_maze_and_says_what_the_answer_is(maze, session):
    puzzle = "S...." + "####." + "....." * 3 + "....G"
    done = maze("solve", session, puzzle)
    assert done.code in (0, 1)
    lines = done.out.splitlines()
    assert lines[0] == "┌──────────┐"
    assert lines[7] == "└──────────┘"
    assert len(lines) == 9 if done.code == 0 else lines[8].startswith("unproven: no attempt passed the check")
    (shown,) = maze("solve", session, puzzle, "--json").objects
    assert len(shown["answer"]) == 30
    assert shown["solved"] == (done.code == 0)
    assert shown["reason"] in done.out


@pytest.mark.parametrize("puzzle", ["S", "S" + "." * 28 + "x", "S" * 30, "S" + "#" * 28 + "G"])
def test_solve_refuses_what_is_no_maze(maze, session, puzzle):
    done = maze("solve", session, puzzle)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_a_colour_terminal_gets_colours(monkeypatch, capsys):
    def console() -> Console:
        return Console(force_terminal=True, color_system="standard", file=sys.stdout)

    monkeypatch.setattr(output, "_console", console)
    output.print_grid([["#", "S"]], {"#": "#5b6275"}, "a drawing")
    assert capsys.readouterr().out == "\x1b[97;100m# \x1b[0mS \n"


def test_without_a_palette_or_colours_the_drawing_is_printed(capsys):
    output.print_grid([["#", "S"]], {}, "a drawing")
    output.print_grid([["#", "S"]], {"#": "#5b6275"}, "a drawing")
    assert capsys.readouterr().out == "a drawing\na drawing\n"
