from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.errors import ConfigError, UsageError
from trm_engine.hardware import load_profile, profile_names

SMALL = """gemm_gflops = 100
[cpu]
physical_cores = 2
logical_cores = 4
[memory]
total_bytes = 4_000_000_000
available_bytes = 2_000_000_000
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def problems_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load_profile(write(folder, text))
    assert raised.value.source.endswith("mine.toml")
    return raised.value.problems


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_are_complete(name: str) -> None:
    hardware = load_profile(name)
    cpu = hardware.cpu
    assert hardware.profile == name
    assert hardware.title
    assert "unknown" not in (cpu.model, cpu.vendor, cpu.architecture, hardware.os.name)
    assert cpu.extensions
    assert cpu.usable_physical_cores == cpu.physical_cores
    assert (cpu.performance_cores or 0) + (cpu.efficiency_cores or 0) in (0, cpu.physical_cores)


def test_the_machine_to_design_for_is_known_by_name() -> None:
    hardware = load_profile("macbook-pro-2018-i5")
    assert (hardware.cpu.physical_cores, hardware.cpu.logical_cores) == (4, 8)
    assert hardware.memory.total_bytes == 8 * 2**30
    assert hardware.cpu.extensions[-1] == "AVX2"


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    hardware = load_profile(write(tmp_path, SMALL))
    assert (hardware.profile, hardware.gemm_gflops) == ("mine", 100)
    assert (hardware.cpu.usable_cores, hardware.cpu.usable_physical_cores) == (4, 2)
    assert hardware.memory.effective_available_bytes == 2_000_000_000


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r'no hardware profile "macbok-air-m1".*"macbook-air-m1"'):
        load_profile("macbok-air-m1")


@pytest.mark.parametrize(
    "name", ["", "..", "hardware\0", "\x1b[31mred", "a" * 5000, "../hardware/raspberry-pi-5"]
)
def test_hostile_names_are_refused_in_harmless_words(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_profile(name)
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read: No such file"):
        load_profile(str(tmp_path / "none.toml"))


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    text = SMALL.replace("physical_cores = 2", "phisical_cores = 2")
    assert problems_of(tmp_path, text) == ('cpu.phisical_cores: unknown key. Did you mean "physical_cores"?',)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "gemm_gflops = 100",
            "gemm_gflops = 'fast'",
            "gemm_gflops: input should be a valid number, not 'fast'",
        ),
        ("physical_cores = 2", "physical_cores = 0", "cpu.physical_cores: input should be greater than"),
        ("[memory]", "memory = 3\n[os]", "memory: "),
        ("logical_cores = 4", "logical_cores = 1", "cpu.logical_cores: 1 is less than physical_cores"),
        ("available_bytes = 2_", "available_bytes = 9_", "is more than total_bytes"),
        ("gemm_gflops = 100", "", "gemm_gflops: is missing"),
        ("gemm_gflops = 100", "gemm_gflops = 1\nprofile = 'x'", "profile: is taken from the file's name"),
        ("[cpu]", "[cpu", "line 2: is not valid TOML"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert any(message in problem for problem in problems_of(tmp_path, SMALL.replace(old, new)))


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("physical_cores = 2", "physical_cores = -1\ncolour = 'red'").replace(
        "= 100", "= nan"
    )
    assert len(problems_of(tmp_path, text)) == 3


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"title = 'a'\n\xff\xfe")
    with pytest.raises(ConfigError, match="line 2: is not UTF-8 text"):
        load_profile(str(path))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "#" * 1_000_001) == ("is larger than 1 MB: not a hardware profile",)
