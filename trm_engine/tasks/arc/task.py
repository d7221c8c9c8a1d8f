"""ARC-AGI as a task to learn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.remedies import Advice
from trm_engine.tasks.arc.augment import image, preimage, turned, turned_back
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.data import ArcData, Query, build_data, load_tests
from trm_engine.tasks.arc.folder import build_from_folder, folder_of, load_folder
from trm_engine.tasks.arc.grids import Grid, Puzzle, as_json
from trm_engine.tasks.arc.identifiers import Identifiers, names_of
from trm_engine.tasks.arc.source import Images
from trm_engine.tasks.arc.text import (
    FIRST_COLOUR,
    PALETTE,
    lines,
    parse_grid,
    shift,
    symbols,
    to_grid,
    to_tokens,
)
from trm_engine.tasks.base import PuzzleTask, Verdict
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.symmetry import Sources, Symmetry
from trm_engine.text import nearest, safe_text

_NAMED = re.compile(r"task:([^\s#]+)(?:#([0-9]{1,3}))?\s*(.*)", re.DOTALL)


class _Asked(NamedTuple):
    """A question as a person wrote it: a task and one of its test inputs, or a grid, or a grid to a task."""

    place: int | None
    grid: Grid


class ArcTask(PuzzleTask):
    """Answer test inputs by the rule that a task's demonstrations show.

    The rule reaches the model through the puzzle embedding of the task, so a question is a grid together with
    a puzzle identifier. The tasks are read when they are first needed.
    """

    palette = PALETTE

    judges_all = False

    def __init__(self, config: ArcConfig, progress: Progress = silent) -> None:
        self._config = config
        self._progress = progress
        self.vocab_size = config.vocab_size
        self.seq_len = config.seq_len

    @cached_property
    def _data(self) -> ArcData:
        folder = folder_of(self._config.data)
        if folder is not None:
            return build_from_folder(self._config, folder, self._progress)
        return build_data(self._config, self._progress)

    @property
    def num_puzzle_ids(self) -> int:
        """The blank identifier, the tasks and all their images."""
        return len(self._data.records)

    @property
    def identifiers(self) -> Sequence[str]:
        """Names of the identifiers, as the published builder writes them: task|||symmetry|||colours."""
        return list(names_of(self._named))

    @property
    def _named(self) -> Identifiers:
        data = self._data
        return Identifiers([puzzle.name for puzzle in data.puzzles], data.first_id, data.records)

    @property
    def test_puzzles(self) -> dict[str, object]:
        """The held-out tasks as JSON, by name."""
        held_out = {query.task for query in self.queries}
        return {puzzle.name: as_json(puzzle) for puzzle in self._data.puzzles if puzzle.name in held_out}

    @property
    def train(self) -> Source:
        """Demonstrations of all tasks and test pairs of the training tasks, under all their images."""
        return self._data.train

    @property
    def test(self) -> Source:
        """Test inputs of the held-out tasks, as they are, where their outputs are known."""
        return self._data.test

    @property
    def queries(self) -> Sequence[Query]:
        """All test inputs of the held-out tasks."""
        return self._data.queries

    @property
    def too_large(self) -> Mapping[str, int]:
        """Held-out tasks that the canvas has no room for: how many test inputs each has, by name."""
        return self._data.too_large

    @property
    def warnings(self) -> list[str]:
        """That there is nothing to measure, where no held-out input has a known output."""
        if len(self.test):
            return []
        return [f"no held-out input has a known output: nothing is measured; {Advice.VOTE}"]

    def ballots(self, images: int) -> Images:
        """Return the rows to ask for votes: each query under at most `images` images, the first as it is.

        Block i of the rows (their `bounds`) belongs to query i.
        """
        return self._data.of_queries(images)

    def restore(self, answer: Tokens, puzzle_id: int) -> Grid:
        """Return the answer (L,) to an image as a grid of the original: cropped, turned and coloured back."""
        return preimage(to_grid(answer, self._config.size), self._data.records[puzzle_id])

    def image(self, puzzle_id: int, number: int) -> tuple[int, Symmetry] | None:
        """Return the `number`-th image, from 1, of the task that an identifier stands for.

        They are those that voting asks for, in its order. None where the task has no more, or is not known.
        """
        first_id, records, size = self._data.first_id, self._data.records, self._config.size
        place = int(np.searchsorted(np.array(first_id), puzzle_id, side="right")) - 1
        if not 0 <= place < len(first_id) - 1 or first_id[place] + number >= first_id[place + 1]:
            return None
        asked, shown = records[puzzle_id], records[first_id[place] + number]

        def forward(tokens: Tokens) -> Tokens:
            return to_tokens(image(preimage(to_grid(tokens, size), asked), shown), size)

        def back(tokens: Tokens) -> Tokens:
            return to_tokens(image(preimage(to_grid(tokens, size), shown), asked), size)

        def places(tokens: Tokens) -> Sources:
            rows, columns = to_grid(tokens, size).shape
            number_of = np.arange(size**2).reshape(size, size)
            home = turned(turned_back(number_of[:rows, :columns], shown), int(asked[0]))
            found = number_of.copy()
            found[: home.shape[0], : home.shape[1]] = home
            return found.reshape(-1)

        return first_id[place] + number, Symmetry(forward, back, places)

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: `source`, `training`, `test`, `unseen`."""
        return dict(self._data.facts)

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Shift each pair on its canvas, input and output alike.

        Of a task's n pairs one stays where it is in the published data set, so here a pair stays with
        probability 1/n. (There the shifts are drawn once for each image; here anew whenever it is taken.)
        """
        size, data = self._config.size, self._data
        place = np.searchsorted(np.array(data.first_id), examples.puzzle_ids, side="right") - 1
        stays = rng.random(len(examples)) * np.array(data.lessons)[place] < 1
        inputs, labels = examples.inputs.copy(), examples.labels.copy()
        # Grids stand in the corner, so how far colours reach is how large the larger grid is.
        coloured = (np.maximum(inputs, labels) >= FIRST_COLOUR).reshape(-1, size, size)
        room_down = size - coloured.any(axis=2).sum(axis=1)
        room_right = size - coloured.any(axis=1).sum(axis=1)
        down, right = rng.integers(0, room_down + 1), rng.integers(0, room_right + 1)
        for row in np.flatnonzero(~stays):
            by = int(down[row]), int(right[row])
            inputs[row], labels[row] = shift(inputs[row], size, *by), shift(labels[row], size, *by)
        return Examples(inputs, labels, examples.puzzle_ids)

    # --- tasks by name and by content ---------------------------------------------------------------------

    def task_json(self, name: str) -> dict[str, object] | None:
        """Return a task as JSON; None where the data has none of that name."""
        place = self._data.places.get(name)
        return None if place is None else dict(as_json(self._data.puzzles[place]))

    def name_of(self, puzzle: Puzzle) -> str | None:
        """Return the name under which the data has a task with the same demonstrations, if it has."""
        shown = _demonstrations(puzzle)
        return next((one.name for one in self._data.puzzles if _demonstrations(one) == shown), None)

    # --- puzzles as text ----------------------------------------------------------------------------------

    def parse(self, text: str) -> Tokens:
        """Return the tokens (L,) of a question; raise `UsageError` when it is none.

        `012/340` is a grid by rows (a JSON list of lists will do as well). `task:0a1d4ef5#2` is the second
        test input of that task, `task:0a1d4ef5 012/340` another grid to its rule.
        """
        return to_tokens(self._asked(text).grid, self._config.size)

    def puzzle_id_of(self, text: str) -> int:
        """Return the identifier of the task that a question names; 0 when it names none."""
        place = self._asked(text).place
        return 0 if place is None else self._data.first_id[place]

    def _asked(self, text: str) -> _Asked:
        named = _NAMED.fullmatch(text.strip())
        if not named:
            return _Asked(None, parse_grid(text, self._config.size))
        name, number, rest = named.groups()
        place = self._data.places.get(name)
        if place is None:
            near = nearest(name[:80], [puzzle.name for puzzle in self._data.puzzles])
            hint = f' Did you mean "{near}"?' if near else ""
            raise UsageError(f'{safe_text(self._config.data)} has no task "{safe_text(name[:80])}".{hint}')
        if rest:
            return _Asked(place, parse_grid(rest, self._config.size))
        tests = self._data.puzzles[place].test
        which = int(number or 1)
        if not tests:
            raise UsageError(
                f"all pairs of task {name} are trained on: ask for a grid of your own, task:{name} 012/340"
            )
        if not 1 <= which <= len(tests):
            raise UsageError(f"task {name} has {len(tests)} test inputs: name it as task:{name}#1")
        return _Asked(place, tests[which - 1].input)

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Write the grid that tokens (L,) mean as rows of digits."""
        return "\n".join(lines(tokens, self._config.size))

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return the canvas (L,) as rows of digits; ends of grid and padding are empty."""
        return symbols(tokens, self._config.size)

    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return that no position (L,) of the answer is given: it is another grid than the question."""
        return np.zeros(len(puzzle), np.bool_)

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Write the grid that tokens (L,) mean as rows of digits with `/` between them."""
        return "/".join(lines(tokens, self._config.size))

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Compare an answer (L,) with the known output where the puzzle is a test input of the data.

        Nobody wrote down the rules of ARC tasks: an answer to any other grid cannot be judged, and counts as
        not solved.
        """
        size = self._config.size
        found, asked = to_grid(answer, size), to_grid(puzzle, size)
        outputs = self._known.get((asked.shape, asked.tobytes()), [])
        if not outputs:
            return Verdict(False, "no solution is known and no rule is written down: it cannot be judged")
        if any(np.array_equal(found, output) for output in outputs):
            return Verdict(True, "this is the known solution")
        (rows, columns), wanted = found.shape, outputs[0]
        if found.shape != wanted.shape:
            wants = f"{wanted.shape[0]}×{wanted.shape[1]}"
            return Verdict(False, f"a grid of {rows}×{columns}; the known solution has {wants}")
        wrong = int((found != wanted).sum())
        return Verdict(False, f"{wrong} of {wanted.size} cells differ from the known solution")

    @cached_property
    def _known(self) -> dict[tuple[tuple[int, ...], bytes], list[Grid]]:
        """Outputs of all test inputs, by input."""
        known: dict[tuple[tuple[int, ...], bytes], list[Grid]] = {}
        for pair in (pair for puzzle in self._data.puzzles for pair in puzzle.test):
            if pair.output is not None:
                known.setdefault((pair.input.shape, pair.input.tobytes()), []).append(pair.output)
        return known

    def load(self, path: str, *, check_unique: bool = False) -> Source:
        """Read the test pairs of tasks (as in `data`), or a list of pairs, a pair a line.

        Of a dataset folder the test part is read, where it has two, and the images are left out.

        Tasks keep the identifiers that they have in this task's own data; others, and pairs of a list, have
        none. Raises `UsageError` when the data is not sound, and for `check_unique`: no rule tells how many
        answers a question has.
        """
        if check_unique:
            raise UsageError("ARC tasks have no rule by which an answer could be proved to be the only one")
        folder = folder_of(path)
        if folder is not None:
            return load_folder(folder, self._config.size, self._named, self._progress)
        return load_tests(path, self._data)


def _demonstrations(puzzle: Puzzle) -> set[tuple[object, ...]]:
    """Return a task's training pairs in a form that can be compared, whatever their order."""
    grids = ((pair.input, pair.output) for pair in puzzle.train)
    return {
        (given.shape, given.tobytes(), None if out is None else (out.shape, out.tobytes()))
        for given, out in grids
    }
