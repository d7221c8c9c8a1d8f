"""A published checkpoint is read as weights, and as nothing else."""

from __future__ import annotations

import errno
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.interop import weights_file
from trm_engine.interop.weights_file import origin_of, read_weights, write_weights

WEIGHTS = {
    "model.inner.H_init": torch.tensor([0.5, -1.5]),
    "model.inner.lm_head.weight": torch.arange(6.0).reshape(2, 3),
}


class RunsCode:
    """Pickled, it is a call that leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.mark),)


def refused(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_weights(file)
    words = str(caught.value)
    assert words.startswith(str(file))
    assert "\n" not in words
    return words


def rebuilt(file: Path, change: Callable[[dict[str, bytes]], None], **options: Any) -> Path:
    """Write a sound checkpoint whose archive's members were changed."""
    buffer = io.BytesIO()
    torch.save(WEIGHTS, buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_weights(tmp_path / "new.pt", WEIGHTS)
    back = read_weights(tmp_path / "new.pt")
    assert back.keys() == WEIGHTS.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in WEIGHTS.items())
    assert [path.name for path in tmp_path.iterdir()] == ["new.pt"]


def test_any_program_can_read_what_is_written(tmp_path: Path) -> None:
    write_weights(tmp_path / "new.pt", WEIGHTS)
    assert list(torch.load(tmp_path / "new.pt", weights_only=True)) == list(WEIGHTS)


def test_a_state_dict_of_a_module_is_read(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)).to(torch.bfloat16)
    torch.save(module.state_dict(), tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_parameters_that_require_gradients_are_read(tmp_path: Path) -> None:
    torch.save(dict(torch.nn.Linear(2, 3).named_parameters()), tmp_path / "a.pt")
    assert read_weights(tmp_path / "a.pt")["weight"].shape == (3, 2)


def test_weights_that_share_numbers_are_read(tmp_path: Path) -> None:
    whole = torch.arange(12.0)
    torch.save({"a": whole[:6].view(2, 3).t(), "b": whole[6:]}, tmp_path / "a.pt")
    back = read_weights(tmp_path / "a.pt")
    assert torch.equal(back["a"], whole[:6].view(2, 3).t())
    assert torch.equal(back["b"], whole[6:])


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"weight": it}, lambda it: OrderedDict(a=it)])
def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(
    tmp_path: Path, wrap: Callable[[object], object]
) -> None:
    mark = tmp_path / "it-ran"
    torch.save(wrap(RunsCode(mark)), tmp_path / "evil.pt")
    assert "refused: it asks for posix.mkdir" in refused(tmp_path / "evil.pt")
    assert not mark.exists()


@pytest.mark.parametrize("legacy", [True, False], ids=["torch's old format", "a bare pickle"])
def test_formats_that_torch_cannot_read_safely_are_refused_unread(tmp_path: Path, legacy: bool) -> None:
    mark, file = tmp_path / "it-ran", tmp_path / "evil.pt"
    if legacy:
        torch.save({"a": RunsCode(mark)}, file, _use_new_zipfile_serialization=False)
    else:
        file.write_bytes(pickle.dumps(RunsCode(mark)))
    assert "is not a checkpoint" in refused(file)
    assert not mark.exists()


def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    file = rebuilt(tmp_path / "a.pt", lambda members: members.update({"archive/constants.pkl": b""}))
    assert "archive/constants.pkl, which torch.save never writes" in refused(file)


def with_pickle(edit: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["archive/data.pkl"] = edit(members["archive/data.pkl"])

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda members: members.pop("archive/data.pkl"), "holds no table of weights"),
        (lambda members: members.pop("archive/data/0"), "are missing or not as many as it says"),
        (lambda members: members.update({"archive/data/0": b"1234"}), "are missing or not as many"),
        (lambda members: members.update({"../data.pkl": b""}), "does not hold what torch.save writes"),
        (lambda members: members.update({"archive/data.pkl.exe": b""}), "which torch.save never writes"),
        (with_pickle(lambda data: data[:-20]), "pickle exhausted"),
        (with_pickle(lambda data: b""), "pickle exhausted"),
        (with_pickle(lambda data: b"\x80\x02}."), None),
        (with_pickle(lambda data: b"\x80\x02N."), "holds no table of weights"),
        (with_pickle(lambda data: b"\x80\x020."), "uses POP"),
        (with_pickle(lambda data: b"\x80\x02."), "pickle is damaged"),
        (with_pickle(lambda data: b"\x80\x02K\x01K\x02s."), "pickle is damaged"),
        (with_pickle(lambda data: b"\x80\x02K\x01K\x01K\x02s."), "changes what is not a table"),
        (with_pickle(lambda data: b"\x80\x02}K\x01K\x02s."), "without a name"),
        (with_pickle(lambda data: b"\x80\x02}X\x01\x00\x00\x00aK\x02s."), '"a" is not a tensor'),
        (with_pickle(lambda data: b"\x80\x02h\x05."), "pickle is damaged"),
        (
            with_pickle(lambda data: b"\x80\x02ccollections\nOrderedDict\nK\x01R."),
            "calls what is not a torch function",
        ),
        # As many numbers as there are, claimed for a larger tensor.
        (
            with_pickle(lambda data: data.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86")),
            "larger than its numbers",
        ),
        (
            with_pickle(lambda data: data.replace(b"K\x03K\x01\x86", b"K\x63K\x01\x86")),
            "larger than its numbers",
        ),
    ],
)
def test_an_archive_that_is_no_checkpoint_is_refused(
    tmp_path: Path, change: Callable[[dict[str, bytes]], None], words: str | None
) -> None:
    file = rebuilt(tmp_path / "a.pt", change)
    if words is None:
        assert read_weights(file) == {}
    else:
        assert words in refused(file)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    file = rebuilt(tmp_path / "a.pt", lambda members: None, compression=zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a checkpoint", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    assert "is not a checkpoint" in refused(tmp_path / "a.pt")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "none.pt")
    assert "cannot be read" in refused(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        origin_of(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert "not a regular file" in refused(tmp_path / "pipe.pt")


def test_every_cut_of_a_checkpoint_is_refused(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.pt", WEIGHTS)
    sound = (tmp_path / "a.pt").read_bytes()
    for length in range(0, len(sound), 37):
        (tmp_path / "a.pt").write_bytes(sound[:length])
        refused(tmp_path / "a.pt")


def test_every_damaged_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.pt", WEIGHTS)
    sound = (tmp_path / "a.pt").read_bytes()
    refusals = 0
    for position in range(0, len(sound), 5):
        (tmp_path / "a.pt").write_bytes(
            sound[:position] + bytes([sound[position] ^ 0x20]) + sound[position + 1 :]
        )
        try:
            back = read_weights(tmp_path / "a.pt")
        except UsageError:
            refusals += 1
            continue
        assert back.keys() == WEIGHTS.keys()
        assert all(torch.equal(back[name], tensor) for name, tensor in WEIGHTS.items())
    assert refusals


def test_a_flipped_bit_in_the_numbers_is_told_by_the_checksum(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.pt", WEIGHTS)
    sound = (tmp_path / "a.pt").read_bytes()
    numbers = WEIGHTS["model.inner.H_init"].numpy().tobytes()
    place = sound.index(numbers)
    (tmp_path / "a.pt").write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
    assert "data/0 is not that of its content; fetch or copy it again" in refused(tmp_path / "a.pt")


def _built(state: bytes) -> Callable[[bytes], bytes]:
    """Give the table of weights attributes, as BUILD does, before the pickle ends."""
    return lambda pickled: pickled.removesuffix(b".") + state + b"b."


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (b"}X\x09\x00\x00\x00_metadata}s", True),
        (b"}", True),
        (b"}X\x05\x00\x00\x00itemsNs", False),
        (b"}X\x0c\x00\x00\x00__setstate__Ns", False),
        (b"}X\x09\x00\x00\x00_metadataNs", False),
    ],
    ids=["versions", "none", "items", "setstate", "versions that are none"],
)
def test_a_table_of_weights_has_no_attribute_but_its_versions(
    tmp_path: Path, state: bytes, allowed: bool
) -> None:
    buffer = io.BytesIO()
    torch.save(OrderedDict(WEIGHTS), buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["archive/data.pkl"] = _built(state)(members["archive/data.pkl"])
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if allowed:
        assert read_weights(tmp_path / "a.pt").keys() == WEIGHTS.keys()
    else:
        assert "sets attributes that weights do not need" in refused(tmp_path / "a.pt")


_ARGUMENTS_END = b"\x89ccollections\nOrderedDict\nq\n)Rq\x0bt"
"""How the first tensor's arguments end: no gradient, no hooks."""


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (b"\x89ccollections\nOrderedDict\nq\n)Rq\x0b}X\x03\x00\x00\x00neg\x88st", "more than numbers"),
        (b"\x89ccollections\nOrderedDict\nq\n)Rq\x0bX\x01\x00\x00\x00aK\x01st", "has hooks"),
        (b"Nccollections\nOrderedDict\nq\n)Rq\x0bt", "has hooks"),
        (b"\x89t", "calls what is not a torch function"),
    ],
    ids=["a lazy change of sign", "hooks", "no flag", "too few"],
)
def test_a_tensor_is_numbers_and_a_shape_and_nothing_else(tmp_path: Path, end: bytes, words: str) -> None:
    def change(pickled: bytes) -> bytes:
        assert pickled.count(_ARGUMENTS_END) == 1
        return pickled.replace(_ARGUMENTS_END, end)

    assert words in refused(rebuilt(tmp_path / "a.pt", with_pickle(change)))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_weights(tmp_path / "a.pt", WEIGHTS)
    monkeypatch.setattr(weights_file, "MAX_BYTES", 1000)
    assert "a checkpoint has at most 1.0 kB" in refused(tmp_path / "a.pt")


def test_names_in_a_message_cannot_drive_the_terminal(tmp_path: Path) -> None:
    torch.save({"\x1b[2J": {}}, tmp_path / "a.pt")
    assert "\x1b" not in refused(tmp_path / "a.pt")


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_text("mine")
    with pytest.raises(UsageError, match=r"a\.pt exists already"):
        write_weights(tmp_path / "a.pt", WEIGHTS)
    assert (tmp_path / "a.pt").read_text() == "mine"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot write"):
        write_weights(tmp_path / "none" / "a.pt", WEIGHTS)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), RuntimeError("unexpected pos 64")])
def test_a_full_disk_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: object, out: io.BufferedWriter) -> None:
        out.write(b"half of it")
        raise error

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(ResourceError, match="cannot write"):
        write_weights(tmp_path / "a.pt", WEIGHTS)
    assert list(tmp_path.iterdir()) == []


def test_the_origin_is_name_size_and_digest(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"abc")
    origin = origin_of(tmp_path / "a.pt")
    assert (origin.file, origin.bytes) == ("a.pt", 3)
    assert origin.sha256.startswith("ba7816bf8f01cfea")
