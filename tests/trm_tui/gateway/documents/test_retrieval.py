"""Passages: found by words, cited by place; no question drives the index, nothing outside is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_tui.gateway.documents.passages import of_text
from trm_tui.gateway.documents.retrieval import Index, Library, of_context

QUESTIONS = {
    "How do I resume a stopped run?": "resume",
    "Which addresses does the server listen on?": "127.0.0.1",
    "How can I fine-tune a session on my own puzzles?": "--from",
    "What does the token do?": "token",
    "How do I run it in a container with docker?": "docker",
    "Where do I get tinyshakespeare?": "tinyshakespeare",
    "How do I export published weights?": "checkpoint",
    "What does sudoku-4x4 learn?": "4×4",
    "How is a batch of puzzles uploaded as CSV?": "CSV",
    "What are the exit codes?": "Exit codes",
    "How do I add a task of my own?": "task",
    "Which Kaggle JSON files of ARC are read?": "Kaggle",
}


@pytest.fixture(scope="module")
def help_library() -> Library:
    return Library()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_help_answers_within_three_passages(help_library: Library, question: str) -> None:
    found = help_library.search(question)
    assert any(QUESTIONS[question] in passage.text for passage in found), [one.title for one in found]


@pytest.mark.parametrize(
    "question", ["Good morning!", "capital of France?", "", "the a of", "zebra giraffe quokka"]
)
def test_what_the_help_does_not_know_finds_nothing(help_library: Library, question: str) -> None:
    assert help_library.search(question) == []


@pytest.mark.parametrize(
    "question", ['"', "a OR b", "title:*", 'NEAR("x" "y")', "'; DROP TABLE passages; --", "^x"]
)
def test_nothing_in_a_question_is_an_operator(question: str) -> None:
    index = Index(of_text("the cat sleeps", "x"))
    index.search(question)
    assert len(index.search("cat sleeps")) == 1


def test_a_folder_is_read_again_when_its_files_change(tmp_path: Path) -> None:
    now = [0.0]
    (tmp_path / "a.md").write_text("# Cats\nThe cat sleeps on the roof.")
    library = Library(folder=tmp_path, clock=lambda: now[0])
    assert library.search("Where does the cat sleep?")[0].where == "a.md"
    (tmp_path / "b.txt").write_text("The zebra lives in the quokka house.")
    assert library.search("zebra quokka") == []
    now[0] = 10.0
    assert library.search("zebra quokka")[0].where == "b.txt"


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    outside, inside = tmp_path / "secret.txt", tmp_path / "docs"
    outside.write_text("the password is quokka")
    inside.mkdir()
    (inside / "link.txt").symlink_to(outside)
    (inside / "up").symlink_to(tmp_path)
    (inside / ".hidden.txt").write_text("hidden quokka")
    assert Library(folder=inside).search("password quokka") == []


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00quokka")
    library = Library(folder=tmp_path)
    library.search("quokka zebra")
    assert any(line.startswith("a.txt") for line in library.left_out)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        Library(folder=tmp_path / "none")


def test_of_a_long_context_the_best_passages_are_taken() -> None:
    text = "\n\n".join(f"# Part {n}\nword{n} " + "filler " * 130 for n in range(20))
    found = of_context([text], "What about word7?")
    assert "word7" in found[0].text
    assert len(found) <= 3
