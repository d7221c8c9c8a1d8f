from __future__ import annotations

import csv
import io
import re
import sys
from pathlib import Path

import pytest

from tests.trm_engine.studies.analysis.test_analyse import STUDY, filled
from tests.trm_engine.studies.finished import finish, planned
from trm_engine.errors import UsageError
from trm_engine.sessions import Store
from trm_engine.studies.analysis.analyse import analyse
from trm_engine.studies.fitting.fits import fit
from trm_engine.studies.fitting.table import Columns, read_table
from trm_engine.studies.reporting.charts import charts_of
from trm_engine.studies.reporting.document import Bullets, Heading, Paragraph, Table, to_html, to_markdown
from trm_engine.studies.reporting.drawing import draw
from trm_engine.studies.reporting.report import write_report

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of eighteen trials, one of them diverged, and its report in `out`."""
    folder = tmp_path_factory.mktemp("report")
    write_report(filled(store_in(folder), planned(folder, STUDY), diverged="wc-s1"), folder / "out")
    return folder


def store_in(folder: Path) -> Store:
    return Store(folder / "sessions")


def test_a_report_is_rebuilt_byte_for_byte(made: Path) -> None:
    again = made / "again"
    for path in write_report(analyse(store_in(made), planned(made, STUDY)), again):
        assert path.read_bytes() == (made / "out" / path.relative_to(again)).read_bytes(), path.name


def test_the_report_says_what_was_found_and_what_is_missing(made: Path) -> None:
    text = (made / "out" / "report.md").read_text(encoding="utf-8")
    assert "17 of 18 different trials have a result" in text
    assert "a − b·x^(−c) with a = " in text
    assert "wa against wf: worse" in text
    assert "| wc-s1 | wc | diverged at step 1,000 of 1,000 |" in text
    for picture in re.findall(r"\]\((figures/[^)]+)\)", text):
        assert (made / "out" / picture).read_bytes().startswith(b"<?xml")


def test_the_page_needs_no_other_file(made: Path) -> None:
    page = (made / "out" / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(sources) > 6
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "<script" not in page


def test_the_table_of_trials_can_be_fitted_as_it_is(made: Path) -> None:
    table = read_table(made / "out" / "trials.csv", Columns("x", "exact_accuracy", "puzzles", "seed"))
    assert len(table.runs) == 17
    assert len(table.left_out) == 1
    law = analyse(store_in(made), planned(made, STUDY)).parts[0].laws[0].fit
    assert law is not None
    assert fit(table.runs).to_dict()["c"] == law.to_dict()["c"]
    with (made / "out" / "fits.csv").open(encoding="utf-8") as file:
        assert [row["figure"] for row in csv.DictReader(file)] == ["exact_accuracy", "loss"]


def test_a_study_without_a_result_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no trial has finished yet"):
        write_report(analyse(store_in(tmp_path), planned(tmp_path, STUDY)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_the_extra_is_named(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'trm-tui\[studies\]'"):
        write_report(analyse(store_in(made), planned(made, STUDY)), made / "other")


def test_every_kind_of_chart_is_drawn(tmp_path: Path) -> None:
    study = STUDY.replace('"model.hidden_size"', '"train.batch_size"').replace(
        "[part.vary.model]", "[part.vary.train]"
    )
    study = study.replace("hidden_size = [8, 16, 32, 64, 128, 256]", "batch_size = [8, 16, 32, 64, 128, 256]")
    store, plan = store_in(tmp_path), planned(tmp_path, study)
    for trial in plan.trials:
        reached = trial.config.train.batch_size / 256
        finish(store, trial, 0.9, history=lambda share, reached=reached: min(0.9, share * (0.6 + reached)))
    charts = charts_of(analyse(store, plan))
    assert {chart.name for chart in charts} >= {
        "w-exact_accuracy",
        "w-loss",
        "w-curves",
        "w-differences",
        "w-steps-to-50",
        "frontier-parameters",
        "frontier-inference_flops",
    }
    drawn = {chart.name: chart for chart in charts}
    assert draw(drawn["w-steps-to-50"]).startswith(b"<?xml")
    assert draw(drawn["w-differences"], "png") == draw(drawn["w-differences"], "png")
    assert draw(drawn["w-differences"], "png").startswith(b"\x89PNG")


def test_foreign_text_is_no_markup() -> None:
    blocks = [
        Heading(1, "<script>alert(1)</script> *x*"),
        Paragraph("a | b\x1b[31m"),
        Bullets(("[x](javascript:1)",)),
        Table((">n", "what"), (("1", "a|b"),)),
    ]
    page, text = to_html(blocks), to_markdown(blocks)
    assert "<script" not in page
    assert "\x1b" not in page + text
    assert "\\<script\\>" in text
    assert "\\[x\\]" in text
    assert "a\\|b" in text
    assert io.StringIO(text).readline().startswith("# ")
