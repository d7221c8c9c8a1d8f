"""The command line: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import begin, told
from trm_tui.cli.main import main


def test_json_output_is_the_run_as_events(trm: Any) -> None:
    done = trm("--no-ui", "run", "tiny.toml", "--json")
    assert done.code == 0
    kinds = [event["event"] for event in done.objects]
    assert kinds[0] == "started"
    assert {"checkpoint", "step", "eval"} <= set(kinds)
    finished = done.objects[-1]
    assert finished["event"] == "finished"
    assert finished["status"] == "completed"
    assert finished["steps"] == 6
    assert len(finished["weights_sha256"]) == 64
    assert finished["resources"]["batch_reductions"] == 0


def test_people_get_a_summary_on_stdout_and_progress_on_stderr(trm: Any) -> None:
    done = trm("--no-ui", "run", "tiny.toml")
    assert "exact accuracy" in done.out
    assert "of 12 puzzles after" in done.out
    assert "peak memory" in done.out
    assert "samples/s" in done.out
    assert "step 3:" in done.err
    assert "step 3:" not in done.out


def test_quiet_prints_the_result_alone(trm: Any) -> None:
    done = trm("--no-ui", "run", "tiny.toml", "--quiet")
    assert done.err == ""
    assert "exact accuracy" in done.out


def test_steps_stop_cleanly_and_resume_goes_on(trm: Any) -> None:
    whole = trm("--no-ui", "run", "tiny.toml", "--json").objects[-1]
    part = trm("--no-ui", "run", "tiny.toml", "--json", "--steps", 2).objects[-1]
    assert part["status"] == "stopped"
    rest = trm("--no-ui", "resume", "latest", "--json").objects[-1]
    assert rest["session"] == part["session"]
    assert rest["weights_sha256"] == whole["weights_sha256"]


def test_replay_reports_whether_every_loss_agreed(trm: Any, trained: str) -> None:
    verdict = trm("--no-ui", "replay", "first", "--json")
    assert verdict.code == 0
    assert verdict.objects[0]["agrees"] is True
    assert verdict.objects[0]["replayed"] == trained


def test_eval_measures_held_out_puzzles_and_files(trm: Any, trained: str, tmp_path: Path) -> None:
    held_out = trm("eval", "first", "--json").objects[0]
    assert held_out["puzzles"] == 12
    (tmp_path / "list.txt").write_text(".321..3..4..21..\n14......321.4.2.\n")
    file = trm("eval", "first", "--data", "list.txt", "--early-halt", "--json").objects[0]
    assert file["puzzles"] == 2
    assert 0 <= file["exact_accuracy"] <= 1


def test_solve_answers_in_full_and_says_whether_it_is_right(trm: Any, trained: str) -> None:
    done = trm("solve", "first", ".321..3..4..21..", "--json", "--steps")
    answer = done.objects[0]
    assert len(answer["answer"]) == 16
    assert done.code == (0 if answer["solved"] else 1)
    looks = [step["look"] for step in answer["steps"]]
    assert [step["step"] for step in answer["steps"]][:3] == [1, 2, 3]
    assert looks[:3] == [1, 1, 1]
    assert (max(looks), len(looks)) == (answer["looks"], answer["supervision_steps"])


def test_check_predicts_and_refuses(trm: Any) -> None:
    fits = trm("check", "tiny.toml", "--json")
    assert fits.code == 0
    assert fits.objects[0]["fits"] is True
    refused = trm("check", "sudoku-9x9", "--set", "memory.budget_gb=0.4", "--set", "train.batch_size=4096")
    assert refused.code == 4
    assert "--set train.micro_batch=" in refused.err


def test_check_plans_for_a_named_machine(trm: Any) -> None:
    done = trm("--hardware", "macbook-pro-2018-i5", "check", "sudoku-9x9", "--json")
    assert done.code == 0
    assert done.objects[0]["samples_per_second"] > 0


def test_presets_lists_and_prints(trm: Any) -> None:
    names = [preset["name"] for preset in trm("presets", "--json").objects[0]]
    assert names[0] == "sudoku-4x4", "from light to heavy"
    assert {"sudoku-4x4", "sudoku-6x6", "sudoku-9x9", "sudoku-extreme"} <= set(names)
    assert "hidden_size" in trm("presets", "sudoku-4x4").out


def test_hardware_shows_what_was_detected(trm: Any) -> None:
    machine = trm("hardware", "--json").objects[0]
    assert machine["torch"]["version"] != "unknown"
    assert "vector extensions" in trm("hardware").out


def test_sessions_are_listed_shown_marked_deleted_and_restored(trm: Any, trained: str) -> None:
    assert [s["id"] for s in trm("sessions", "list", "--json").objects[0]] == [trained]
    assert "first" in trm("sessions", "list").out
    shown = trm("sessions", "show", "first", "--json").objects[0]
    assert shown["checkpoints"][-1]["step"] == 6
    assert shown["history"][0]["reason"] == "created"
    assert "exact accuracy" in trm("sessions", "show", "first").out
    assert "good" in trm("sessions", "tag", "first", "good").out
    assert "no tags" in trm("sessions", "tag", "first", "good", "--remove").out
    assert trm("sessions", "note", "first", "a note").code == 0
    assert "second" in trm("sessions", "rename", "first", "second").out
    assert trm("sessions", "delete", "second").code == 0
    assert trm("sessions", "list", "--json").objects[0] == []
    assert trm("sessions", "restore", trained).code == 0
    assert trm("sessions", "list", "--json").objects[0][0]["note"] == "a note"


def test_sessions_diff_compares_with_sessions_and_presets(trm: Any, trained: str) -> None:
    assert trm("sessions", "diff", "first", "first").out == "the configurations are equal\n"
    changes = trm("sessions", "diff", "first", "sudoku-4x4", "--json").objects[0]
    assert {"key": "model.hidden_size", "a": 8, "b": 64} in changes


def test_sessions_travel_as_archives(trm: Any, trained: str, tmp_path: Path) -> None:
    assert trm("sessions", "export", "first", tmp_path / "s.zip").code == 0
    imported = trm("sessions", "import", tmp_path / "s.zip").out.split()[-1]
    assert imported != trained
    weights = [
        trm("sessions", "show", ref, "--json").objects[0]["summary"]["weights_sha256"]
        for ref in (imported, trained)
    ]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("form", ["text", "csv"])
def test_data_builds_lists_that_load_again(trm: Any, form: str) -> None:
    assert trm("data", "build", "tiny.toml", "out.list", "--format", form).code == 0
    verified = trm("data", "verify", "tiny.toml", "out.list", "--unique", "--json").objects[0]
    assert verified["puzzles"] == 12


def test_data_builds_a_published_folder_that_trains(trm: Any) -> None:
    assert trm("data", "build", "tiny.toml", "folder", "--format", "published").code == 0
    done = trm("--no-ui", "run", "tiny.toml", "--set", 'task.data="folder"', "--json")
    assert done.objects[-1]["status"] == "completed"


def test_data_list_says_what_is_missing(trm: Any) -> None:
    rows = {row["preset"]: row for row in trm("data", "list", "--json").objects[0]}
    assert rows["sudoku-4x4"]["source"] == "generated"
    assert not rows["sudoku-extreme"]["present"]


def test_extreme_presets_say_where_their_data_should_be(trm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", "/nowhere")
    done = trm("--no-ui", "run", "sudoku-extreme")
    assert done.code == 2
    assert "task.data" in done.err


def test_version_and_help(trm: Any) -> None:
    assert trm("--version").out.startswith("trm-tui ")
    shown = trm("--help").out
    for command in (
        "run",
        "resume",
        "replay",
        "eval",
        "solve",
        "check",
        "presets",
        "hardware",
        "sessions",
        "data",
    ):
        assert command in shown


def test_debug_shows_the_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    from trm_engine.errors import UsageError

    with pytest.raises(UsageError):
        main(["--debug", "--no-ui", "run", "nothing.toml"])


def test_a_headless_run_never_imports_a_user_interface(tmp_path: Path, tiny_toml: str) -> None:
    (tmp_path / "tiny.toml").write_text(tiny_toml)
    program = (
        "import sys; from trm_tui.cli.main import main\n"
        "try: main(['--no-ui', '--sessions-dir', 's', 'run', 'tiny.toml', '-q'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert 'trm_engine.training.trainer' in sys.modules\n"
        "assert not {'textual', 'fastapi', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)


def test_help_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys; from trm_tui.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'numpy', 'pydantic', 'textual'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_sigterm_saves_and_exits_with_the_signals_code(tmp_path: Path, tiny_toml: str) -> None:
    (tmp_path / "tiny.toml").write_text(tiny_toml.replace("steps = 6", "steps = 1000000"))
    with begin(tmp_path, "s", "run", "tiny.toml", "--json") as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "step":
                process.terminate()
                break
        lines += [json.loads(line) for line in process.stdout]
    assert process.returncode == 128 + 15
    assert lines[-1]["event"] == "finished"
    assert lines[-1]["status"] == "stopped"
    saved = [event["step"] for event in lines if event["event"] == "checkpoint"]
    assert saved[-1] == lines[-1]["steps"]


def test_kill_9_loses_at_most_one_interval_and_resumes_to_the_same_weights(
    tmp_path: Path, tiny_toml: str
) -> None:
    config = tiny_toml.replace("steps = 6", "steps = 60") + "[checkpoint]\nevery_steps = 10\n"
    (tmp_path / "tiny.toml").write_text(config)
    straight = told(tmp_path, "straight", "run", "tiny.toml")
    with begin(tmp_path, "killed", "run", "tiny.toml", "--json") as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "checkpoint" and event["step"] >= 20:
                process.kill()
                break
    events = told(tmp_path, "killed", "resume", "latest")
    assert events[0]["step"] >= 20
    assert events[-1]["weights_sha256"] == straight[-1]["weights_sha256"]
