import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trm_engine.errors import UsageError
from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists import lines
from trm_engine.tasks.sudoku.lists.files import read_list
from trm_engine.tasks.sudoku.lists.sample import Sample
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.text import safe_text

FOUR = Geometry(2, 2)
FIRST, FIRST_SOLVED = "1234.31...4..42.", "1234431221433421"
SECOND, SECOND_SOLVED = "..1.1..3.1.44..1", "3412124321344321"


def text_of(digits):
    return ["".join(str(d) for d in row) for row in digits]


def write(tmp_path, content, name="list.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


SOUND = {
    "one a line": f"{FIRST}\n{SECOND}\n",
    "no end of line": f"{FIRST}\n{SECOND}",
    "zeros for blanks": f"{FIRST.replace('.', '0')}\n{SECOND.replace('.', '0')}\n",
    "comments and blank lines": f"# two puzzles\n\n{FIRST}\n   \n# the second\n{SECOND}\n",
    "Windows line ends": f"{FIRST}\r\n{SECOND}\r\n",
    "byte order mark": b"\xef\xbb\xbf" + f"{FIRST}\n{SECOND}\n".encode(),
    "solutions after a space": f"{FIRST} {FIRST_SOLVED}\n{SECOND} {SECOND_SOLVED}\n",
    "solutions after a tab": f"{FIRST}\t{FIRST_SOLVED}\n{SECOND}\t{SECOND_SOLVED}\n",
    "solutions after a comma": f"{FIRST},{FIRST_SOLVED}\n{SECOND}, {SECOND_SOLVED}\n",
    "solutions after a semicolon": f"{FIRST};{FIRST_SOLVED}\n{SECOND} ; {SECOND_SOLVED}\n",
    "one with, one without": f"{FIRST},{FIRST_SOLVED}\n{SECOND},\n",
    "CSV": f"puzzle,solution\n{FIRST},{FIRST_SOLVED}\n{SECOND},{SECOND_SOLVED}\n",
    "CSV in the other order": f"Solutions,Quizzes\n{FIRST_SOLVED},{FIRST}\n{SECOND_SOLVED},{SECOND}\n",
    "CSV of the Hub": f"source,question,answer,rating\na,{FIRST},{FIRST_SOLVED},3\nb,{SECOND},,0",
    "CSV without solutions": f"id,puzzle\n1,{FIRST}\n2,{SECOND}\n",
    "CSV with quotes": f'"puzzle","solution"\n"{FIRST}","{FIRST_SOLVED}"\n"{SECOND}",""\n',
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_sound_list_is_read(tmp_path, content):
    puzzles = read_list(FOUR, write(tmp_path, content))
    assert text_of(puzzles.clues) == [FIRST.replace(".", "0"), SECOND.replace(".", "0")]
    assert text_of(puzzles.solutions) == [FIRST_SOLVED, SECOND_SOLVED]


FAULTY = {
    "nothing": ("", "holds no puzzles"),
    "comments only": ("# none\n\n", "holds no puzzles"),
    "too short": (f"{FIRST}\n{FIRST[:-1]}\n", "line 2: the puzzle has 15 cells; a 4×4 grid has 16"),
    "too long": (f"{FIRST}1\n", "line 1: the puzzle has 17 cells"),
    "another size": ("." * 81, "line 1: the puzzle has 81 cells"),
    "a symbol": (f"\n# x\n{FIRST[:-1]}7\n", 'line 3: cell 16 of the puzzle is "7"; a cell is one of 1234'),
    "a wide symbol": (f"{FIRST[:-1]}é\n", 'line 1: cell 16 of the puzzle is "é"'),
    "a control symbol": (f"{FIRST[:-1]}\x1b\n", 'line 1: cell 16 of the puzzle is ""'),
    "bytes that are no text": (FIRST[:-1].encode() + b"\xff\n", "line 1: cell 16 of the puzzle is"),
    "prose": ("First Citizen:\n", 'line 1: "First" is not a puzzle'),
    "an unknown header and nothing below": ("id,grille\n", 'nor does the line name a column "puzzle"'),
    "a repeat in a row": (
        "11..............",
        "line 1: the puzzle has no solution: 1 appears 2 times in row 1",
    ),
    "a repeat in a column": ("1...1...........", "1 appears 2 times in column 1"),
    "a repeat in a box": ("1....1..........", "1 appears 2 times in box 1"),
    "no solution": ("123....4........", "line 1: the puzzle has no solution"),
    "many solutions": (f"{FIRST}\n1...............\n", "line 2: the puzzle has more than one solution"),
    "a short solution": (f"{FIRST} {FIRST_SOLVED[1:]}\n", "line 1: the solution has 15 cells"),
    "a short puzzle": (f"{FIRST[1:]} {FIRST_SOLVED}\n", "line 1: the puzzle has 15 cells"),
    "a short puzzle and a number": (f"{FIRST[1:]} 1\n", "line 1: the puzzle has 15 cells"),
    "a solution with a blank": (
        f"{FIRST} .{FIRST_SOLVED[1:]}\n",
        "the solution is incomplete: row 1, column 1",
    ),
    "another solution": (f"{FIRST} {SECOND_SOLVED}\n", "has 3 at row 1, column 1 where the puzzle has 1"),
    "a wrong solution": (
        f"{'.' * 16} {'1234' * 4}\n",
        "the solution breaks the rules: 1 appears 4 times in column 1",
    ),
    "three grids": (f"{FIRST} {FIRST_SOLVED} {FIRST}\n", "line 1: holds 3 grids: give the columns a header"),
    "a CSV row without the column": (f"id,puzzle\n1,{FIRST}\n2\n", "line 3: has 1 columns"),
    "an open quote": (f'id,puzzle\n1,{FIRST}\n2,"' + (FIRST + "\n") * 9000, "is not valid CSV"),
    "an endless line": ("." * 100_000, "line 1: is longer than 4096 bytes"),
}


@pytest.mark.parametrize(("content", "words"), FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_list_is_refused_with_file_line_and_reason(tmp_path, content, words):
    path = write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_list(FOUR, path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert words in message
    assert "\x1b" not in message


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([FIRST, FIRST_SOLVED, SECOND, "puzzle", "question", ",", " ", "\n", '"', "#", "\0"])
        | st.text(max_size=3)
        | st.text("1234.", min_size=16, max_size=16),
        max_size=12,
    )
)
def test_any_file_is_read_or_refused_in_a_word(tmp_path, parts):
    path = write(tmp_path, "".join(parts).encode("utf-8", "surrogatepass"))
    try:
        puzzles = read_list(FOUR, path)
    except UsageError as error:
        refused = str(error)
    else:
        refused = ""
        assert first_fault(FOUR, puzzles.clues, puzzles.solutions) is None
        assert puzzles.solutions.all()
    assert refused == safe_text(refused)
    assert len(refused) < len(str(path)) + 200


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_list(FOUR, tmp_path / "none.txt")


def test_given_solutions_are_believed_unless_uniqueness_is_asked_for(tmp_path):
    path = write(tmp_path, f"{FIRST}\n{'.' * 16} {FIRST_SOLVED}\n")
    assert len(read_list(FOUR, path)) == 2
    with pytest.raises(UsageError, match="line 2: the puzzle has more than one solution"):
        read_list(FOUR, path, check_unique=True)


def test_a_puzzle_that_search_cannot_settle_is_refused(tmp_path):
    nasty = ".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4........."
    with pytest.raises(UsageError, match="line 1: the puzzle is too hard to solve by search"):
        read_list(Geometry(3, 3), write(tmp_path, nasty), effort=50)


@pytest.fixture
def long_list(tmp_path):
    puzzles = generate(FOUR, 300, ClueRange(8, 0), np.random.default_rng(0)).puzzles
    return puzzles, write(tmp_path, "\n".join(text_of(puzzles.clues)))


def positions(puzzles, chosen):
    """Return where each chosen puzzle first stands in the list."""
    texts = text_of(puzzles.clues)
    return [texts.index(text) for text in text_of(chosen.clues)]


def test_a_choice_is_of_the_size_asked_for_and_the_seed_decides_it(long_list):
    puzzles, path = long_list
    chosen = [read_list(FOUR, path, limit=40, seed=seed) for seed in (1, 1, 2)]
    assert [len(part) for part in chosen] == [40, 40, 40]
    assert text_of(chosen[0].clues) == text_of(chosen[1].clues) != text_of(chosen[2].clues)
    assert set(text_of(chosen[0].clues)) <= set(text_of(puzzles.clues))


def test_a_limit_above_the_length_takes_everything_in_order(long_list):
    puzzles, path = long_list
    assert text_of(read_list(FOUR, path, limit=1000).clues) == text_of(puzzles.clues)


def test_reading_in_chunks_changes_nothing(long_list):
    puzzles, path = long_list
    read = read_list(FOUR, path, rows_at_once=7)
    assert text_of(read.clues) == text_of(puzzles.clues)
    assert text_of(read.solutions) == text_of(puzzles.solutions)


def test_a_fault_is_found_whether_or_not_the_line_is_chosen(long_list):
    _, path = long_list
    path.write_text(path.read_text() + "\n11..............\n")
    with pytest.raises(UsageError, match="line 301"):
        read_list(FOUR, path, limit=1)


def test_progress_is_reported_in_bytes(long_list, monkeypatch):
    _, path = long_list
    monkeypatch.setattr(lines, "_BOUNDS", lines._BOUNDS._replace(report_every=100))
    calls = []
    read_list(FOUR, path, progress=lambda *call: calls.append(call))
    reading = [call for call in calls if call[0] == "reading list.txt"]
    assert reading[-1] == ("reading list.txt", path.stat().st_size, path.stat().st_size)


def test_every_row_is_equally_likely_to_be_chosen_and_stays_in_order():
    rows = np.arange(60)
    times = np.zeros(60)
    for seed in range(400):
        sample = Sample(6, np.random.default_rng(seed))
        for chunk in np.split(rows, 12):
            sample.add(Puzzles(chunk[:, None].astype(np.uint8), chunk[:, None].astype(np.uint8)), chunk)
        puzzles, chosen = sample.chosen()
        assert len(chosen) == 6
        assert chosen.tolist() == sorted(chosen) == puzzles.clues[:, 0].tolist()
        times[chosen] += 1
    assert 20 <= times.min() <= times.max() <= 62


def test_a_choice_holds_at_most_twice_its_size_and_a_chunk():
    sample = Sample(10, np.random.default_rng(0))
    for start in range(0, 5000, 50):
        chunk = np.arange(start, start + 50)
        sample.add(Puzzles(chunk[:, None].astype(np.uint8), chunk[:, None].astype(np.uint8)), chunk)
        assert sum(len(kept[2]) for kept in sample._kept) <= 2 * 10
    assert sample.total == 5000
