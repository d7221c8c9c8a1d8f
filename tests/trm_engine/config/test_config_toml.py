"""TOML goes out complete and comes back equal; what is not TOML is refused in one line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from trm_engine.config import Config, FieldInfo, Value, describe, dumps, flatten, list_presets, load, loads
from trm_engine.config.build import check
from trm_engine.config.toml import MAX_BYTES
from trm_engine.errors import ConfigError
from trm_engine.tasks.sudoku.config import SudokuConfig

TASK = '[task]\nkind = "sudoku"\n'
FIELDS = describe(SudokuConfig)


def values(info: FieldInfo) -> st.SearchStrategy[Value]:
    if info.choices:
        # Other tests may register tasks of their own.
        return st.sampled_from(info.choices) if info.key != "task.kind" else st.just("sudoku")
    if info.type_name == "bool":
        return st.booleans()
    if info.type_name == "int":
        low, high = int(info.minimum or 0), int(info.maximum or 0)
        return st.integers(low, min(low + 20, high)) | st.integers(low, high)
    if info.type_name == "float":
        return st.floats(
            info.minimum,
            info.maximum,
            exclude_min=info.above_minimum,
            exclude_max=info.below_maximum,
            allow_infinity=False,
        )
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=min(info.max_length or 0, 60))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    data: dict[str, object] = {"task": {"kind": "sudoku"}}
    for info in draw(st.lists(st.sampled_from(FIELDS), max_size=12, unique=True)):
        holder = data.setdefault(info.section, {}) if info.section else data
        assert isinstance(holder, dict)
        holder[info.name] = draw(values(info))
    config, found = check(data)
    assume(not found)
    return config


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(configs(), st.booleans())
def test_reading_back_what_was_written_gives_an_equal_configuration(
    config: Config, only_changed: bool
) -> None:
    assert loads(dumps(config, only_changed=only_changed), "written") == config


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_in_a_title(title: str) -> None:
    config = Config(title=title[:200], task=SudokuConfig())
    assert loads(dumps(config), "written").title == title[:200]


def test_everything_is_written_out_in_order_with_title_first() -> None:
    lines = dumps(Config(title="T", task=SudokuConfig())).splitlines()
    written = [line.partition(" = ")[0] for line in lines if line and not line.startswith(("#", "["))]
    assert written == [info.name for info in FIELDS]
    assert [line for line in lines if line.startswith("[")] == [
        "[task]", "[model]", "[train]", "[eval]", "[checkpoint]", "[memory]", "[runtime]", "[track]",
    ]  # fmt: skip


def test_each_field_stands_under_its_help_range_and_default() -> None:
    text = dumps(Config(task=SudokuConfig()))
    assert ("# Peak learning rate. (a number above 0, at most 10; default 0.002)\nlr = 0.002\n") in text


def test_comments_are_wrapped() -> None:
    lines = dumps(Config(task=SudokuConfig())).splitlines()
    assert max(len(line) for line in lines if line.startswith("#")) <= 110


def test_only_changes_are_written_when_asked() -> None:
    config = loads(TASK + "[train]\nlr = 1e-3\nsteps = 3000\n", "x")
    text = dumps(config, only_changed=True)
    keys = [
        line.partition(" = ")[0] for line in text.splitlines() if " = " in line and not line.startswith("#")
    ]
    assert keys == ["kind", "lr"]
    assert "[model]" not in text


def test_what_the_comments_say_does_not_matter_when_reading() -> None:
    text = dumps(Config(task=SudokuConfig()))
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert loads(bare, "x") == loads(text, "x")


SYNTAX = [
    ("[train]\nlr =\n", "line 2, column 5: the line ends where a value should be"),
    ("[train]\nloss = softmax\n", "line 2, column 8: unexpected character: 's' (strings need quotes"),
    (
        "[train]\ncontinue_loss = True\n",
        "line 2, column 17: unexpected character: 'T' (strings need quotes; booleans",
    ),
    ("[train]\nloss = 'softmax\n", "line 2, column 16: the text in quotes is not closed on its line"),
    ("[train]\nloss = '''softmax\n", "line 3, column 1: unexpected end of file"),
    ("x = [1,\n2", "line 2, column 2: unexpected end of file"),
    ("[train", "line 1, column 7: unexpected end of file"),
    (
        "[train]\nlr = 1\n[model]\n[train]\nema = 0.9\n[eval]\n",
        'line 4, column 1: key "train" already exists',
    ),
    ("[train]\nlr = 1\n\nema = 0.9\nlr = 2\n", 'line 5, column 1: key "lr" already exists'),
    ("[train]\nlr = 1\nlr = 2", 'line 3, column 1: key "lr" already exists'),
    ("a = 2020-13-45\n", "line 1, column"),
    ("= 1", "line 1, column 1: empty key"),
]


@pytest.mark.parametrize(
    ("text", "message"), SYNTAX, ids=[text[:25].replace("\n", " ") for text, _ in SYNTAX]
)
def test_a_syntax_error_gives_line_and_column_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, "a.toml")
    assert str(caught.value).startswith(f"a.toml: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["[" * 5000, "{a=" * 5000, "9" * 5000, "1e999", "[" * 5000 + "]" * 5000])
def test_values_made_to_exhaust_the_parser_are_refused(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(f"{TASK}box_rows = {value}", "a.toml")
    assert len(caught.value.problems) == 1


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TASK + "[train]\nsteps = 7\n", encoding="utf-8")
    assert load(path).train.steps == 7


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (TASK + "[train]\nsteps = 7\n").replace("\n", "\r\n").encode())
    assert load(path).train.steps == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"#" * (MAX_BYTES + 1), "is larger than 100 kB: not a configuration"),
        (b"# one\n# \xff\n", "line 2: is not UTF-8 text"),
    ],
    ids=["large", "latin"],
)
def test_an_unreadable_file_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize("name", ["missing.toml", "", "a\0b.toml", "x" * 5000])
def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read: ") as caught:
        load(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1


def test_a_hostile_file_name_is_made_harmless(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a\x1b[2J\nb.toml")
    assert str(caught.value).isprintable()


def mutated(text: str, rng: random.Random) -> str:
    """Damage a text in one of the ways that hands and disks do."""
    lines = text.splitlines(keepends=True)
    spot, row = rng.randrange(len(text)), rng.randrange(len(lines))
    other = rng.randrange(len(lines))
    odd = rng.choice(
        ['"', "'", "[", "]", "{", "=", ".", "#", "\n", "\0", "\x1b", "é", "-", "9", "e", "\\u", '"""', "inf"]
    )
    swapped = list(lines)
    swapped[row], swapped[other] = swapped[other], swapped[row]
    numbered = (
        lines[row].partition("=")[0]
        + "= "
        + rng.choice(["-1", "1e400", "10" * 30, "true", "[]", "{}", "''"])
        + "\n"
    )
    return rng.choice(
        [
            text[:spot] + text[spot + 1 :],
            text[:spot] + odd + text[spot:],
            text[:spot] + odd + text[spot + 1 :],
            text[:spot],
            text[spot:],
            "".join(swapped),
            "".join([*lines[:row], lines[row], *lines[row:]]),
            "".join(lines[:row] + lines[row + 1 :]),
            "".join([*lines[:row], numbered, *lines[row + 1 :]]),
        ]
    )


@pytest.mark.parametrize("seed", range(6))
def test_damaged_presets_are_valid_or_refused_by_name(seed: int) -> None:
    rng = random.Random(seed)
    texts = [preset.path.read_text(encoding="utf-8") for preset in list_presets()]
    refused = 0
    for _ in range(100):
        text = rng.choice(texts)
        for _ in range(rng.randint(1, 3)):
            text = mutated(text, rng) or "#"
        try:
            config = loads(text, "a.toml")
        except ConfigError as error:
            refused += 1
            told = error.problems
        else:
            told = ("valid",)
            assert flatten(loads(dumps(config), "again")) == flatten(config)
        assert all(len(problem.splitlines()) == 1 for problem in told)
    assert 0 < refused < 100
