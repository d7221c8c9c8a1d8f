"""Published weights and dataset folders through the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from trm_engine.sessions import Store
from trm_tui.workbench.watch.model_host import Studio

PUBLISHED = ("--set", "model.registers=0", "--set", "model.width_multiple=256")


@pytest.fixture
def exported(trm, tmp_path: Path) -> Path:
    """Weights of a short run, exported to `x.pt`."""
    assert trm("--no-ui", "run", "tiny.toml", "--quiet", "--name", "first", *PUBLISHED).code == 0
    assert trm("export-checkpoint", "first", "x.pt").code == 0
    return tmp_path / "x.pt"


def test_exported_weights_come_back_as_a_session_that_measures_the_same(trm, exported) -> None:
    done = trm(
        "import-checkpoint", exported, "--preset", "tiny.toml", *PUBLISHED, "--name", "second", "--json"
    )
    assert done.code == 0
    imported = done.objects[0]
    assert imported["warnings"] == []
    assert imported["file"] == str(exported)
    first, second = (trm("eval", name, "--json").objects[0] for name in ("first", "second"))
    for figure in ("puzzles", "exact_accuracy", "cell_accuracy", "mean_steps"):
        assert first[figure] == second[figure]
    answers = [trm("solve", name, "1..4......4..23.", "--json").objects[0] for name in ("first", "second")]
    assert answers[0]["answer"] == answers[1]["answer"]


def test_an_imported_session_is_shown_and_resumed(trm, exported) -> None:
    trm("import-checkpoint", exported, "--preset", "tiny.toml", *PUBLISHED, "--name", "second")
    assert "imported from x.pt" in trm("sessions", "show", "second").out
    shown = trm("sessions", "show", "second", "--json").objects[0]
    assert (shown["status"], shown["origin"]["file"]) == ("imported", "x.pt")
    done = trm("--no-ui", "resume", "second", "--json")
    assert (done.code, done.objects[-1]["status"], done.objects[-1]["steps"]) == (0, "completed", 6)
    refused = trm("replay", "second")
    assert refused.code == 3
    assert "began from imported weights" in refused.err


def test_an_imported_session_can_be_watched(trm, exported, tmp_path) -> None:
    session = trm("import-checkpoint", exported, "--preset", "tiny.toml", *PUBLISHED, "--json").objects[0][
        "session"
    ]
    studio = Studio(Store(tmp_path / "sessions"), lambda *_: None)
    subject = studio.load_session(session, None)
    assert (subject.session, subject.step, subject.warnings) == (session, 0, ())


def test_an_export_tells_what_it_wrote_and_overwrites_nothing(trm, exported) -> None:
    done = trm("export-checkpoint", "first", "y.pt", "--raw", "--checkpoint", "6", "--json")
    written = done.objects[0]
    assert (done.code, written["step"], written["raw"], written["file"]) == (0, 6, True, "y.pt")
    again = trm("export-checkpoint", "first", "y.pt")
    assert (again.code, again.out) == (2, "")
    assert "y.pt exists already" in again.err


def test_a_model_with_registers_is_not_exported(trm, trained) -> None:
    done = trm("export-checkpoint", trained, "x.pt")
    assert done.code == 2
    assert "model.registers = 1" in done.err
    assert not Path("x.pt").exists()


class MakesFolder:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("it-ran",)


def test_a_malicious_checkpoint_is_refused_in_one_line(trm, tmp_path) -> None:
    torch.save({"model.inner.H_init": MakesFolder()}, tmp_path / "evil.pt")
    done = trm("import-checkpoint", "evil.pt", "--preset", "tiny.toml", *PUBLISHED)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "evil.pt: refused: it asks for posix.mkdir" in done.err
    assert not Path("it-ran").exists()
    assert trm("sessions", "list", "--json").objects == [[]]


def test_weights_of_another_model_are_refused_with_both_shapes(trm, exported) -> None:
    done = trm(
        "import-checkpoint", exported, "--preset", "tiny.toml", *PUBLISHED, "--set", "model.hidden_size=12"
    )
    assert done.code == 2
    assert "model.inner.embed_tokens.embedding_weight has shape (6, 8), expected (6, 12)" in done.err


def test_a_published_folder_is_built_and_trained_on(trm, tmp_path) -> None:
    assert trm("data", "build", "tiny.toml", "set", "--format", "published").code == 0
    metadata = json.loads((tmp_path / "set" / "train" / "dataset.json").read_text())
    assert (metadata["total_puzzles"], metadata["num_puzzle_identifiers"]) == (40, 1)
    assert json.loads((tmp_path / "set" / "identifiers.json").read_text()) == ["<blank>"]
    assert trm("data", "verify", "tiny.toml", "set").code == 0
    done = trm("--no-ui", "run", "tiny.toml", "--set", "task.data=set", "--quiet", "--steps", "1")
    assert done.code == 0
