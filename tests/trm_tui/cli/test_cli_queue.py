"""`queue`: filled, ordered and run without the app."""

from __future__ import annotations

from tests.trm_tui.conftest import Trm


def test_runs_are_added_swept_ordered_and_taken_out(trm: Trm) -> None:
    assert trm("queue", "list").out == "nothing is queued\n"
    assert "queued tiny; 1 in the queue" in trm("queue", "add", "tiny.toml").out
    done = trm("queue", "add", "tiny.toml", "--sweep", "train.lr=0.001,0.002", "--name", "try")
    assert "queued try lr=0.001, try lr=0.002; 3 in the queue" in done.out
    assert "try lr=0.002 is number 1 now" in trm("queue", "move", "3", "1").out
    assert "removed tiny" in trm("queue", "remove", "2").out
    (listed,) = trm("queue", "list", "--json").objects
    assert [run["name"] for run in listed] == ["try lr=0.002", "try lr=0.001"]
    assert "lr = 0.001" in listed[1]["config"]
    assert "try lr=0.001" in trm("queue", "list").out


def test_what_is_wrong_is_said(trm: Trm) -> None:
    assert "there is no number 1: 0 are queued" in trm("queue", "remove", "1").err
    assert "section.key=value,value" in trm("queue", "add", "tiny.toml", "--sweep", "train.lr").err
    assert "train.lr" in trm("queue", "add", "tiny.toml", "--sweep", "train.lr=1,x").err
    assert trm("queue", "list", "--json").objects == [[]], "all or nothing"


def test_they_are_run_one_after_another(trm: Trm) -> None:
    untuned = ("--set", "runtime.tuning=off")
    trm("queue", "add", "tiny.toml", "--name", "one", *untuned)
    trm("queue", "add", "tiny.toml", "--name", "two", "--set", "train.lr=0.002", *untuned)
    done = trm("queue", "run")
    assert done.code == 0
    assert done.err.index("one: completed") < done.err.index("two: running")
    assert "the queue is finished" in done.err
    names = [record["name"] for record in trm("sessions", "list", "--json").objects[0]]
    assert sorted(names) == ["one", "two"]
    assert trm("queue", "list", "--json").objects == [[]]


def test_what_cannot_be_run_stays_with_its_reason(trm: Trm) -> None:
    trm("queue", "add", "tiny.toml", "--set", 'task.data="/nowhere/x.csv"')
    done = trm("queue", "run")
    assert done.code == 1
    assert "There is no /nowhere/x.csv" in done.err
    assert "/nowhere/x.csv" in trm("queue", "list").out
