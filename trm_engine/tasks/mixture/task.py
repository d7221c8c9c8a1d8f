"""Several kinds of puzzles as one task: each puzzle is asked of the part that it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import ContradictionError, Fault, PuzzleTask, Verdict
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.pairs import read_pairs
from trm_engine.tasks.kit.symmetry import Symmetry
from trm_engine.tasks.mixture.config import MixtureConfig
from trm_engine.tasks.mixture.source import MixedSource, Part, by_weight, of_part, put, side_by_side
from trm_engine.tasks.sources import as_path
from trm_engine.text import one_line

Flags = npt.NDArray[np.bool_]
_AS_IT_IS = Symmetry(lambda tokens: tokens, lambda tokens: tokens)


class MixtureTask(PuzzleTask):
    """Puzzles of several parts, each with tokens and a puzzle identifier of its own."""

    def __init__(self, config: MixtureConfig, progress: Progress = silent) -> None:
        self.seq_len, self.vocab_size = config.seq_len, config.vocab_size
        self._progress = progress
        self._parts: list[Part] = []
        first = 0
        for number, part in enumerate(config.tasks, 1):
            task = build_puzzles(part.task, progress)
            self._parts.append(Part(number, part.name, part.weight, task, first, self.seq_len))
            first += task.vocab_size - 1
        tasks = [part.task for part in self._parts]
        self.palette = {symbol: colour for task in tasks for symbol, colour in task.palette.items()}
        self.judges_all = all(task.judges_all for task in tasks)
        self.several_answers = any(task.several_answers for task in tasks)

    @property
    def num_puzzle_ids(self) -> int:
        """One for each part, and the blank one."""
        return len(self._parts) + 1

    @property
    def identifiers(self) -> list[str]:
        """The names of the parts behind the blank one."""
        return ["<blank>", *self.part_names]

    @property
    def part_names(self) -> list[str]:
        """The names of the parts."""
        return [part.name for part in self._parts]

    @cached_property
    def train(self) -> MixedSource:
        """Puzzles to learn from, each part with its share."""
        return by_weight([(part, part.task.train) for part in self._parts])

    @cached_property
    def test(self) -> MixedSource:
        """Puzzles held out, of all parts in turns."""
        return side_by_side([(part, part.task.test) for part in self._parts])

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data of each part."""
        found: dict[str, str] = {}
        for part in self._parts:
            for name, fact in part.task.facts.items():
                found[name] = "; ".join(filter(None, [found.get(name), f"{part.name}: {fact}"]))
        return found

    @property
    def warnings(self) -> Sequence[str]:
        """What the parts warn of."""
        return [f"{part.name}: {warning}" for part in self._parts for warning in part.task.warnings]

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry of its part."""
        found = Examples(examples.inputs.copy(), examples.labels.copy(), examples.puzzle_ids.copy())
        for part in self._parts:
            here = np.flatnonzero(examples.puzzle_ids == part.number)
            if len(here):
                own = Examples.of(part.own(examples.inputs[here]), part.own(examples.labels[here]))
                put(found, here, part.examples(part.task.augment(own, rng)))
        return found

    def parse(self, text: str) -> Tokens:
        """Return the tokens (L,) of a puzzle of the first part that reads it; raise `UsageError` for none."""
        return self._first(text)[1]

    def parse_answer(self, text: str) -> Tokens:
        """Return the tokens (L,) of an answer, likewise."""
        return self._first(text, answer=True)[1]

    def puzzle_id_of(self, text: str) -> int:
        """Return the identifier of the part that reads a puzzle."""
        return self._first(text)[0]

    def _first(self, text: str, *, answer: bool = False) -> tuple[int, Tokens]:
        """Return the number of the first part that reads a puzzle or an answer, and its tokens (L,)."""
        reasons = []
        contradiction: ContradictionError | None = None
        for part in self._parts:
            try:
                read = part.task.parse_answer if answer else part.task.parse
                return part.number, part.lifted(read(text))
            except ContradictionError as error:  # noqa: PERF203  # a few parts
                contradiction = contradiction or ContradictionError(
                    str(error), part.lifted(error.puzzle), error.faults
                )
            except UsageError as error:
                reasons.append(f"{part.name}: {one_line(str(error))[:80]}")
        if contradiction is not None:
            raise contradiction
        raise UsageError(f"that is no puzzle of any part: {'; '.join(reasons)[:400]}")

    def contradictions(self, puzzle: Tokens) -> Sequence[Fault]:
        """Return rules that a puzzle (L,) breaks by itself."""
        part = self._part_of(puzzle)
        return part.task.contradictions(part.own(puzzle))

    def count_solutions(self, puzzle: Tokens) -> int | None:
        """Return how many right answers a puzzle (L,) has, as its part says."""
        part = self._part_of(puzzle)
        return part.task.count_solutions(part.own(puzzle))

    def unsettled(self, puzzle: Tokens) -> Fault | None:
        """Return why a puzzle (L,) has not exactly one answer, as its part says."""
        part = self._part_of(puzzle)
        return part.task.unsettled(part.own(puzzle))

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Return a grid (L,) of tokens as its part draws it."""
        part = self._part_of(tokens)
        return part.task.render(part.own(np.asarray(tokens)))

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return a grid (L,) of tokens as rows of symbols; positions behind its part's are empty ones."""
        part = self._part_of(tokens)
        rows = part.task.grid(part.own(np.asarray(tokens)))
        behind, width = self.seq_len - part.task.seq_len, len(rows[0])
        return [*rows, *([""] * min(width, behind - first) for first in range(0, behind, width))]

    def given(self, puzzle: Tokens) -> Flags:
        """Return which positions (L,) a puzzle fills in itself; those behind its part's are none to fill."""
        part = self._part_of(puzzle)
        found = np.ones(self.seq_len, np.bool_)
        found[: part.task.seq_len] = part.task.given(part.own(puzzle))
        return found

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Return a grid (L,) of tokens on one line, as its part writes it, with dots for spaces."""
        part = self._part_of(tokens)
        return part.task.line(part.own(np.asarray(tokens))).replace(" ", ".")

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (L,) to a puzzle (L,) by the rules of its part."""
        part = self._part_of(puzzle)
        return part.task.check(part.own(puzzle), part.own(answer))

    def faults(self, puzzle: Tokens, answer: Tokens) -> Sequence[Fault]:
        """Return every rule of its part that an answer (L,) to a puzzle (L,) breaks."""
        part = self._part_of(puzzle)
        return part.task.faults(part.own(puzzle), part.own(answer))

    def solved(self, puzzles: Tokens, answers: Tokens) -> Flags:
        """Tell which answers (N, L) to puzzles (N, L) their parts accept."""
        found = np.zeros(len(puzzles), np.bool_)
        for part, here in self._rows_of_parts(puzzles):
            found[here] = part.task.solved(part.own(puzzles[here]), part.own(answers[here]))
        return found

    def ambiguous(self, puzzles: Tokens) -> Flags | None:
        """Tell which puzzles (N, L) have more than one right answer, where their part can tell."""
        found = np.zeros(len(puzzles), np.bool_)
        told = False
        for part, here in self._rows_of_parts(puzzles):
            some = part.task.ambiguous(part.own(puzzles[here]))
            if some is not None:
                found[here], told = some, True
        return found if told else None

    def symmetry(self, rng: np.random.Generator) -> Symmetry | None:
        """Draw a symmetry of each part: a puzzle, and an answer, takes the one of its own."""
        drawn = {part.number: part.task.symmetry(rng) for part in self._parts}
        views = {number: of_part(self._parts[number - 1], found) for number, found in drawn.items() if found}
        if not views:
            return None

        def view_of(tokens: Tokens) -> Symmetry:
            return views.get(self._part_of(tokens).number, _AS_IT_IS)

        def each(move: Callable[[Tokens], Tokens], tokens: Tokens) -> Tokens:
            rows = np.asarray(tokens).reshape(-1, self.seq_len)
            return np.stack([move(row) for row in rows]).reshape(np.shape(tokens))

        def sources(answer: Tokens) -> npt.NDArray[np.intp]:
            view = view_of(answer)
            return view.places(answer) if view.places else np.arange(self.seq_len)

        return Symmetry(
            lambda tokens: each(lambda row: view_of(row).forward(row), tokens),
            lambda tokens: each(lambda row: view_of(row).back(row), tokens),
            sources,
        )

    def statistics(self, source: Source) -> Mapping[str, float]:
        """Return how many puzzles there are of each part."""
        ids = source.take(slice(0, len(source))).puzzle_ids
        return {f"puzzles of {part.name}": float((ids == part.number).sum()) for part in self._parts}

    def load(self, path: str, *, check_unique: bool = False) -> Examples:
        """Read a list of puzzles with solutions, of any parts; raise `UsageError` where one is not right."""
        inputs, labels, ids = [], [], []
        for pair in read_pairs(as_path(path), "", self._progress):
            with pair.named():
                number, puzzle = self._first(pair.puzzle)
                if not pair.solution:
                    raise UsageError("has no solution; write it beside the puzzle")
                part = self._parts[number - 1]
                answer = part.task.parse_answer(pair.solution)
                verdict = part.task.check(part.own(puzzle), answer)
                if not verdict.solved:
                    raise UsageError(f"the solution breaks the rules: {verdict.reason}")
                if check_unique and part.task.count_solutions(part.own(puzzle)) not in (1, None):
                    raise UsageError("the puzzle has more than one solution")
            inputs.append(puzzle)
            labels.append(part.lifted(answer))
            ids.append(number)
        return Examples(np.stack(inputs), np.stack(labels), np.array(ids, np.int32))

    def _part_of(self, tokens: Sequence[int] | Tokens) -> Part:
        """Return the part that most of the tokens (L,) are of; the first where there is nothing."""
        return max(self._parts, key=lambda part: int(part.count(np.asarray(tokens))))

    def _rows_of_parts(self, puzzles: Tokens) -> list[tuple[Part, npt.NDArray[np.intp]]]:
        """Return the parts of puzzles (N, L), with the rows that are of each."""
        if not len(puzzles):
            return []
        most = np.stack([part.count(puzzles) for part in self._parts]).argmax(0)
        rows = [(part, np.flatnonzero(most == part.number - 1)) for part in self._parts]
        return [(part, here) for part, here in rows if len(here)]
