"""Servers of language models: answers stream, stop at once, and every failure is told with a remedy."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.language_server import WORDS, Stub, stub_server
from trm_engine.language.endpoint import OllamaModel, OpenAIModel
from trm_engine.language.http import check_url
from trm_engine.language.model import LanguageError, Message, Tool, Wish
from trm_engine.language.stop import Stop, StoppedError

HELLO = [Message("user", "hello")]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_server() as server:
        yield server


@pytest.fixture(params=["openai", "ollama"])
def made(request, stub: Stub):
    """Return a function that makes a model of the stub by its name."""

    def make(model: str, **options):
        if request.param == "openai":
            return OpenAIModel("m", f"{stub.url}/v1", model, context=4096, **options)
        return OllamaModel("m", stub.url, model, context=4096, **options)

    return make


def test_an_answer_is_heard_piece_by_piece(made) -> None:
    heard: list[str] = []
    said = made("good").answer(Wish(HELLO), heard.append, Stop())
    assert heard == WORDS
    assert said.text == "".join(WORDS)
    assert (said.prompt_tokens, said.completion_tokens, said.finish) == (11, 7, "stop")


def test_ollama_is_asked_for_the_whole_context(stub: Stub) -> None:
    OllamaModel("m", stub.url, "good", context=12345).answer(Wish(HELLO), lambda _: None, Stop())
    assert stub.asked[0]["options"]["num_ctx"] == 12345


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("unauthorized", "unauthorized"),
        ("unknown", "missing_model"),
        ("busy", "busy"),
        ("context", "context_too_long"),
        ("failing", "refused"),
        ("cut", "cut"),
        ("error-in-stream", "refused"),
        ("garbage", "not_understood"),
    ],
)
def test_every_failure_has_a_code_and_a_remedy(made, model: str, code: str) -> None:
    with pytest.raises(LanguageError) as caught:
        made(model).answer(Wish(HELLO), lambda _: None, Stop())
    assert caught.value.code == code
    assert caught.value.hint or caught.value.remedies


def test_a_server_that_says_nothing_is_not_waited_for(made) -> None:
    with pytest.raises(LanguageError) as caught:
        made("silent").answer(Wish(HELLO, seconds=1.0), lambda _: None, Stop())
    assert caught.value.code == "timeout"


def test_a_server_that_is_too_slow_is_ended(made) -> None:
    with pytest.raises(LanguageError) as caught:
        made("slow").answer(Wish(HELLO, seconds=1.0), lambda _: None, Stop())
    assert caught.value.code == "timeout"


@pytest.mark.parametrize("model", ["slow", "silent"])
def test_a_stopped_answer_ends_at_once_and_closes_the_connection(made, stub: Stub, model: str) -> None:
    stop = Stop()
    stopper = threading.Thread(target=lambda: stub.reached.wait(60) and stop.set())
    stopper.start()
    with pytest.raises(StoppedError):
        made(model).answer(Wish(HELLO, seconds=60), lambda _: None, stop)
    stopper.join()
    assert model == "silent" or stub.broken_off.wait(60)


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(LanguageError) as caught:
        OllamaModel("m", "http://127.0.0.1:9", "x", context=512).answer(Wish(HELLO), lambda _: None, Stop())
    assert caught.value.code == "endpoint_down"
    assert "ollama serve" in str(caught.value)


def test_calls_of_tools_are_put_together(made, stub: Stub) -> None:
    stub.calls = [{"name": "solve_puzzle", "arguments": {"puzzle": "1..4......4..23."}}]
    tool = Tool("solve_puzzle", "solves", {"type": "object"})
    said = made("tools").answer(Wish(HELLO, tools=[tool]), lambda _: None, Stop())
    assert said.finish == "calls"
    assert said.calls[0].name == "solve_puzzle"
    assert "1..4......4..23." in said.calls[0].arguments
    assert stub.asked[0]["tools"][0]["function"]["name"] == "solve_puzzle"


def test_the_token_comes_from_the_environment(made, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret-1")
    made("good", token_variable="MY_TOKEN").answer(Wish(HELLO), lambda _: None, Stop())
    assert stub.tokens == ["Bearer secret-1"]
    monkeypatch.delenv("MY_TOKEN")
    with pytest.raises(LanguageError) as caught:
        made("good", token_variable="MY_TOKEN")
    assert caught.value.code == "missing_token"


def test_a_server_tells_what_it_offers(made) -> None:
    assert [name.removesuffix(":latest") for name in made("good").offered()] == ["good", "slow", "tools"]


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "ftp://x", "http://", "http://a:b@c", "http://x?token=1", "http://x:y", "x"],
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(LanguageError):
        check_url(url)
