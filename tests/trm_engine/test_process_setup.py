"""Preparing the process happens before torch, once, and leaves a person's own settings alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import json, os
from trm_engine.process_setup import prepare_process, preparations
prepare_process(); prepare_process()
import torch
prepare_process()
print(json.dumps({"decisions": [[d.subject, d.choice, d.reason] for d in preparations()],
                  "policy": os.environ.get("OMP_WAIT_POLICY"), "spins": os.environ.get("GOMP_SPINCOUNT"),
                  "sum": torch.ones(2000, 2000).sum().item()}))
"""


def prepared(program: str = PROGRAM, **environment: str) -> dict:
    waiting = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    clean = {name: value for name, value in os.environ.items() if name not in waiting}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(done.stdout))


def test_threads_spin_shortly_and_the_choices_are_told_once() -> None:
    found = prepared()
    assert (found["policy"], found["spins"]) == (None, "3000")
    assert [subject for subject, _, _ in found["decisions"]] == ["thread waiting", "allocator"]
    assert all(reason for _, _, reason in found["decisions"])
    assert found["sum"] == 4e6


def test_what_a_person_has_set_stands() -> None:
    found = prepared(OMP_WAIT_POLICY="ACTIVE")
    assert (found["policy"], found["spins"]) == ("ACTIVE", None)
    assert found["decisions"][0] == ["thread waiting", "OMP_WAIT_POLICY=ACTIVE", "set in the environment"]


def test_it_is_too_late_once_torch_is_loaded() -> None:
    found = prepared("import torch\n" + PROGRAM)
    assert found["decisions"] == []
    assert (found["policy"], found["spins"]) == (None, None)
