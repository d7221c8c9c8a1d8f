"""Every task that is registered goes through the same contract; one without a case here fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from puzzle_contract import PUZZLE_CHECKS
from task_contract import CHECKS, Check, Subject, check_augmentation_follows_from_the_generator

from trm_engine.config.sections import TaskConfig
from trm_engine.interop.dataset_writer import write_task
from trm_engine.tasks import build_task
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.base import PuzzleTask, Verdict
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.kit.symmetry import Symmetry, relabelling
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.mixture.config import MixtureConfig
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.task import SudokuTask
from trm_engine.tasks.text.config import TextConfig


def sudoku(folder: Path, seed: int) -> TaskConfig:
    return SudokuConfig(clues=6, train_size=40, test_size=12, seed=seed)


def maze(folder: Path, seed: int) -> TaskConfig:
    return MazeConfig(rows=5, cols=5, min_path=4, train_size=40, test_size=12, seed=seed)


def light_up(folder: Path, seed: int) -> TaskConfig:
    return LightUpConfig(rows=5, cols=4, train_size=40, test_size=12, seed=seed)


def futoshiki(folder: Path, seed: int) -> TaskConfig:
    return FutoshikiConfig(size=4, train_size=40, test_size=12, seed=seed)


def arc(folder: Path, seed: int) -> TaskConfig:
    """Tasks on 3×3 to 5×5 grids whose rule is to flip them."""
    rng = np.random.default_rng(9)
    for part, count in (("training", 4), ("evaluation", 3)):
        home = folder / "arc" / part
        home.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            grids = [rng.integers(0, 10, rng.integers(3, 6, 2)) for _ in range(3)]
            pairs = [{"input": grid.tolist(), "output": grid[::-1].tolist()} for grid in grids]
            (home / f"{part}{number}.json").write_text(json.dumps({"train": pairs[:2], "test": pairs[2:]}))
    return ArcConfig(data=str(folder / "arc"), size=6, augmentations=5, seed=seed)


def arc_in_a_folder(folder: Path, seed: int) -> TaskConfig:
    """The same, read from a published dataset folder."""
    config = arc(folder, seed)
    written = folder / f"published-{seed}"
    if not written.exists():
        write_task(written, build_task(config))
    return config.model_copy(update={"data": str(written)})


def text(folder: Path, seed: int) -> TaskConfig:
    path = folder / "text.txt"
    rng = np.random.default_rng(9)
    path.write_text("".join(rng.choice(list("abcdé ☃\n"), 400)), encoding="utf-8")
    return TextConfig(data=str(path), context=12)


def mixture(folder: Path, seed: int) -> TaskConfig:
    """Puzzles of different lengths, one kind of them twice as often."""
    few = f"train_size=20 test_size=12 seed={seed}"
    return MixtureConfig(parts=f"sudoku clues=6 {few}; maze rows=5 cols=5 min_path=4 weight=2 {few}")


CASES: dict[str, Callable[[Path], Subject]] = {
    "sudoku": partial(Subject, sudoku),
    "maze": partial(Subject, maze),
    "light-up": partial(Subject, light_up),
    "futoshiki": partial(Subject, futoshiki),
    "arc": partial(Subject, arc),
    "arc in a folder": partial(Subject, arc_in_a_folder),
    "mixture": partial(Subject, mixture, reads_published=False),
    "text": partial(Subject, text, reads_published=False),
}
PUZZLES = ("sudoku", "maze", "light-up", "futoshiki", "arc", "arc in a folder", "mixture")


@pytest.fixture(scope="module", params=CASES)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=PUZZLES)
def puzzles(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


def named(check: Check) -> str:
    return check.__name__.removeprefix("check_")


BY_NAME = {named(check): check for check in (*CHECKS, *PUZZLE_CHECKS)}


def test_every_registered_task_has_a_case() -> None:
    assert {name.split()[0] for name in CASES} == set(TaskConfig.kinds)


def test_tasks_about_puzzles_go_through_the_puzzle_checks_too(subject: Subject) -> None:
    assert isinstance(subject.task, PuzzleTask) == (subject.config().kind in PUZZLES)


@pytest.mark.parametrize("check", CHECKS, ids=named)
def test_the_contract_of_tasks(subject: Subject, check: Check) -> None:
    check(subject)


@pytest.mark.parametrize("check", PUZZLE_CHECKS, ids=named)
def test_the_contract_of_puzzles(puzzles: Subject, check: Check) -> None:
    check(puzzles)


# --- the contract notices what breaks it ------------------------------------------------------------------


def shuffled(self: SudokuTask, examples: Examples, rng: np.random.Generator) -> Examples:
    order = rng.permutation(self.seq_len)
    return Examples(examples.inputs[:, order], examples.labels[:, order], examples.puzzle_ids)


def by_chance(self: SudokuTask, examples: Examples, rng: np.random.Generator) -> Examples:
    return SudokuTask.augment(self, examples, np.random.default_rng())


def in_place(self: SudokuTask, examples: Examples, rng: np.random.Generator) -> Examples:
    examples.inputs[:] = 1
    return examples


def unforeseeable(self: SudokuTask, rng: np.random.Generator) -> Symmetry:
    return SudokuTask.symmetry(self, np.random.default_rng())


FAULTS: dict[str, tuple[str, object]] = {
    "augmentation_follows_from_the_generator": ("augment", by_chance),
    "labels_solve_their_puzzles": ("augment", shuffled),
    "what_is_given_stands_in_the_answer": ("given", lambda self, puzzle: np.asarray(puzzle) < 4),
    "a_puzzle_is_not_its_own_answer": ("check", lambda self, puzzle, answer: Verdict(True, "fine")),
    "a_line_and_a_drawing_are_read_back": ("line", lambda self, tokens: "." * len(tokens)),
    "nonsense_is_refused_in_a_line_or_two": ("parse", lambda self, text: np.ones(16, np.uint8)),
    "training_and_test_share_no_row": ("test", property(lambda self: self.train)),
    "tokens_are_in_the_vocabulary": ("vocab_size", property(lambda self: 4, lambda self, value: None)),
    "identifiers_have_names": ("identifiers", property(lambda self: ["<blank>", "more"])),
    "faults_are_what_the_checker_refuses": ("faults", lambda self, puzzle, answer: []),
    "another_look_is_the_same_puzzle": ("symmetry", lambda self, rng: relabelling(rng.permutation(16))),
    "looks_follow_from_the_generator": ("symmetry", unforeseeable),
    "the_rules_for_many_agree_with_the_rules_for_one": (
        "solved",
        lambda self, puzzles, answers: np.ones(len(puzzles), np.bool_),
    ),
    "a_grid_has_a_symbol_for_each_position": ("grid", lambda self, tokens: [["12"] * 16]),
}


@pytest.mark.parametrize(("name", "fault"), FAULTS.items(), ids=FAULTS)
def test_a_task_that_breaks_the_contract_is_noticed(
    name: str, fault: tuple[str, object], tmp_path: Path
) -> None:
    broken = type("Broken", (SudokuTask,), dict([fault]))
    subject = CASES["sudoku"](tmp_path)
    subject.__dict__["task"] = broken(subject.config())
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        BY_NAME[name](subject)


def test_rows_changed_by_augmentation_are_noticed(tmp_path: Path) -> None:
    subject = CASES["sudoku"](tmp_path)
    subject.__dict__["task"] = type("Broken", (SudokuTask,), {"augment": in_place})(subject.config())
    with pytest.raises(AssertionError, match="changed the rows that it was given"):
        check_augmentation_follows_from_the_generator(subject)
