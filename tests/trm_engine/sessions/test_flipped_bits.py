"""One flipped bit, one cut: whatever it meets in a session is noticed, or changes nothing that is read."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trm_engine.sessions.damage import Everything, flipped, read_everything
from trm_engine.errors import SessionError
from trm_engine.sessions import Checkpoint, Store
from trm_engine.sessions.seals import ChangedError, check_object, sealed_object

CONFIG = "title = 'Four'\n[train]\nlr = 0.006\nsteps = 40\n"
FLIPS = 25
"""Of each file: the long form is part of `make torture`."""


@pytest.fixture
def session(store: Store, make_checkpoint: Callable[..., Checkpoint]) -> Path:
    with store.create(CONFIG, "six", name="a name", data={"train": "ab" * 32}) as made:
        for step in (1, 2, 3):
            made.metrics.append(
                {"event": "step", "step": step, "loss": 1 / step, "loss_digest": f"{step:032x}"}
            )
            made.log("info", f"step {step}")
            made.save(make_checkpoint(step), best_score=0.5 if step == 2 else None, keep=2)
        made.configure(CONFIG.replace("40", "80"), 3, "extended")
        made.update(status="stopped", threads=2, summary={"steps": 3, "seconds": 1.5})
    return made.path


def test_what_was_not_damaged_is_read_without_a_word(session: Path) -> None:
    assert read_everything(session).words == ()


@pytest.mark.parametrize(
    "name",
    [
        "session.json",
        "config.toml",
        "history/0001.toml",
        "history/0002.toml",
        "metrics.jsonl",
        "events.log",
        "checkpoints/best.json",
        "checkpoints/000000003/MANIFEST.json",
        "checkpoints/000000003/state.json",
        "checkpoints/000000002/weights.safetensors",
    ],
)
def test_a_flipped_bit_or_a_cut_is_noticed_or_changes_nothing(session: Path, name: str) -> None:
    before = read_everything(session)
    path = session / name
    whole = path.read_bytes()
    chance = random.Random(name)
    appended = name in ("metrics.jsonl", "events.log")  # a crash may leave any of their beginnings
    cuts = [] if appended else [whole[: chance.randrange(len(whole))] for _ in range(FLIPS // 5)]
    for damaged in [*(flipped(whole, chance) for _ in range(FLIPS)), *cuts]:
        path.write_bytes(damaged)
        after = read_everything(session)
        assert after.words or after.content == before.content, damaged
    path.write_bytes(whole)
    assert read_everything(session) == before


@pytest.mark.parametrize("name", ["metrics.jsonl", "events.log"])
def test_a_last_line_whose_end_has_changed_is_not_taken_for_a_torn_one(session: Path, name: str) -> None:
    before = read_everything(session)
    path = session / name
    whole = path.read_bytes()
    for bit in range(8):
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1 << bit]))
        assert read_everything(session) == before
    path.write_bytes(whole[:-5])  # torn
    assert read_everything(session).words == ()
    at = len(whole) - len(whole.splitlines()[-1]) + 3
    path.write_bytes(whole[:at] + b"\n" + whole[at + 1 :])  # a line in two
    assert read_everything(session).words


def test_damage_to_the_configuration_is_made_good_by_the_history(session: Path) -> None:
    store = Store(session.parent)
    (session / "config.toml").write_text(CONFIG[:30])
    found = store.get(session.name).configuration
    assert found.text == CONFIG.replace("40", "80")
    assert (
        "config.toml is not what the history says: the configuration in history/0002.toml"
        in found.warnings[0]
    )
    with store.open(session.name) as opened:
        opened.mend_configuration()
        assert opened.configuration.warnings == ()


def test_with_both_damaged_the_session_is(session: Path) -> None:
    for name in ("config.toml", "history/0002.toml"):
        path = session / name
        path.write_bytes(flipped(path.read_bytes(), random.Random(1)))
    with pytest.raises(SessionError, match=r"is damaged: config\.toml cannot be used .*0002\.toml"):
        Store(session.parent).config_text(session.name)


def test_sessions_without_digests_are_read_without_a_word(session: Path) -> None:
    for path in (session / "config.toml", *(session / "history").iterdir()):
        path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    before = read_everything(session)
    assert isinstance(before, Everything)
    assert before.words == ()


@pytest.mark.parametrize("length", [1, 8, 40])
def test_a_sealed_object_differs_by_any_bit(length: int) -> None:
    whole = sealed_object({"note": "x" * length, "figure": 0.1})
    assert check_object(whole)
    body = whole.index(b',\n  "sha256"')
    for place in range(body * 8):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(ChangedError):
            check_object(bytes(damaged))
