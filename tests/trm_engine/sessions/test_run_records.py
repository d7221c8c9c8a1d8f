"""What a session keeps beside its checkpoints: figures, events, configurations and its record."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from trm_engine.errors import SessionError, UsageError
from trm_engine.sessions.history import History
from trm_engine.sessions.log import append_event, read_events
from trm_engine.sessions.metrics import Metrics
from trm_engine.sessions.record import SessionRecord, check_name, check_tag, now, read_record, write_record


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    return Metrics(tmp_path / "metrics.jsonl")


def test_figures_come_back_in_order(metrics: Metrics) -> None:
    for step in (10, 20):
        metrics.append({"step": step, "loss": 1 / step, "eval": {"exact_accuracy": 0.5}})
    assert metrics.read() == [
        {"step": 10, "loss": 0.1, "eval": {"exact_accuracy": 0.5}},
        {"step": 20, "loss": 0.05, "eval": {"exact_accuracy": 0.5}},
    ]


def test_no_figures_yet_are_none(metrics: Metrics) -> None:
    assert metrics.read() == []


def test_what_json_cannot_write_becomes_null(metrics: Metrics, tmp_path: Path) -> None:
    metrics.append({"step": 1, "loss": math.nan, "norms": [math.inf, 1.0], "eval": {"x": -math.inf}})
    line = (tmp_path / "metrics.jsonl").read_text()
    told = {"step": 1, "loss": None, "norms": [None, 1.0], "eval": {"x": None}}
    assert json.loads(line) == {**told, "crc32": json.loads(line)["crc32"]}
    assert metrics.read() == [told]


def test_a_last_line_torn_anywhere_costs_only_itself(metrics: Metrics, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    metrics.append({"step": 1})
    first = path.read_bytes()
    metrics.append({"step": 23, "loss": 0.5})
    whole = path.read_bytes()
    for length in range(len(first), len(whole)):
        path.write_bytes(whole[:length])
        assert metrics.read() == [{"step": 1}]
        metrics.append({"step": 24})
        assert metrics.read()[0] == {"step": 1}
        assert metrics.read()[-1] == {"step": 24}


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"[1]\n", b"{\n", b"\n", b"[" * 50_000 + b"\n", b"1e999\n"])
def test_a_line_that_is_no_record_is_passed_over(line: bytes, metrics: Metrics, tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(line)
    metrics.append({"step": 3})
    assert metrics.read() == [{"step": 3}]


def test_what_a_run_that_went_back_left_behind_is_not_shown(metrics: Metrics, tmp_path: Path) -> None:
    for step in (10, 20, 30):
        metrics.append({"step": step, "run": "first"})
    resumed = Metrics(tmp_path / "metrics.jsonl")
    resumed.rewind(20)
    resumed.append({"step": 25, "run": "second"})
    resumed.append({"step": 30, "run": "second"})
    assert [(found["step"], found["run"]) for found in resumed.read()] == [
        (10, "first"),
        (20, "first"),
        (25, "second"),
        (30, "second"),
    ]


def test_going_back_without_doing_anything_voids_nothing(metrics: Metrics) -> None:
    metrics.append({"step": 10})
    metrics.rewind(0)
    assert metrics.read() == [{"step": 10}]


def test_a_figure_cannot_pose_as_a_rewind(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="rewind"):
        metrics.append({"rewind": 3})


def test_events_are_one_line_each_and_harmless(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    append_event(path, "info", "started")
    append_event(path, "warning", "two\nlines \x1b[31m\u202e\r\ud800")
    time, rest = path.read_text().split("\n")[1].split(" ", 1)
    assert time.endswith("Z")
    assert rest.rpartition(" #")[0] == "WARNING two\\nlines [31m\\ud800"
    assert [(event.level, event.message) for event in read_events(path)] == [
        ("INFO", "started"),
        ("WARNING", "two\\nlines [31m\\ud800"),
    ]


def test_a_torn_event_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.log"
    append_event(path, "info", "started")
    with path.open("ab") as file:
        file.write(b"2026-01-01T00:00:00Z INFO sav\xc3")
    assert [event.message for event in read_events(path)] == ["started"]
    assert read_events(tmp_path / "none.log") == []


def test_configurations_come_back_as_they_were_given(tmp_path: Path, faulty_disk) -> None:
    history = History(tmp_path / "history", faulty_disk())
    assert history.entries() == []
    texts = ["# a comment\n[train]\nsteps = 10\n", "\n\n[train]\nsteps = 20", ""]
    for step, text in enumerate(texts):
        assert history.append(text, step, f"because\nof {step}") == step + 1
    entries = history.entries()
    assert [entry.config_toml for entry in entries] == texts
    assert [(entry.number, entry.step, entry.reason) for entry in entries] == [
        (1, 0, "because of 0"),
        (2, 1, "because of 1"),
        (3, 2, "because of 2"),
    ]
    assert [path.name for path in sorted((tmp_path / "history").iterdir())] == [
        "0001.toml",
        "0002.toml",
        "0003.toml",
    ]


@pytest.mark.parametrize("content", [b"[train]\n", b"\xff", b"x" * 1_000_001])
def test_a_configuration_that_cannot_be_read_names_its_file(
    content: bytes, tmp_path: Path, faulty_disk
) -> None:
    (tmp_path / "0001.toml").write_bytes(content)
    with pytest.raises(SessionError, match=r"0001\.toml"):
        History(tmp_path, faulty_disk()).entries()


@pytest.fixture
def record(tmp_path: Path) -> SessionRecord:
    return SessionRecord(id=tmp_path.name, created=now(), updated=now())


def test_a_record_comes_back_as_it_was_written(record: SessionRecord, tmp_path: Path, faulty_disk) -> None:
    parent = {"session": "20260101-000000-a-bcde", "step": 20, "how": "replayed"}
    changed = record.changed(
        {"parent": parent, "tags": ["b", "a"], "summary": {"accuracy": 0.5, "by": [1, None]}}
    )
    write_record(faulty_disk(), tmp_path, changed)
    assert read_record(tmp_path) == changed


def test_a_change_sets_the_time_and_leaves_the_rest(record: SessionRecord) -> None:
    changed = record.changed({"note": "x"})
    assert changed.updated >= record.updated
    assert changed.model_copy(update={"note": "", "updated": record.updated}) == record


@pytest.mark.parametrize("field", ["id", "created", "format", "nmae"])
def test_fixed_and_unknown_fields_are_refused(field: str, record: SessionRecord) -> None:
    with pytest.raises(TypeError, match=field):
        record.changed({field: "x"})


@pytest.mark.parametrize(
    "fields", [{"status": "fine"}, {"summary": {"x": object()}}, {"parent": {"how": "x"}}]
)
def test_values_that_do_not_fit_are_refused(fields: dict[str, object], record: SessionRecord) -> None:
    with pytest.raises(ValidationError):
        record.changed(fields)


def test_fields_of_a_later_version_do_no_harm(record: SessionRecord, tmp_path: Path) -> None:
    content = {**record.model_dump(mode="json"), "colour": "blue"}
    (tmp_path / "session.json").write_text(json.dumps(content))
    assert read_record(tmp_path) == record


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b"{}", "id: Field required"),
        (b"\xff", "utf-8"),
        (b"[" * 50_000, "recursion"),
        (b"x" * 1_000_001, "larger"),
        (b'{"id": "a", "created": "2026-01-01", "updated": "x"}', "created: "),
        (
            b'{"id": "a", "format": 2, "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"}',
            "newer version",
        ),
    ],
)
def test_a_damaged_record_is_named_with_its_problem(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "session.json").write_bytes(content)
    with pytest.raises(SessionError, match=f"is damaged: session.json cannot be used .*{problem}"):
        read_record(tmp_path)


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "x" * 41, "a\n", "\x1b"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(UsageError, match="is not a valid tag"):
        check_tag(tag)


def test_a_name_is_kept_on_one_harmless_line() -> None:
    assert check_name("  my \x1b[31m run\n") == "my [31m run"


@pytest.mark.parametrize("name", ["x" * 81, "latest"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)
