"""Windows of a text: what they hold, what is held out, what a person is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trm_engine.tasks
from trm_engine.config import Config
from trm_engine.config.rules import rules
from trm_engine.errors import UsageError
from trm_engine.tasks.fingerprint import fingerprint
from trm_engine.tasks.sampler import Sampler
from trm_engine.tasks.text.config import TextConfig
from trm_engine.tasks.text.task import TextTask
from trm_engine.tasks.text.vocabulary import Vocabulary

ALPHABET = "abcdefghijklmnopqrstuvwxyz" * 4  # 104 characters: 94 to learn from, 10 held out


def task(folder: Path, text: str = ALPHABET, **settings: object) -> TextTask:
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    config = TextConfig(**{"data": str(path), "context": 4, **settings})  # type: ignore[arg-type]
    built = trm_engine.tasks.build_task(config)
    assert isinstance(built, TextTask)
    return built


def test_a_window_begins_anywhere_and_is_labelled_one_further(tmp_path: Path) -> None:
    made = task(tmp_path)
    assert len(made.train) == 94 - 4
    taken = made.train.take(np.array([0, 3, 89]))
    vocabulary = Vocabulary(made.vocabulary)
    assert [vocabulary.decode(row) for row in taken.inputs] == ["abcd", "defg", "lmno"]
    assert [vocabulary.decode(row) for row in taken.labels] == ["bcde", "efgh", "mnop"]


def test_held_out_windows_lie_side_by_side_at_the_end(tmp_path: Path) -> None:
    made = task(tmp_path)
    vocabulary = Vocabulary(made.vocabulary)
    assert len(made.test) == 2
    assert [vocabulary.decode(row) for row in made.test.take(slice(0, 9)).inputs] == ["qrst", "uvwx"]
    assert [vocabulary.decode(row) for row in made.test.head(1).labels] == ["rstu"]


@pytest.mark.parametrize("count", range(9))
def test_no_window_reaches_beyond_the_text(tmp_path: Path, count: int) -> None:
    source = task(tmp_path).train
    windows = type(source)(source.tokens[:count], source.vocabulary, 4)
    assert len(windows) == max(0, count - 4)
    assert windows.take(slice(0, 99)).inputs.shape == (len(windows), 4)


def test_training_never_sees_what_is_held_out(tmp_path: Path) -> None:
    made = task(tmp_path, "a" * 90 + "b" * 10)
    everything = made.train.take(slice(0, len(made.train)))
    assert set(everything.labels.ravel().tolist()) == {1}
    assert set(made.test.take(slice(0, 9)).inputs.ravel().tolist()) == {2}


def test_a_sampler_draws_every_window_once_an_epoch(tmp_path: Path) -> None:
    made = task(tmp_path)
    drawn = Sampler(made.train, 3).next(len(made.train)).inputs
    everything = made.train.take(slice(0, len(made.train))).inputs
    assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, everything.tolist()))
    assert drawn.tolist() != everything.tolist()


def test_the_fingerprint_covers_characters_and_their_order(tmp_path: Path) -> None:
    names = [fingerprint(task(tmp_path, text))["train"] for text in (ALPHABET, ALPHABET[::-1], ALPHABET)]
    assert names[0] == names[2] != names[1]
    # The same tokens, of other characters.
    assert fingerprint(task(tmp_path, ALPHABET.upper()))["train"] != names[0]


def test_facts_tell_size_and_what_is_unknown(tmp_path: Path) -> None:
    facts = task(tmp_path, ALPHABET, max_vocabulary=26).facts
    assert facts["source"].startswith("text.txt: 104 characters, 25 different, 4 characters beyond these")
    assert facts["test"] == "the last 10 characters (10%)"


def test_a_trained_vocabulary_reads_another_text(tmp_path: Path) -> None:
    config = TextConfig(data=str(tmp_path / "gone.txt"), context=4)
    (tmp_path / "other.txt").write_text("abXabXabX")
    loaded = TextTask(config, vocabulary=Vocabulary("ab")).load(str(tmp_path / "other.txt"))
    assert loaded.take(slice(0, 9)).labels.tolist() == [[2, 0, 1, 2], [0, 1, 2, 0]]


@pytest.mark.parametrize(("characters", "enough"), [(44, False), (46, True)])
def test_a_text_that_is_too_short_says_how_long_it_must_be(
    tmp_path: Path, characters: int, enough: bool
) -> None:
    made = task(tmp_path, "ab" * 22 + "a" * (characters - 44))
    if enough:
        assert len(made.train) > 0
        assert len(made.test) == 1
    else:
        with pytest.raises(UsageError, match="too few for context 4: "):
            made.facts  # noqa: B018  # reading them reads the text


def test_the_length_that_is_asked_for_is_enough(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        task(tmp_path, "abc").facts  # noqa: B018
    needed = int(str(caught.value).split(": ")[-1].split()[0])
    assert len(task(tmp_path, "a" * needed).test) >= 1


def test_another_file_needs_a_window_too(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("abc")
    with pytest.raises(UsageError, match="too few"):
        task(tmp_path).load(str(tmp_path / "other.txt"))


# --- configuration ----------------------------------------------------------------------------------------


def told(**sections: dict[str, object]) -> list[str]:
    tables = {"task": {"kind": "text"}, **sections}
    return [str(problem) for problem in rules(Config.model_validate(tables))]


TEXT_MODEL = {"architecture": "text", "mixer": "attention", "positions": "rope"}


def test_a_text_model_has_no_problems() -> None:
    assert told(model=TEXT_MODEL, eval={"target_loss": 1.9}) == []


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"model": {}}, 'a "text" task is learned by a text model; set this to "text"'),
        ({"model": {**TEXT_MODEL, "mixer": "mlp_t"}}, 'a text model needs "attention"'),
        ({"model": TEXT_MODEL, "train": {"loss": "stablemax"}}, 'trained with "softmax"'),
        ({"model": TEXT_MODEL, "eval": {"target_accuracy": 0.9}}, "set target_loss instead"),
        ({"model": TEXT_MODEL, "eval": {"target_loss": 1.9, "every": 0}}, "nothing can stop early"),
        (
            {"task": {"kind": "sudoku"}, "model": {"architecture": "text"}},
            'a "sudoku" task is learned by a puzzle model',
        ),
        ({"task": {"kind": "sudoku"}, "eval": {"target_loss": 1.0}}, "set target_accuracy instead"),
    ],
)
def test_what_cannot_work_says_what_to_set(sections: dict[str, dict[str, object]], message: str) -> None:
    assert any(message in problem for problem in told(**sections))


def test_a_text_has_no_puzzles() -> None:
    with pytest.raises(UsageError, match='a "text" task has no puzzles'):
        trm_engine.tasks.build_puzzles(TextConfig())


def test_a_person_is_warned_where_much_of_a_text_has_no_token(tmp_path: Path) -> None:
    text = ("ab" * 20 + "cdefghijkl") * 4
    (warning,) = task(tmp_path, text, max_vocabulary=3).warnings
    assert warning.startswith("20% of the characters of text.txt are neither learned nor scored: ")
    assert "only the 2 most frequent ones have a token; raise task.max_vocabulary (now 3)" in warning
    assert task(tmp_path).warnings == []


def test_a_held_out_part_without_one_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no character of the held-out part has a token.*max_vocabulary"):
        _ = task(tmp_path, "ab" * 45 + "wxyz" * 2 + "uv", max_vocabulary=3).facts
