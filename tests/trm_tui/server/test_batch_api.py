"""Batches: JSON or CSV in, JSON, CSV or lines of JSON out, with progress and an end."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.serving import PUZZLE, SOLUTION, sudoku_store
from tests.trm_tui.server.conftest import Served, running
from trm_engine.errors import UsageError
from trm_tui.server.batches import read_list, write_csv
from trm_tui.server.settings import Limits

CSV = {"content-type": "text/csv"}


def test_a_list_of_puzzles(served: Served) -> None:
    body = {"puzzles": [PUZZLE, {"puzzle": PUZZLE, "truth": SOLUTION}, "11..............", "x"]}
    found = served.client.post("/api/batch", json=body).json()
    assert (found["total"], found["done"], found["finished"]) == (4, 4, True)
    assert [row["status"] for row in found["rows"]] == ["solved", "solved", "error", "error"]
    assert found["rows"][1]["exact"] is True
    assert found["rows"][0]["exact"] is None
    assert "appears 2 times" in found["rows"][2]["error"]
    assert found["exact"] == 1


def test_csv_in_and_out(served: Served) -> None:
    text = f"id,puzzle,solution\n7,{PUZZLE},{SOLUTION}\n8,{PUZZLE},\n"
    answer = served.client.post("/api/batch", content=text, headers={**CSV, "accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["answer"] for row in rows] == [SOLUTION, SOLUTION]
    assert [row["exact"] for row in rows] == ["True", ""]


def test_rows_are_streamed_as_they_are_done(served: Served) -> None:
    text = "\n".join([PUZZLE] * 20)
    with served.client.stream("POST", "/api/batch?stream=true", content=text, headers=CSV) as response:
        lines = [json.loads(line) for line in response.iter_lines()]
    assert lines[0]["done"] == 0
    assert sorted(line["number"] for line in lines[1:-1]) == list(range(1, 21))
    assert lines[-1]["finished"] is True


def test_progress_can_be_asked_for(gated) -> None:
    served, gate, _ = gated
    begun = served.client.post(
        "/api/batch", json={"puzzles": [PUZZLE] * 3, "wait": False, "max_steps": 1, "views": 0}
    )
    assert begun.status_code == 202
    path = begun.headers["location"]
    assert served.client.get(path).json()["finished"] is False
    gate.release(100)
    while not served.client.get(path).json()["finished"]:
        pass
    assert len(served.client.get(path).json()["rows"]) == 3
    assert served.client.get(path, headers={"accept": "text/csv"}).text.startswith("number,")
    assert served.client.get("/api/batch/nothing").status_code == 404


def test_a_batch_can_be_stopped(gated) -> None:
    served, gate, made = gated
    body = {"puzzles": [PUZZLE, "." * 16] * 20, "wait": False, "max_steps": 50, "views": 0}
    path = served.client.post("/api/batch", json=body).headers["location"]
    gate.release(1)
    served.client.delete(path)
    gate.release(1000)
    while not served.client.get(path).json()["finished"]:
        pass
    assert served.client.get(path).json()["cancelled"] is True
    while served.service.open:
        pass
    assert made[0].steps < 10


def test_only_so_many_batches_run_at_once(tmp_path) -> None:
    import threading

    from tests.serving import Oracle

    gate = threading.Semaphore(0)
    limits = Limits(batches_running=2, batch_puzzles=5, requests_per_second=1000)
    with running(sudoku_store(tmp_path), lambda config: Oracle(config, gate=gate), limits=limits) as served:
        body = {"puzzles": [PUZZLE], "wait": False}
        answers = [served.client.post("/api/batch", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert answers[2].headers["retry-after"]
        gate.release(100)
        many = "\n".join([PUZZLE] * 6)
        while served.client.get(answers[0].headers["location"]).json()["finished"] is False:
            pass
        refused = served.client.post("/api/batch", content=many, headers=CSV)
        assert refused.status_code == 422
        assert "at most 5" in refused.json()["error"]["message"]


@pytest.mark.parametrize("text", ["", "\n\n", "puzzle,solution\n"])
def test_a_list_without_puzzles_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no puzzle"):
        read_list(text, 10)


def test_lists_of_every_form() -> None:
    plain = read_list("# a note\n12..\n34.., 3412\r\n", 10)
    assert [(item.puzzle, item.truth) for item in plain] == [("12..", ""), ("34..", "3412")]
    table = read_list('\ufeffsource,Question,Answers\nx,"1,2",34\n', 10)
    assert [(item.puzzle, item.truth) for item in table] == [("1,2", "34")]
    with pytest.raises(UsageError, match="at most 2"):
        read_list("1\n2\n3\n", 2)


def test_no_cell_of_a_csv_is_a_formula() -> None:
    text = write_csv([{"number": 1, "puzzle": "=cmd()", "error": "+1", "status": "error"}])
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["puzzle"] == "'=cmd()"
    assert row["error"] == "'+1"
