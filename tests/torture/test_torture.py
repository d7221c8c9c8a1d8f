"""The long forms of what must never happen: kills, flipped bits, truncations, mutated configurations.

make torture
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from pathlib import Path

import pytest
import torch

from tests.program import TINY, begin, told
from trm_engine.config import apply, dumps, list_presets, loads
from trm_engine.errors import ConfigError
from trm_engine.sessions import Checkpoint, Session, Store

pytestmark = pytest.mark.torture

KILLS, FLIPS, TRUNCATIONS, MUTATIONS = 300, 1000, 1000, 2000

LONG = (
    "train.steps=4000",
    "train.log_every=20",
    "eval.every=0",
    "checkpoint.every_steps=5",
    "checkpoint.every_seconds=0",
)


def test_killed_at_any_moment_a_run_goes_on_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(dumps(apply(loads(TINY, "tiny.toml"), LONG)))
    whole = told(tmp_path, "whole", "run", "run.toml")
    told(tmp_path, "killed", "run", "run.toml", "--steps", "1")
    moments = random.Random(0)
    saved = 0
    for _ in range(KILLS):
        with begin(tmp_path, "killed", "resume", "latest", "--json") as process:
            assert process.stdout is not None
            steps = []
            started = json.loads(process.stdout.readline() or '{"step": -1}')
            assert started["step"] >= saved, "a checkpoint that had been saved was lost"
            patience = time.monotonic() + moments.random()
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "checkpoint":
                    steps.append(event["step"])
                if time.monotonic() > patience:
                    break
            process.kill()
        saved = max([saved, *steps])
    ended = told(tmp_path, "killed", "resume", "latest")
    assert ended[-1]["weights_sha256"] == whole[-1]["weights_sha256"]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = Store(tmp_path).create("config", "torture")
    for step in (1, 2):
        weights = {"w": torch.arange(40.0) * step}
        made.save(Checkpoint(step, weights, {"m": torch.ones(3)}, {"step": step}))
    return made


def test_every_damaged_bit_or_length_is_noticed(session: Session) -> None:
    folder = session.path / "checkpoints" / "000000002"
    files = sorted(path for path in folder.iterdir() if path.is_file())
    chance = random.Random(1)
    for number in range(FLIPS + TRUNCATIONS):
        path = chance.choice(files)
        sound = path.read_bytes()
        damaged = bytearray(sound)
        if number < FLIPS:
            damaged[chance.randrange(len(sound))] ^= 1 << chance.randrange(8)
        else:
            del damaged[chance.randrange(len(sound)) :]
        path.write_bytes(bytes(damaged))
        checkpoint, warnings = session.load()
        assert checkpoint.step == 1, f"damage to {path.name} went unseen"
        assert warnings
        path.write_bytes(sound)
    assert session.load()[0].step == 2


def test_mutated_configurations_are_valid_or_refused() -> None:
    texts = [preset.path.read_text(encoding="utf-8") for preset in list_presets()]
    chance = random.Random(2)
    for _ in range(MUTATIONS):
        text = chance.choice(texts)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(text))
            added = chance.choice(["", *'[]="0-.x\n\x00é'])
            text = text[:place] + added + text[place + 1 :]
        with contextlib.suppress(ConfigError):
            loads(text, "mutated.toml")
