"""Kernels are compiled once and kept; without a compiler that works there is a reason in words."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from trm_engine.compute import kernels
from trm_engine.compute.kernels import NoKernelsError, compiled_in, kernels_problem


def compiler(folder: Path, text: str) -> str:
    """Write a program that can stand for a compiler; return its path."""
    file = folder / "compiler"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.fixture(autouse=True)
def no_named_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)


def test_without_a_compiler_the_reason_says_so(tmp_path) -> None:
    with pytest.raises(NoKernelsError, match=r"no C\+\+ compiler is installed"):
        compiled_in(tmp_path, ["no-such-compiler"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 3", "failed: exit code 3"),
        ('[ "$1" = --version ] && echo two 1.0 && exit; echo "no such header" >&2; exit 1', "no such header"),
        ('[ "$1" = --version ] && echo three 1.0; exit 0', "cannot be"),
    ],
    ids=["fails at once", "cannot compile", "writes nothing"],
)
def test_a_compiler_that_does_not_work_is_a_reason_and_leaves_nothing(tmp_path, text, words) -> None:
    folder = tmp_path / "kept"
    with pytest.raises(NoKernelsError, match=words):
        compiled_in(folder, [compiler(tmp_path, text)])
    assert not list(folder.glob("*.so"))


def test_a_folder_that_cannot_be_written_is_a_reason(tmp_path) -> None:
    if kernels_problem() is not None:
        pytest.skip("no compiler")
    (tmp_path / "file").touch()
    with pytest.raises(NoKernelsError, match="cannot be kept"):
        compiled_in(tmp_path / "file" / "folder")


def test_kernels_are_compiled_once_and_anew_where_the_file_is_damaged(tmp_path) -> None:
    if kernels_problem() is not None:
        pytest.skip("no compiler")
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    compiled_in(whole)
    (kept,) = whole.glob("*.so")
    made = kept.stat().st_mtime_ns
    compiled_in(whole)
    assert kept.stat().st_mtime_ns == made
    damaged.mkdir()
    again = damaged / kept.name
    again.write_bytes(b"no library")
    assert compiled_in(damaged).compiler
    assert again.stat().st_size > 1000


def test_what_computes_something_else_is_not_used(tmp_path) -> None:
    if kernels_problem() is not None:
        pytest.skip("no compiler")
    source = Path(kernels.__file__).with_suffix(".cpp").read_text("utf-8")
    wrong = tmp_path / "wrong.cpp"
    wrong.write_text(source.replace("all(1.0f) + exp(-x)", "all(1.1f) + exp(-x)"))
    with pytest.raises(NoKernelsError, match="is off by"):
        compiled_in(tmp_path, source=wrong)
