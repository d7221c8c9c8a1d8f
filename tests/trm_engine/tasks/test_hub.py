"""Files of the Hub, from a server on the loopback interface: whole, resumed, cached, refused in a word."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys

import huggingface_hub
import pytest
from huggingface_hub import constants

from tests.trm_engine.tasks.loopback_hub import COMMIT, REPO, LoopbackHub, serving
from trm_engine.errors import ResourceError, UsageError
from trm_engine.tasks import sources
from trm_engine.tasks.hub import transfer
from trm_engine.tasks.hub.client import PINNED, HubDataset, HubFile, cached_file, download
from trm_engine.tasks.sudoku.config import SudokuConfig

TRAIN = b"source,question,answer,rating\n" + bytes(range(256)) * 20
MAIN = HubDataset(REPO, "main")
AT_COMMIT = HubDataset(REPO, COMMIT)


@pytest.fixture
def hub():
    with serving(LoopbackHub({"train.csv": TRAIN, "test.csv": b"few\n"})) as server:
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def fetch(hub, tmp_path):
    def fetch_one(name="train.csv", dataset=MAIN, **options):
        return download(dataset, name, endpoint=hub.url, cache=tmp_path / "cache", **options)

    return fetch_one


@pytest.fixture
def dead_end():
    """Return the address of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    yield f"http://127.0.0.1:{address[1]}"
    huggingface_hub.close_session()


def partial_of(tmp_path):
    etag = hashlib.sha256(TRAIN).hexdigest()
    return tmp_path / "cache" / f"datasets--{REPO.replace('/', '--')}" / "blobs" / f"{etag}.incomplete"


def test_a_file_arrives_whole_with_its_commit_and_checksum(fetch):
    file = fetch()
    assert file.path.read_bytes() == TRAIN
    assert file.commit == COMMIT
    sha256 = hashlib.sha256(TRAIN).hexdigest()
    file.verify(sha256)
    assert file.describe(sha256) == (
        f"train.csv of {REPO} at commit {COMMIT}, {len(TRAIN)} bytes, sha256 {sha256}"
    )


def test_progress_counts_the_bytes(fetch):
    calls = []
    fetch(progress=lambda *call: calls.append(call))
    assert (f"downloading {REPO} train.csv", len(TRAIN), len(TRAIN)) in calls


def test_a_file_in_the_cache_is_not_fetched_again(fetch, hub):
    first = fetch()
    asked = len(hub.gets)
    assert fetch().path == first.path
    assert len(hub.gets) == asked


def test_at_a_commit_the_cache_is_enough(fetch, hub):
    fetch(dataset=AT_COMMIT)
    hub.requests.clear()
    assert fetch(dataset=AT_COMMIT).path.read_bytes() == TRAIN
    assert hub.requests == []


def test_a_branch_follows_its_newest_commit(fetch, hub):
    fetch()
    hub.commit = "f" * 40
    hub.files["train.csv"] = b"newer\n"
    hub.etags["train.csv"] = hashlib.sha256(b"newer\n").hexdigest()
    newer = fetch()
    assert (newer.commit, newer.path.read_bytes()) == ("f" * 40, b"newer\n")


def test_a_broken_connection_goes_on_where_it_stopped(fetch, hub):
    hub.cut = 1000
    assert fetch().path.read_bytes() == TRAIN
    assert hub.gets == [None, "bytes=1000-"]


def test_what_an_earlier_attempt_left_is_kept(fetch, hub, tmp_path):
    partial = partial_of(tmp_path)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(TRAIN[:2000])
    assert fetch().path.read_bytes() == TRAIN
    assert hub.gets == ["bytes=2000-"]
    assert not partial.exists()


def test_a_server_without_ranges_is_read_from_the_beginning(fetch, hub, tmp_path):
    hub.ranges = False
    partial = partial_of(tmp_path)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(TRAIN[:2000])
    assert fetch().path.read_bytes() == TRAIN


def test_a_leftover_that_is_too_long_is_dropped(fetch, tmp_path):
    partial = partial_of(tmp_path)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(TRAIN + b"more")
    assert fetch().path.read_bytes() == TRAIN


def test_a_body_cut_short_is_refused_and_what_came_is_kept(fetch, hub, tmp_path):
    hub.cut, hub.always_cut = 100, True
    with pytest.raises(UsageError, match=r"stopped after 500 B of 5\.2 kB.*run it again, and it resumes"):
        fetch()
    assert partial_of(tmp_path).read_bytes() == TRAIN[:500]
    hub.cut, hub.always_cut = None, False
    assert fetch().path.read_bytes() == TRAIN


def test_a_server_that_sends_nothing_is_asked_once(fetch, hub):
    hub.cut, hub.always_cut = 0, True
    with pytest.raises(UsageError, match="stopped after 0 B"):
        fetch()
    assert hub.gets == [None]


def test_content_that_is_not_what_its_name_says_is_refused(fetch, hub, tmp_path):
    hub.etags["train.csv"] = "0" * 64
    with pytest.raises(UsageError, match=r"train\.csv arrived damaged"):
        fetch()
    assert cached_file(MAIN, "train.csv", cache=tmp_path / "cache") is None


def test_a_file_damaged_in_the_cache_is_noticed(fetch):
    file = fetch()
    with pytest.raises(UsageError, match=r"is damaged: .* delete .*, and it is fetched again"):
        file.verify("1" * 64)


@pytest.mark.parametrize(
    ("dataset", "name", "words"),
    [
        (MAIN, "validation.csv", f"{REPO} has no file validation.csv"),
        (HubDataset(REPO, "v9"), "train.csv", f"{REPO} has no revision v9"),
        (HubDataset("nobody/nothing", "main"), "train.csv", "the Hub has no data set nobody/nothing"),
    ],
)
def test_what_is_not_there_is_named(fetch, dataset, name, words):
    with pytest.raises(UsageError) as caught:
        fetch(name, dataset)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_network_and_no_cache_is_one_line(dead_end, tmp_path):
    with pytest.raises(UsageError) as caught:
        download(MAIN, "train.csv", endpoint=dead_end, cache=tmp_path)
    assert "train.csv is not in the cache, and the Hub cannot be reached" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_a_network_a_branch_comes_from_the_cache(fetch, dead_end, tmp_path):
    fetched = fetch()
    again = download(MAIN, "train.csv", endpoint=dead_end, cache=tmp_path / "cache")
    assert again.path == fetched.path


def test_offline_takes_the_cache_and_asks_nobody(fetch, hub, monkeypatch):
    fetch()
    hub.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch().path.read_bytes() == TRAIN
    with pytest.raises(UsageError, match=r"test\.csv is not in the cache, and HF_HUB_OFFLINE forbids"):
        fetch("test.csv")
    assert hub.requests == []


def test_a_full_disk_is_said_before_anything_is_sent(fetch, hub, monkeypatch):
    full = transfer.shutil._ntuple_diskusage(10**9, 10**9, 17)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _path: full)
    with pytest.raises(ResourceError, match=r"needs 5\.2 kB more, and .* has 17 B free"):
        fetch()
    assert hub.gets == []


def test_a_server_that_is_no_hub_is_named(fetch, hub):
    hub.etags["train.csv"] = ""
    with pytest.raises(UsageError, match=r"check HF_ENDPOINT|cannot be reached"):
        fetch()


def test_the_library_missing_is_said_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert cached_file(MAIN, "train.csv", cache=tmp_path) is None
    with pytest.raises(
        UsageError, match=r'needs the package huggingface_hub; install it: pip install "trm-tui\[hub\]"'
    ):
        download(MAIN, "train.csv", cache=tmp_path)


def test_nothing_is_written_to_the_terminal(hub, tmp_path):
    """In a process of its own: the library sets up its output when it is imported."""
    code = (
        "from trm_engine.tasks.sources import find\n"
        f"path = find('hub:{REPO}', field='data', split='train').path\n"
        "assert path.read_bytes()\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    hub.cut = 1000
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("someone/puzzles", HubDataset("someone/puzzles", "main")),
        ("someone/puzzles@v1.0", HubDataset("someone/puzzles", "v1.0")),
        (f"someone/puzzles@{COMMIT}", AT_COMMIT),
        (
            "sapientinc/sudoku-extreme",
            HubDataset("sapientinc/sudoku-extreme", PINNED["sapientinc/sudoku-extreme"]),
        ),
        ("sapientinc/sudoku-extreme@main", HubDataset("sapientinc/sudoku-extreme", "main")),
    ],
)
def test_a_name_is_a_repository_and_a_revision(text, expected):
    assert HubDataset.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "puzzles", "a/b/c", "a/b@", "../b", "a/..", "a/b@../c", "a /b", "a/b\x1b[0m"]
)
def test_other_names_are_refused_naming_the_field(text):
    with pytest.raises(
        UsageError, match=r"\[task\] test_data: hub:.* names no data set; write hub:OWNER/NAME"
    ):
        sources.find(f"hub:{text}", field="test_data", split="test")


def test_a_task_is_fetched_with_both_its_files(monkeypatch, tmp_path):
    asked = []

    def fake(dataset, name, progress):
        asked.append((str(dataset), name))
        return HubFile(dataset, name, tmp_path / name)

    monkeypatch.setattr(sources, "download", fake)
    found = sources.fetch(SudokuConfig(data="hub:a/b@c"))
    assert asked == [("hub:a/b@c", "train.csv"), ("hub:a/b@c", "test.csv")]
    assert [part.path.name for part in found] == ["train.csv", "test.csv"]
    asked.clear()
    sources.fetch(SudokuConfig(data="hub:a/b", test_data="hub:c/d"))
    assert asked == [("hub:a/b@main", "train.csv"), ("hub:c/d@main", "test.csv")]
    assert sources.fetch(SudokuConfig()) == []
    assert sources.fetch(SudokuConfig(data="list.txt", test_data="more.txt")) == []


def test_a_folder_in_the_layout_of_the_hub_gives_its_files(tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("question,answer\n")
    assert sources.find(str(tmp_path), field="data", split="test").path == tmp_path / "test.csv"
    assert (
        sources.find(str(tmp_path / "train.csv"), field="data", split="test").path == tmp_path / "train.csv"
    )


@pytest.mark.parametrize("data", ["missing.csv", "x" * 300, "a\0b"])
def test_a_path_with_nothing_there_is_refused_naming_the_field(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"\[task\] data: there is no .*; name your data in task\.data"):
        sources.find(data, field="data", split="train")
    assert not sources.is_here(data)
