"""Reading the sessions folder: the same as the store says, in two strokes, and only what has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import evaluated, stepped
from tests.trm_tui.session_makers import make_session
from trm_engine.config import Config, dumps
from trm_engine.sessions import Checkpoint, Store
from trm_engine.sessions.layout import METRICS, RECORD
from trm_tui.workbench.browser import catalogue as module
from trm_tui.workbench.browser.catalogue import Catalogue, Rows
from trm_tui.workbench.browser.session_curve import read_curve


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


def read(catalogue: Catalogue) -> Rows:
    """Return the rows after one refresh."""
    *_, rows = catalogue.refresh()
    return rows


def plain(root: Path, session_id: str, **fields: object) -> str:
    """Write no more of a session than its record."""
    values = {
        "id": session_id,
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
        **fields,
    }
    (root / session_id).mkdir(parents=True)
    (root / session_id / RECORD).write_text(json.dumps(values))
    return session_id


def test_an_empty_or_missing_folder_has_no_rows(store: Store) -> None:
    assert read(Catalogue(store.root)) == {}


def test_it_says_what_the_store_says(store: Store, config: Config) -> None:
    make_session(store, config, "20260101-000000-a-0001", name="one", tags=["x"])
    make_session(store, config, "20260102-000000-a-0002", status="running")  # nobody holds its lock
    plain(store.root, "20260103-000000-a-0003", format=99)
    plain(store.root, "20260104-000000-a-0004", created="yesterday")
    (store.root / "20260105-000000-a-0005").mkdir()
    (store.root / "not a session").mkdir()
    (store.root / "20260106-000000-a-0006").symlink_to(store.root / "20260101-000000-a-0001")
    with store.create(dumps(config), "sudoku-6x6") as session:
        session.update(status="running")
        rows = read(Catalogue(store.root))
        told = {record.id: record for record in store.list()}
    assert {found: row.status for found, row in rows.items()} == {
        found: r.status for found, r in told.items()
    }
    assert sorted(row.status for row in rows.values()) == [
        "completed", "damaged", "damaged", "damaged", "interrupted", "running",
    ]  # fmt: skip
    for found, record in told.items():
        if record.status != "damaged":
            row = rows[found]
            assert (row.name, row.tags, row.created) == (record.name, record.tags, record.created)


def test_a_screenful_of_the_newest_comes_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST", 3)
    ids = [plain(store.root, f"2026010{n}-000000-a-000{n}") for n in range(1, 8)]
    first, rest = Catalogue(store.root).refresh()
    assert sorted(first) == ids[-3:]
    assert sorted(rest) == ids


def test_nothing_new_yields_nothing(store: Store) -> None:
    plain(store.root, "20260101-000000-a-0001")
    catalogue = Catalogue(store.root)
    read(catalogue)
    assert list(catalogue.refresh()) == []


def test_only_what_has_changed_is_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = (plain(store.root, f"2026010{n}-000000-a-000{n}") for n in (1, 2, 3))
    catalogue = Catalogue(store.root)
    read(catalogue)
    asked: list[str] = []
    genuine = module._read
    monkeypatch.setattr(module, "_read", lambda folder, found: asked.append(found) or genuine(folder, found))  # type: ignore[func-returns-value]
    store.rename(two, "changed")
    store.delete(one)
    four = plain(store.root, "20260104-000000-a-0004")
    rows = read(catalogue)
    assert sorted(asked) == [two, four]
    assert sorted(rows) == [two, three, four]
    assert rows[two].name == "changed"


def test_a_reader_that_is_stopped_stops(store: Store) -> None:
    plain(store.root, "20260101-000000-a-0001")
    assert list(Catalogue(store.root).refresh(stopping=lambda: True)) == []


def test_the_trash_can_be_read_too(store: Store) -> None:
    gone = plain(store.root, "20260101-000000-a-0001")
    store.delete(gone)
    assert list(read(Catalogue(store.root / ".trash"))) == [gone]
    assert read(Catalogue(store.root)) == {}


def test_a_run_under_way_shows_how_far_it_has_come(store: Store, config: Config) -> None:
    import torch

    catalogue = Catalogue(store.root)
    with store.create(dumps(config), "sudoku-6x6") as session:
        session.update(status="running")
        assert read(catalogue)[session.id].steps is None
        session.metrics.append(stepped(100).to_dict())
        session.metrics.append(evaluated(100, 0.4).to_dict())
        session.save(Checkpoint(100, {"w": torch.zeros(1)}, {}, {}), best_score=0.4)
        row = read(catalogue)[session.id]
        assert (row.steps, row.exact, round(row.rate or 0)) == (100, 0.4, 1034)
        session.metrics.append(stepped(200).to_dict())
        with (session.path / "metrics.jsonl").open("a") as file:
            file.write('{"event": "step", "step": 2')  # being written at this moment
        assert read(catalogue)[session.id].steps == 200
    row = read(catalogue)[session.id]
    assert (row.status, row.steps) == ("interrupted", 200)


@pytest.mark.parametrize("garbage", ["", "{}", "[]", "null", "{" * 5000, "\x00\xff", '{"step": 1}\n' * 3])
def test_metrics_of_any_content_break_nothing(store: Store, garbage: str) -> None:
    found = plain(store.root, "20260101-000000-a-0001", status="running")
    (store.root / found / "metrics.jsonl").write_text(garbage)
    (store.root / found / "checkpoints").mkdir()
    (store.root / found / "checkpoints" / "best.json").write_text(garbage)
    assert read(Catalogue(store.root))[found].steps is None


def test_settings_are_read_once_somebody_asks_for_them(store: Store, config: Config) -> None:
    make_session(store, config, "20260101-000000-a-0001")
    plain(store.root, "20260102-000000-a-0002")  # without a configuration
    catalogue = Catalogue(store.root)
    assert {row.settings for row in read(catalogue).values()} == {None}
    catalogue.with_settings = True
    rows = read(catalogue)
    assert (rows["20260101-000000-a-0001"].settings or {})["train.lr"] == config.train.lr
    assert rows["20260102-000000-a-0002"].settings == {}
    assert list(catalogue.refresh()) == [], "nothing has changed"


def test_curves_are_read_once_somebody_asks_for_them(store: Store, config: Config) -> None:
    made = make_session(store, config, "20260101-000000-a-0001", exact=0.8)
    plain(store.root, "20260102-000000-a-0002")  # without figures
    with (store.root / made / METRICS).open("a") as file:
        file.write('{"event":"eval","step":500,"exact_accuracy":0.5')  # killed while it was written
    catalogue = Catalogue(store.root)
    catalogue.with_curves = True
    rows = read(catalogue)
    assert rows[made].curve == (0.4, 0.8)
    assert rows["20260102-000000-a-0002"].curve == ()
    with store.open(made) as session:
        session.metrics.rewind(300)
        session.metrics.append({"event": "eval", "step": 350, "exact_accuracy": 0.6})
    assert read_curve(str(store.root / made), "sudoku") == (0.4, 0.6)
