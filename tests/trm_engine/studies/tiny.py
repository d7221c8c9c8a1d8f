"""A study whose trials take milliseconds of training, and its parts."""

from __future__ import annotations

from pathlib import Path

from tests.program import tiny

BASE = tiny("train.steps=20", "eval.every=10", "checkpoint.every_steps=4", "runtime.tuning=off")
STUDY = """
title = "Tiny"
base = "base.toml"
seeds = [0, 1]
[link.train]
lr = "1e-3 * sqrt(train.batch_size / 6)"
[[part]]
name = "t"
x = "train.batch_size"
[part.vary.train]
batch_size = [4, 6]
"""


def write_study(folder: Path, text: str = STUDY, base: str = BASE) -> Path:
    """Write a study and its base into a folder; return the study's path."""
    (folder / "base.toml").write_text(base, encoding="utf-8")
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path
