"""Long lists: read as a table, kept in files, and the same puzzles as a reader of single lines finds."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from trm_engine.errors import ResourceError, UsageError
from trm_engine.progress import silent
from trm_engine.tasks import subset
from trm_engine.tasks.puzzle_lists.files import ListFile
from trm_engine.tasks.puzzle_lists.lines import Place
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.data import load_examples
from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists import files, prepared, table
from trm_engine.tasks.sudoku.lists.files import read_list
from trm_engine.tasks.sudoku.lists.prepared import PreparedList, is_long, prepared_sha256
from trm_engine.tasks.sudoku.lists.sample import Sample, sample_rows
from trm_engine.tasks.sudoku.lists.symbols import Symbols
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes
from trm_engine.tasks.sudoku.task import SudokuTask

FOUR = Geometry(2, 2)
COUNT = 500


@pytest.fixture(scope="module")
def puzzles():
    found = generate(FOUR, 2 * COUNT, ClueRange(4, 10), np.random.default_rng(0), silent).puzzles
    return found.take(slice(0, COUNT))


def text_of(grid, blank):
    return "".join(blank if digit == 0 else str(digit) for digit in grid)


def rows_of(puzzles, ending="\n"):
    """Return rows in the layout of the Hub: source, question, answer, rating."""
    return [
        f"set{number % 3},{text_of(clues, '.')},{text_of(solution, '?')},{number % 50}{ending}"
        for number, (clues, solution) in enumerate(zip(puzzles.clues, puzzles.solutions, strict=True))
    ]


HEADER = "source,question,answer,rating\n"


@pytest.fixture
def long_list(tmp_path, monkeypatch, puzzles):
    """A list that counts as long, in the Hub's layout, and a cache of its own."""
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(prepared, "LONG_BYTES", 100)
    monkeypatch.setattr(table, "_BLOCK_BYTES", 2000)
    path = tmp_path / "test.csv"
    path.write_text(HEADER + "".join(rows_of(puzzles)))
    return path


def same(examples, puzzles):
    return (examples.inputs == puzzles.clues + 1).all() and (examples.labels == puzzles.solutions + 1).all()


def read_by_line(path, monkeypatch):
    """Read a list without the table."""
    with monkeypatch.context() as patch:

        def nothing(_geometry, _path, header, _progress):
            yield from ()
            return header.end

        patch.setattr(files, "read_table", nothing)
        return read_list(FOUR, path)


LAYOUTS = {
    "regular": lambda rows: HEADER + "".join(rows),
    "no last line end": lambda rows: HEADER + "".join(rows)[:-1],
    "Windows line ends": lambda rows: (HEADER + "".join(rows)).replace("\n", "\r\n"),
    "a blank line": lambda rows: HEADER + "".join([*rows[:300], "\n", *rows[300:]]),
    "a comment": lambda rows: "# first\n" + HEADER + "".join([*rows[:450], "# here,a,b,c\n", *rows[450:]]),
    "quotes": lambda rows: HEADER + "".join([*rows[:-1], rows[-1].replace("set", '"a, b"')]),
    "spaces": lambda rows: HEADER + "".join([*rows[:400], *(row.replace(",", " , ") for row in rows[400:])]),
    "answer last": lambda rows: (
        "question,answer\n" + "".join(",".join(row.split(",")[1:3]) + "\n" for row in rows)
    ),
    "question only, then both": lambda rows: (
        "answer,question\n" + "".join(",".join(row.split(",")[2:0:-1]) + "\r\n" for row in rows)
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_the_table_reads_what_the_lines_say(tmp_path, monkeypatch, puzzles, layout):
    monkeypatch.setattr(table, "_BLOCK_BYTES", 2000)
    path = tmp_path / "list.csv"
    path.write_bytes(layout(rows_of(puzzles)).encode())
    read, by_line = read_list(FOUR, path), read_by_line(path, monkeypatch)
    assert (read.clues == puzzles.clues).all()
    assert (read.clues == by_line.clues).all()
    assert (read.solutions == by_line.solutions).all()


def test_regular_rows_are_all_read_by_the_table(long_list):
    file = ListFile(long_list, "test.csv")
    header = files.read_header(file)
    ends = []

    def read():
        ends.append((yield from table.read_table(Symbols(FOUR), file, header, silent)))

    chunks = list(read())
    assert len(chunks) > 5
    assert np.concatenate([lines for _, lines in chunks]).tolist() == list(range(2, COUNT + 2))
    assert ends == [Place(long_list.stat().st_size, COUNT + 1)]


FAULTS = {
    "a symbol": (lambda row: row.replace(".", "z", 1), 'cell .* of the puzzle is "z"'),
    "a short puzzle": (lambda row: row.replace(".", "", 1), "the puzzle has 15 cells"),
    "a lost column": (lambda row: "1,2\n", "has 2 columns"),
    "a wrong solution": (lambda row: ",".join(["s", "." * 16, "1234" * 4, "1\n"]), "breaks the rules"),
    "an endless source": (lambda row: "s" * 5000 + row, "is longer than 4096 bytes"),
    "cut off": (lambda row: row[:12], "columns"),
}


@pytest.mark.parametrize(("damage", "words"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("at", [0, 317, COUNT - 1])
def test_a_fault_anywhere_names_file_and_line(long_list, puzzles, damage, words, at):
    rows = rows_of(puzzles)
    rows[at] = damage(rows[at])
    if damage(rows[0]).endswith("\n") or at == COUNT - 1:
        long_list.write_text(HEADER + "".join(rows))
    else:
        long_list.write_text(HEADER + "".join(rows[: at + 1]))
    with pytest.raises(UsageError, match=rf"test\.csv, line {at + 2}: .*{words}"):
        load_examples(FOUR, long_list, split="test")


def test_a_long_list_stays_in_files(long_list, puzzles):
    examples = load_examples(FOUR, long_list, split="test")
    assert isinstance(examples, PreparedList)
    assert examples.streamed
    assert len(examples) == COUNT
    assert same(examples.take(slice(None)), puzzles)
    assert prepared_sha256(FOUR, long_list) == examples.sha256


def test_a_long_list_is_read_once(long_list, monkeypatch):
    load_examples(FOUR, long_list, split="test")
    monkeypatch.setattr(prepared, "read_chunks", None)
    assert len(load_examples(FOUR, long_list, split="test")) == COUNT


def test_a_list_that_has_changed_is_read_again(long_list, puzzles):
    load_examples(FOUR, long_list, split="test")
    long_list.write_text(HEADER + "".join(rows_of(puzzles)[:-1]))
    assert prepared_sha256(FOUR, long_list) is None
    assert len(load_examples(FOUR, long_list, split="test")) == COUNT - 1


def damage_byte(path):
    with path.open("r+b") as file:
        file.seek(77)
        file.write(b"\x09")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("inputs.u8", damage_byte),
        ("labels.u8", lambda path: os.truncate(path, 100)),
        ("about.json", lambda path: path.write_text("{")),
        ("about.json", lambda path: path.unlink()),
        ("hashes.u64", lambda path: path.write_bytes(b"nothing")),
        ("hashes.u64", damage_byte),
    ],
)
def test_a_damaged_cache_is_made_anew(long_list, puzzles, name, damage):
    examples = load_examples(FOUR, long_list, split="test")
    hashes = examples.hashes(FOUR, silent)
    damage(examples.folder / name)
    again = load_examples(FOUR, long_list, split="test")
    assert same(again.take(slice(None)), puzzles)
    assert (again.hashes(FOUR, silent) == hashes).all()


def test_hashes_are_those_of_the_puzzles_and_are_kept(long_list, puzzles, monkeypatch):
    examples = load_examples(FOUR, long_list, split="test")
    hashes = examples.hashes(FOUR, silent)
    assert (hashes == symmetry_hashes(FOUR, puzzles.clues, puzzles.solutions)).all()
    monkeypatch.setattr(prepared, "symmetry_hashes", None)
    assert (examples.hashes(FOUR, silent) == hashes).all()


def test_a_choice_is_the_same_puzzles_in_memory_as_from_a_short_list(long_list, monkeypatch):
    chosen = load_examples(FOUR, long_list, split="train", limit=50, seed=3)
    assert not chosen.streamed
    assert same(chosen, read_list(FOUR, long_list, limit=50, seed=3))


def test_sampled_rows_are_those_that_a_sample_keeps(puzzles):
    for limit in (1, 7, 499, 500):
        sample = Sample(limit, np.random.default_rng(5))
        for start in range(0, COUNT, 11):
            part = puzzles.take(slice(start, start + 11))
            sample.add(part, np.arange(start, start + len(part)))
        assert sample.chosen()[1].tolist() == sample_rows(COUNT, limit, np.random.default_rng(5)).tolist()


def test_a_training_list_too_large_to_hold_is_streamed(long_list, monkeypatch, puzzles):
    monkeypatch.setattr(subset, "IN_MEMORY_BYTES", 100)
    examples = load_examples(FOUR, long_list, split="train", limit=400, seed=1)
    assert examples.streamed
    assert same(examples.take(slice(None)), read_list(FOUR, long_list, limit=400, seed=1))


def test_streamed_and_held_data_are_the_same_task(long_list, tmp_path, monkeypatch, puzzles):
    tests = tmp_path / "held.csv"
    tests.write_text(HEADER + "".join(rows_of(puzzles.take(slice(400, 500)))))

    def build():
        return SudokuTask(SudokuConfig(data=str(long_list), test_data=str(tests), train_size=10**6))

    held = build()
    assert not held.train.streamed
    monkeypatch.setattr(subset, "IN_MEMORY_BYTES", 100)
    streamed = build()
    assert streamed.train.streamed
    assert len(held.train) == len(streamed.train) > 100
    assert (held.train.inputs == streamed.train.take(slice(None)).inputs).all()
    assert held.facts == streamed.facts


def test_a_list_without_all_solutions_is_solved_in_memory(long_list, puzzles):
    rows = rows_of(Puzzles(puzzles.solutions, puzzles.solutions))[:300]
    fields = rows[-1].split(",")
    rows[-1] = ",".join([*fields[:2], "", *fields[3:]])
    long_list.write_text(HEADER + "".join(rows))
    examples = load_examples(FOUR, long_list, split="test")
    assert not examples.streamed
    assert (examples.labels == puzzles.solutions[:300] + 1).all()


def test_a_short_list_is_not_prepared(tmp_path, puzzles):
    path = tmp_path / "short.csv"
    path.write_text(HEADER + "".join(rows_of(puzzles)))
    assert not is_long(path)
    assert not load_examples(FOUR, path, split="test").streamed


def test_a_folder_in_the_layout_of_the_hub_gives_both_splits(long_list, puzzles):
    (long_list.parent / "train.csv").write_text(HEADER + "".join(rows_of(puzzles)[:200]))
    long_list.write_text(HEADER + "".join(rows_of(puzzles)[200:]))
    task = SudokuTask(SudokuConfig(data=str(long_list.parent), test_size=10**6))
    assert len(task.test) == COUNT - 200
    assert len(task.train) <= 200
    assert "test.csv" in task.facts["source"]


def test_a_cache_without_room_is_named(long_list, monkeypatch):
    full = prepared.shutil._ntuple_diskusage(10**9, 10**9, 5)
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _path: full)
    with pytest.raises(ResourceError, match=r"has 5 B free; let TRM_CACHE_DIR name another folder"):
        load_examples(FOUR, long_list, split="test")


def test_a_cache_that_cannot_be_written_is_named(long_list, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(
        ResourceError, match=r"cannot be prepared in .*; free some room, or let TRM_CACHE_DIR"
    ):
        load_examples(FOUR, long_list, split="test")


def test_what_the_cache_says_of_itself_is_plain_text(long_list):
    examples = load_examples(FOUR, long_list, split="test")
    about = json.loads((examples.folder / "about.json").read_text())
    assert (about["rows"], about["size"]) == (COUNT, long_list.stat().st_size)
