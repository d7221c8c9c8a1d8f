"""Names of sessions cannot leave the sessions folder, whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trm_engine.errors import SessionError
from trm_engine.sessions.layout import is_id, new_id, session_folder
from trm_engine.sessions.store import Store

NOON = datetime(2026, 1, 31, 12, 0, 5, tzinfo=timezone.utc)

pieces = st.sampled_from(
    [
        "..",
        ".",
        "/",
        "\\",
        "~",
        "\0",
        "a",
        "A",
        "-",
        "outside",
        "\n",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "*",
        ".trash",
    ]
)
hostile = st.one_of(st.text(max_size=100), st.lists(pieces, max_size=8).map("".join))
quick = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

USES: dict[str, Callable[[Store, str], object]] = {
    "get": Store.get,
    "open": Store.open,
    "config_text": Store.config_text,
    "delete": Store.delete,
    "restore": Store.restore,
    "tag": lambda store, ref: store.tag(ref, "x"),
    "export": lambda store, ref: store.export(ref, store.root.parent / "made.zip"),
}


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@quick
@given(name=hostile)
@pytest.mark.parametrize("use", USES)
def test_a_hostile_name_reaches_nothing(use: str, name: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "sessions")
    if not store.root.exists():
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "session.json").write_text("{}")
        store.root.mkdir()
        (store.root / "link").symlink_to(tmp_path / "outside")
    before = tree(tmp_path)
    with pytest.raises(SessionError) as caught:
        USES[use](store, name)
    assert tree(tmp_path) == before
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@quick
@given(name=hostile)
def test_an_id_names_a_folder_in_the_root_itself(name: str) -> None:
    if is_id(name):
        root = Path("/sessions")
        assert (root / name).parent == root
        assert name == name.strip().lower()


@quick
@given(preset=st.text(max_size=200))
def test_every_preset_name_makes_an_id_that_sorts_by_time(preset: str) -> None:
    made = new_id(preset, NOON)
    assert is_id(made)
    assert made.startswith("20260131-120005-")


def test_an_id_carries_the_preset() -> None:
    assert new_id("Sudoku 6x6.toml", NOON)[:-4] == "20260131-120005-sudoku-6x6-toml-"


@pytest.mark.parametrize("name", ["", "-a", "a" * 81, "A", "a/b", "..", "a\n", "ä", "latest", "a.b"])
def test_what_is_no_id_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="is not a session id"):
        session_folder(tmp_path, name)


def test_a_session_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "abc").symlink_to(tmp_path / "real")
    with pytest.raises(SessionError, match="is a link"):
        session_folder(tmp_path / "sessions", "abc")
