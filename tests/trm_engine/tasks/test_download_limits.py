"""Downloads are bounded: how much comes, how slowly, for how long; and can be called off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from tests.trm_engine.tasks.loopback_hub import REPO, LoopbackHub, serving
from trm_engine.errors import UsageError
from trm_engine.progress import silent
from trm_engine.tasks.hub.client import HubDataset, download
from trm_engine.tasks.hub.pace import Limits, Pace
from trm_engine.tasks.hub.transfer import transfer

CONTENT = bytes(range(256)) * 400


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with serving(LoopbackHub({"train.csv": CONTENT})) as server:
        yield server
        huggingface_hub.close_session()


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def paced(**limits: float) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace("downloading x", Limits(**limits), None, clock), clock  # type: ignore[arg-type]


def drip(pace: Pace, clock: Clock, *, times: int, seconds: float, count: int) -> None:
    for _ in range(times):
        clock.now += seconds
        pace.took(count)


def url_of(hub: LoopbackHub) -> str:
    return f"{hub.url}/datasets/{REPO}/resolve/main/train.csv"


def test_a_file_of_unknown_size_is_bounded(hub: LoopbackHub, tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    with pytest.raises(
        UsageError, match=r"names no size and sends more than 50\.0 kB; fetch the file by other"
    ):
        transfer(url_of(hub), partial, None, "downloading x", silent, Limits(most_bytes=50_000))
    assert partial.stat().st_size == 0


def test_a_file_of_unknown_size_within_the_bound_arrives(hub: LoopbackHub, tmp_path: Path) -> None:
    transfer(url_of(hub), tmp_path / "partial", None, "downloading x", silent)
    assert (tmp_path / "partial").read_bytes() == CONTENT


def test_a_server_that_sends_too_slowly_is_given_up_and_what_came_is_kept(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    slow = Limits(least_rate=1e15, rate_seconds=0.0)
    with pytest.raises(UsageError, match=r"was given up: the server sends .* bytes a second; run it again"):
        transfer(url_of(hub), tmp_path / "partial", len(CONTENT), "downloading x", silent, slow)
    assert 0 < (tmp_path / "partial").stat().st_size <= len(CONTENT)


def test_one_byte_every_two_seconds_is_too_slow() -> None:
    pace, clock = paced(least_rate=1000, rate_seconds=60)
    with pytest.raises(UsageError, match="the server sends 0 bytes a second"):
        drip(pace, clock, times=31, seconds=2, count=1)
    assert clock.now == 60


def test_a_short_pause_is_no_fault() -> None:
    pace, clock = paced(least_rate=1000, rate_seconds=60)
    drip(pace, clock, times=100, seconds=20, count=30_000)


def test_a_download_ends_at_some_time() -> None:
    pace, clock = paced(total_seconds=3600)
    with pytest.raises(UsageError, match="it has taken more than 1:00:00"):
        drip(pace, clock, times=100, seconds=59, count=10**6)


def test_a_download_can_be_called_off(hub: LoopbackHub, tmp_path: Path) -> None:
    class CalledOffError(Exception):
        pass

    def stop(_what: str, _done: int, _total: int) -> None:
        raise CalledOffError

    with pytest.raises(CalledOffError):
        download(HubDataset(REPO, "main"), "train.csv", stop, endpoint=hub.url, cache=tmp_path)
