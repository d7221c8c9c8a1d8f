"""What leaves the browser: CSV for spreadsheets, well-formed pictures, and no file overwritten."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import resvg_py

from tests.trm_tui.session_makers import make_session
from trm_engine.config import Config
from trm_engine.errors import UsageError
from trm_engine.sessions import Store
from trm_tui.workbench.browser import curve_picture, exporting
from trm_tui.workbench.browser.curve_picture import Plot, to_png, to_svg
from trm_tui.workbench.browser.exporting import (
    draw_curves,
    export_curves,
    export_metrics,
    file_problem,
    place_of,
    suggested,
    write_new,
)

ONE, TWO = "20260320-120000-sudoku-6x6-one1", "20260319-120000-sudoku-6x6-two2"
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def store(tmp_path: Path, config: Config) -> Store:
    made = Store(tmp_path / "sessions")
    make_session(made, config, ONE, name="one")
    make_session(made, config, TWO, name="two", steps=250)
    return made


def test_the_figures_of_several_sessions_are_one_table(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    export_metrics(store, [ONE, TWO], file)
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 12 + 6
    steps = [row for row in rows if row["session"] == ONE and row["event"] == "step"]
    assert [int(row["step"]) for row in steps] == list(range(50, 501, 50))
    assert math.isclose(float(steps[0]["samples_per_second"]), 1034, rel_tol=0.1)
    assert rows[4]["exact_accuracy"] != ""


def test_text_that_a_spreadsheet_would_compute_is_marked_as_text() -> None:
    assert [exporting._cell(text) for text in ("=1+1", "@a", "-2", "plain", 3.5)] == [
        "'=1+1", "'@a", "'-2", "plain", 3.5,
    ]  # fmt: skip


def test_curves_become_a_picture_with_a_line_a_session(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "out.svg"
    export_curves(store, [ONE, TWO], file)
    root = ET.parse(file).getroot()
    panels = root.findall(f"{_SVG}g")
    assert len(panels) == 2
    for panel in panels:
        assert len(panel.findall(f"{_SVG}polyline")) == 2
        words = [text.text for text in panel.findall(f"{_SVG}text")]
        assert {"one", "two", "step"} <= set(words)


def test_curves_become_a_png_after_the_ending(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "out.PNG"
    export_curves(store, [ONE], file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_machine_without_fonts_gets_no_picture_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = resvg_py.svg_to_bytes

    def without_fonts(**options: object) -> bytes:
        return bytes(plain(**options, skip_system_fonts=True))

    monkeypatch.setattr(resvg_py, "svg_to_bytes", without_fonts)
    with pytest.raises(UsageError, match="PNG needs a font"):
        to_png(to_svg([]))


@pytest.mark.parametrize("log_y", [True, False])
@pytest.mark.parametrize(
    "lines",
    [
        [],
        [("empty", ([], []))],
        [("one point", ([1.0], [0.5]))],
        [("flat", ([1.0, 2.0], [3.0, 3.0]))],
        [("holes", ([1.0, 2.0, 3.0], [math.nan, math.inf, 0.25]))],
        [("zero and below", ([1.0, 2.0, 3.0], [0.0, -1.0, 5.0]))],
        [("long", (list(range(20_000)), [math.sin(n / 50) + 2 for n in range(20_000)]))],
        [("<&>\x00\x1b\x0c\uffff", ([1.0, 2.0], [1.0, 2.0]))],
        [(f"many {n}", ([1.0, 2.0], [1.0, float(n + 1)])) for n in range(20)],
    ],
)
def test_any_points_make_a_well_formed_picture(
    lines: list[tuple[str, curve_picture.Points]], log_y: bool
) -> None:
    svg = to_svg([Plot("A <title> & more", "step", lines, log_y=log_y)])
    root = ET.fromstring(svg)
    for line in root.iter(f"{_SVG}polyline"):
        numbers = [float(part) for pair in line.attrib["points"].split() for part in pair.split(",")]
        assert all(map(math.isfinite, numbers))
    assert len(svg) < 200_000, "long curves are thinned"


def test_thinning_keeps_the_highest_point(tmp_path: Path) -> None:
    ys = [1.0] * 20_000
    ys[12_345] = 9.0
    tall = ET.fromstring(to_svg([Plot("t", "x", [("spike", (list(map(float, range(20_000))), ys))])]))
    (line,) = tall.iter(f"{_SVG}polyline")
    heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
    assert min(heights) < 80 < max(heights)


def test_fixed_limits_hold_the_axis() -> None:
    root = ET.fromstring(
        to_svg([Plot("t", "x", [("a", ([1.0, 2.0], [0.4, 0.5]))], y_unit="percent", y_range=(0.0, 1.0))])
    )
    words = [text.text for text in root.iter(f"{_SVG}text")]
    assert "0%" in words
    assert "100%" in words


# --- files ------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        export_metrics(store, [ONE], file)
    assert file.read_text() == "precious"


def test_a_link_to_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(UsageError, match="exists already"):
        write_new(tmp_path / "link.csv", b"data")
    assert not (tmp_path / "elsewhere.csv").exists()


def test_what_stands_against_a_file_is_said_before(tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    assert file_problem(str(tmp_path / "new.csv")) == ""
    assert "exists already" in file_problem(str(tmp_path / "there.csv"))
    assert "no folder" in file_problem(str(tmp_path / "none" / "new.csv"))
    assert "name is needed" in file_problem("  ")
    assert file_problem(str(tmp_path / "there.csv"), must_exist=True) == ""
    assert "no such file" in file_problem(str(tmp_path / "new.csv"), must_exist=True)
    for odd in ("a\0b", "x" * 5000, "~nobody-of-that-name/x"):
        assert file_problem(odd)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("baseline", "baseline-curves.svg"),
        ("../../etc/passwd", "etc-passwd-curves.svg"),
        ("a b/c\x00", "a-b-c-curves.svg"),
        ("…", "session-curves.svg"),
        (".hidden", "hidden-curves.svg"),
    ],
)
def test_a_suggested_name_stays_in_the_folder(title: str, name: str) -> None:
    assert suggested(title, "-curves", ".svg") == name


def test_a_picture_is_what_its_name_says(tmp_path: Path) -> None:
    assert (
        file_problem(str(tmp_path / "cmp.jpg"), endings=(".svg", ".png"))
        == "the name must end in .svg or .png"
    )
    assert file_problem(str(tmp_path / "cmp.SVG"), endings=(".svg",)) == ""
    with pytest.raises(UsageError, match="written as"):
        draw_curves([], [], tmp_path / "cmp.jpg")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_said_in_full() -> None:
    assert place_of("curves.svg") == f"in {Path.cwd()}"
