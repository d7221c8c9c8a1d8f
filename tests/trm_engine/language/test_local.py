"""A real GGUF file in this process: it answers, streams, is stopped; its own port gives nothing away."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.small_model import small_model
from trm_engine.language.local import LocalModel
from trm_engine.language.model import LanguageError, Message, Wish
from trm_engine.language.stop import Stop, StoppedError

HELLO = [Message("user", "Say hello.")]


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    found = LocalModel("small", small_model(), context=1024, budget=10**10)
    yield found
    found.close()


def test_it_answers_and_streams(model: LocalModel) -> None:
    heard: list[str] = []
    said = model.answer(Wish(HELLO, max_tokens=12, temperature=0), heard.append, Stop())
    assert len(heard) > 1
    assert "".join(heard) == said.text != ""
    assert said.prompt_tokens
    assert said.completion_tokens


def test_it_is_stopped_within_an_answer(model: LocalModel) -> None:
    stop, heard = Stop(), []

    def hear(piece: str) -> None:
        heard.append(piece)
        if len(heard) == 3:
            stop.set()

    with pytest.raises(StoppedError):
        model.answer(Wish([Message("user", "Count to one thousand.")], max_tokens=900), hear, stop)
    assert len(heard) <= 5


class CountedStop(Stop):
    """Counts how often it is looked at: once after each part of a prompt, and after each token."""

    looks = 0

    @property
    def is_set(self) -> bool:
        self.looks += 1
        return super().is_set


def test_it_is_stopped_before_the_whole_prompt_is_read(model: LocalModel) -> None:
    whole, stopped = CountedStop(), CountedStop()
    model.answer(Wish([Message("user", "word " * 700)], max_tokens=1), lambda _: None, whole)
    stopped.set()
    with pytest.raises(StoppedError):
        model.answer(Wish([Message("user", "other " * 700)], max_tokens=1), lambda _: None, stopped)
    assert stopped.looks < whole.looks / 2, "the prompt was read to its end"


def test_a_schema_holds(model: LocalModel) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 10}}, "required": ["a"]}
    said = model.answer(Wish(HELLO, max_tokens=60, temperature=0, schema=schema), lambda _: None, Stop())
    assert set(json.loads(said.text)) == {"a"}


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(model: LocalModel) -> None:
    with pytest.raises(LanguageError) as caught:
        model.answer(Wish([Message("user", "word " * 3000)]), lambda _: None, Stop())
    assert caught.value.code == "context_too_long"
    assert "1024" in caught.value.message


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/props", "/slots", "/metrics", "/completion", "/tokenize"]
)
def test_the_librarys_own_port_gives_nothing_away(model: LocalModel, path: str) -> None:
    assert model.inner_address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(model.inner_address + path, timeout=10)
    assert caught.value.code in (401, 404)
    caught.value.close()


def test_beside_a_run_it_computes_with_one_thread() -> None:
    threads = [2]
    told: list[str] = []
    model = LocalModel(
        "small",
        small_model(),
        context=512,
        budget=10**10,
        threads=lambda: threads[0],
        tell=lambda decision: told.append(str(decision)),
    )
    threads[0] = 1
    model.answer(Wish(HELLO, max_tokens=2), lambda _: None, Stop())
    assert [("2 threads" in one, "1 thread " in one) for one in told] == [(True, False), (False, True)]
    model.close()
    with pytest.raises(LanguageError):
        model.answer(Wish(HELLO), lambda _: None, Stop())


def test_a_model_too_large_for_memory_is_not_loaded() -> None:
    with pytest.raises(LanguageError) as caught:
        LocalModel("small", small_model(), context=1024, budget=50_000_000)
    assert caught.value.code == "too_large"
