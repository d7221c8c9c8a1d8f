"""`eval --vote` and `solve` of a session that learned ARC tasks."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

SOLVED = {
    "train": [{"input": [[1, 2, 2]], "output": [[2, 2, 1]]}, {"input": [[3], [4], [3]], "output": [[4]]}],
    "test": [{"input": [[5, 6]], "output": [[6, 5]]}, {"input": [[7]], "output": [[7]]}],
}
TINY_ARC = """
[task]
kind = "arc"
data = "tasks"
size = 3
augmentations = 6
[model]
hidden_size = 8
puzzle_emb_ndim = 8
registers = 0
[train]
batch_size = 4
steps = 4
halt_max_steps = 2
log_every = 2
[eval]
every = 0
[runtime]
threads = 1
"""


@pytest.fixture
def arc(trm, tmp_path: Path):
    """Run the program in a folder with tasks and a session named `arc`."""
    for name in ("aaa", "bbb"):
        (tmp_path / "tasks").mkdir(exist_ok=True)
        (tmp_path / "tasks" / f"{name}.json").write_text(json.dumps(SOLVED))
    (tmp_path / "arc.toml").write_text(TINY_ARC)
    assert trm("--no-ui", "run", "arc.toml", "--name", "arc", "--json").code == 0
    return trm


def test_votes_are_counted_and_submitted(arc, tmp_path: Path) -> None:
    done = arc("eval", "arc", "--vote", "--augmentations", 3, "--submission", "out.json", "--json")
    assert done.code == 0
    (told,) = done.objects
    assert (told["images"], told["test_inputs"], told["predictions"], told["complete"]) == (4, 4, 16, True)
    assert list(told["pass"]) == ["1", "2", "5", "10", "100", "1000"]
    assert told["submission"] == "out.json"
    submission = json.loads((tmp_path / "out.json").read_text())
    assert sorted(submission) == ["aaa", "bbb"]
    assert [sorted(tries) for tries in submission["aaa"]] == [["attempt_1", "attempt_2"]] * 2


def test_votes_are_told_to_people(arc) -> None:
    done = arc("eval", "arc", "--vote")
    assert done.code == 0
    assert "pass@2" in done.out
    assert "7 images of each" in done.out


def test_tasks_written_as_a_dataset_folder_are_trained_on_and_voted_on(arc) -> None:
    assert arc("data", "build", "arc.toml", "folder", "--format", "published").code == 0
    assert arc("data", "verify", "arc.toml", "folder").code == 0
    ran = arc("--no-ui", "run", "arc.toml", "--set", "task.data=folder", "--name", "again", "--json")
    assert ran.code == 0
    assert ran.objects[-1]["weights_sha256"] == arc("sessions", "show", "arc", "--json").objects[0][
        "summary"
    ].get("weights_sha256")
    (told,) = arc("eval", "again", "--vote", "--json").objects
    assert (told["images"], told["test_inputs"], told["predictions"]) == (7, 4, 28)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vote", "--data", "tasks"), "leave --data out"),
        (("--augmentations", "3"), "belong to --vote"),
        (("--submission", "out.json"), "belong to --vote"),
        (("--vote", "--submission", "arc.toml"), "exists already"),
        (("--vote", "--submission", "no/where.json"), "cannot be written"),
    ],
)
def test_what_does_not_go_together_is_refused(arc, words: tuple[str, ...], said: str) -> None:
    done = arc("eval", "arc", *words)
    assert done.code == 2
    assert said in done.err


def test_only_arc_tasks_are_voted_on(trm, trained: str) -> None:
    done = trm("eval", trained, "--vote")
    assert done.code == 2
    assert "--vote is for ARC tasks; session" in done.err


def test_a_test_input_is_solved_by_its_task_s_name(arc) -> None:
    done = arc("solve", "arc", "task:aaa#2", "--json")
    assert done.code in (0, 1)
    assert "known solution" in done.objects[0]["reason"]


def test_the_puzzle_embedding_of_the_named_task_is_used(arc, monkeypatch: pytest.MonkeyPatch) -> None:
    from trm_engine.models.trm import TRM

    asked = []
    puzzle_rows = TRM.puzzle_rows
    monkeypatch.setattr(
        TRM, "puzzle_rows", lambda model, ids: asked.append(set(ids.tolist())) or puzzle_rows(model, ids)
    )
    arc("solve", "arc", "task:bbb 12", "--json")
    assert asked.pop() == {8}
    arc("solve", "arc", "12", "--json")
    assert asked.pop() == {0}


def test_an_unknown_task_is_refused_with_the_nearest(arc) -> None:
    done = arc("solve", "arc", "task:aab")
    assert done.code == 2
    assert 'has no task "aab". Did you mean "' in done.err


def test_a_session_goes_on_exactly_with_its_puzzle_embeddings(arc) -> None:
    whole = arc("--no-ui", "run", "arc.toml", "--json", "-s", "train.steps=8").objects[-1]
    first = arc("--no-ui", "run", "arc.toml", "--json", "-s", "train.steps=8", "--steps", 3).objects[-1]
    rest = arc("--no-ui", "resume", first["session"], "--json").objects[-1]
    assert rest["weights_sha256"] == whole["weights_sha256"]
    assert arc("--no-ui", "replay", whole["session"], "--json").code == 0


def test_an_interrupted_vote_tells_what_it_found_and_submits_nothing(
    arc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trm_engine.inference.vote as module

    make = module.predictor

    def interrupting(*words, **options):
        predict = make(*words, **options)
        return lambda batch: signal.raise_signal(signal.SIGINT) or predict(batch)

    monkeypatch.setattr(module, "predictor", interrupting)
    arc("--no-ui", "run", "arc.toml", "--name", "small", "--json", "-s", "eval.batch_size=8")
    done = arc("eval", "small", "--vote", "--submission", "out.json", "--json")
    assert done.code == 130
    assert (done.objects[0]["complete"], done.objects[0]["test_inputs"]) == (False, 1)
    assert "interrupted after 1 test inputs; no submission is written" in done.err
    assert not (tmp_path / "out.json").exists()
