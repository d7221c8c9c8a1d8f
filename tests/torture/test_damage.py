"""The long forms of: no silent change, no record that takes down the list, no output that ends a run.

make torture

Each is cut into parts with a seed of their own: `--stepwise` goes on where hours of it were interrupted.
"""

from __future__ import annotations

import errno
import json
import math
import random
from pathlib import Path

import pytest

from tests.program import TINY, told
from tests.trm_engine.sessions.damage import flipped, read_everything
from tests.trm_tui.cli.broken_output import Broken, ran
from trm_engine.sessions import Store
from trm_engine.sessions.record import SessionRecord, now
from trm_tui.workbench.browser.catalogue import Catalogue

pytestmark = pytest.mark.torture

FLIPS, RECORDS, OUTPUTS = 2000, 1000, 200
PARTS = 10
in_parts = pytest.mark.parametrize("part", range(PARTS))

_VALUES = (
    None, True, -1, 0, 2**70, 10**400, 1e308, -0.0, math.nan, math.inf, -math.inf, "", "x" * 5000, "\ud800",
    "\x1b]0;x\x07", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", [], {}, [[]],
    {"": None}, {"a": math.nan},
)  # fmt: skip


@in_parts
def test_no_bit_of_any_file_changes_without_a_word(tmp_path: Path, part: int) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    session = told(tmp_path, "sessions", "run", "tiny.toml")[-1]["session"]
    folder = tmp_path / "sessions" / session
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    chance = random.Random(f"flips {part}")
    before = read_everything(folder)
    assert before.words == ()
    silent = []
    for _ in range(FLIPS // PARTS):
        path = chance.choice(files)
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, chance))
        after = read_everything(folder)
        if not after.words and after.content != before.content:
            silent.append(path.name)
        path.write_bytes(whole)
    assert silent == []
    assert read_everything(folder) == before


@in_parts
def test_no_record_takes_down_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    chance = random.Random(f"records {part}")
    good = SessionRecord(id="good", created=now(), updated=now()).model_dump(mode="json")
    store = Store(tmp_path / "sessions")
    dead = []
    for number in range(RECORDS // PARTS):
        folder = store.root / f"odd-{number:04d}"
        folder.mkdir(parents=True)
        record = {**good, "summary": {"steps": 3, "eval": {"exact_accuracy": 0.5}}}
        for _ in range(chance.randint(1, 3)):
            place = record if chance.random() < 0.6 else record["summary"]
            if isinstance(place, dict) and place:
                place[chance.choice(sorted(place))] = chance.choice(_VALUES)
        (folder / "session.json").write_text(json.dumps(record))
        try:
            assert len(store.list()) == 1
            assert [len(rows) for rows in Catalogue(store.root).refresh()] == [1]
        except Exception as error:  # each is counted
            dead.append(f"{type(error).__name__} {record}")
        if number % 10:
            (folder / "session.json").unlink()
            folder.rmdir()
        else:
            folder.rename(tmp_path / folder.name)
    for folder in tmp_path.glob("odd-*"):
        folder.rename(store.root / folder.name)
    for form in ((), ("--json",)):
        out = Broken(1 << 30)
        assert ran(monkeypatch, store.root, "sessions", "list", *form, out=out) == 0
    assert dead == []


@in_parts
def test_no_output_ends_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    chance = random.Random(f"outputs {part}")
    lost = []
    for number in range(OUTPUTS // PARTS):
        broken = Broken(
            chance.randrange(12),
            chance.choice([errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF]),
            once=chance.random() < 0.3,
            encoding=chance.choice(["utf-8", "latin-1", "ascii"]),
        )
        form = chance.choice([(), ("--json",), ("--quiet",)])
        sessions = tmp_path / f"s{number}"
        words = ("run", str(tmp_path / "tiny.toml"), *form)
        code = ran(monkeypatch, sessions, *words, **{chance.choice(["out", "err"]): broken})
        statuses = [record.status for record in Store(sessions).list()]
        if (code, statuses) != (0, ["completed"]):
            lost.append((number, code, statuses))
    assert lost == []
