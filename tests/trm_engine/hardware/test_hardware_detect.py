from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.hardware import Cpu, Hardware, Memory, Power, System, detect
from trm_engine.hardware.cgroup import find_control_groups
from trm_engine.hardware.cpu_linux import linux_cpu
from trm_engine.hardware.cpu_macos import macos_cpu
from trm_engine.hardware.gpu import read_gpus
from trm_engine.hardware.memory import read_memory
from trm_engine.hardware.power import read_power
from trm_engine.hardware.software import read_machine, read_operating_system
from trm_engine.hardware.system import count, fact, run_command

_HOSTILE = [
    "",
    "\0\0\0",
    "-1",
    "99999999999999999999999999",
    "9223372036854775807",
    "0",
    "max",
    "max 0",
    "0-4294967296",
    "\x1b[2J\u202e: :\n: : :",
    "٣٤",
    "processor : 0\nflags : \nmodel name :\nCpus_allowed_list: 9-1\nMemTotal: x kB\nMemAvailable: -5 kB",
    "5:memory:/../../etc\n0::\n:::\n::/\n",
    "1 2 3 / / - cgroup2\n1 2 3 / /sys - cgroup x memory,cpu\n - \n",
    "hw.physicalcpu: 0\nhw.nperflevels: 2\nhw.cpufrequency_max: 99999999999999\nhw.memsize: -1",
    "CPU_Speed_Limit = 999\nlowpowermode 7",
    "MemTotal: 4611686018427387903 kB\nMemAvailable: 4611686018427387903 kB\nSwapTotal: 5 kB\nSwapFree: 9 kB",
    "x" * 5000,
]


@dataclass(frozen=True)
class GarbageSystem(System):
    """Every file and every command answers with something nobody asked for."""

    answers: tuple[str, ...] = ("",)

    def read(self, name: str | Path) -> str | None:
        return self.answers[hash_of(str(name)) % len(self.answers)]

    def command(self, *argv: str) -> str | None:
        return self.answers[hash_of(" ".join(argv)) % len(self.answers)]


def hash_of(text: str) -> int:
    return sum(text.encode("utf-8", "replace"))


class BrokenCounters:
    def memory(self) -> tuple[int, int] | None:
        raise OSError("no /proc")

    def swap(self) -> tuple[int, int] | None:
        raise RuntimeError("no swap")

    def cores(self) -> tuple[int | None, int | None]:
        raise ValueError("a core count that is not a number")

    def frequency_mhz(self) -> float | None:
        raise FileNotFoundError

    def battery(self) -> tuple[float, bool | None] | None:
        raise AttributeError

    def celsius(self) -> float | None:
        raise KeyError("coretemp")


def failing(argv: Sequence[str]) -> str | None:
    raise PermissionError(argv)


def broken(platform: str, root: Path) -> System:
    return System(platform, "riscv128", root, failing, BrokenCounters())


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "plan9"])
def test_a_machine_that_tells_nothing_is_unknown(tmp_path: Path, platform: str) -> None:
    hardware = detect(system=broken(platform, tmp_path))
    assert hardware.cpu == Cpu(architecture="riscv128")
    assert hardware.memory == Memory()
    assert hardware.power == Power()
    assert not any(gpu.present for gpu in hardware.gpus)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@given(st.lists(st.one_of(st.sampled_from(_HOSTILE), st.text(max_size=60)), min_size=1, max_size=12))
def test_garbage_in_every_file_and_command_never_raises(platform: str, answers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sys/bus/pci/devices/garbage").mkdir(parents=True)
        system = GarbageSystem(platform, "x86_64", Path(folder), failing, BrokenCounters(), tuple(answers))
        hardware = detect(system=system)
    text = json.dumps(hardware.to_dict())
    assert "\\u001b" not in text
    assert "\\u202e" not in text


PROBES: list[Callable[[System], object]] = [
    linux_cpu,
    macos_cpu,
    read_power,
    read_operating_system,
    read_machine,
    lambda system: read_gpus(system, None),
    lambda system: read_memory(system, find_control_groups(system)),
    lambda system: find_control_groups(system).cpu_quota(),
]


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("platform", ["linux", "darwin"])
@given(st.lists(st.one_of(st.sampled_from(_HOSTILE), st.text(max_size=60)), min_size=1, max_size=12))
def test_garbage_costs_a_probe_only_what_was_garbage(
    probe: Callable[[System], object], platform: str, answers: list[str]
) -> None:
    # Without detect()'s net: one bad file must not take the probe's other findings with it.
    system = GarbageSystem(platform, "x86_64", Path("/nowhere"), failing, BrokenCounters(), tuple(answers))
    probe(system)


def test_unreadable_and_binary_files_never_raise(tmp_path: Path) -> None:
    for name in ("proc/meminfo", "proc/cpuinfo", "proc/self/cgroup"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_bytes(bytes(range(256)))
    assert detect(system=broken("linux", tmp_path)).memory == Memory()


def test_this_machine_can_be_described_in_json() -> None:
    hardware = detect()
    told = json.loads(json.dumps(hardware.to_dict()))
    assert told["memory"]["effective_total_bytes"] == hardware.memory.effective_total_bytes
    assert told["profile"] == ""


def test_what_is_described_can_be_read_back() -> None:
    hardware = Hardware(cpu=Cpu(model="x", extensions=("AVX2",)), gemm_gflops=5)
    values = hardware.to_dict()
    for derived in ("effective_total_bytes", "effective_available_bytes"):
        del values["memory"][derived]
    assert Hardware.model_validate(values) == hardware


def test_torch_is_not_imported_unless_asked_for() -> None:
    code = "import sys; from trm_engine.hardware import detect; detect(); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_with_torch_the_build_and_the_devices_are_known() -> None:
    hardware = detect(with_torch=True)
    assert hardware.torch.cpu_capability != "unknown"
    assert all(gpu.usable is not None for gpu in hardware.gpus)


@pytest.mark.parametrize(
    ("argv", "output"),
    [
        ([sys.executable, "-c", "print(7)"], "7\n"),
        ([sys.executable, "-c", "raise SystemExit(3)"], None),
        (["no-such-command-anywhere"], None),
        (["nul\0byte"], None),
    ],
)
def test_commands_answer_or_are_unknown(argv: list[str], output: str | None) -> None:
    assert run_command(argv) == output


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 12\n", 12),
        ("0", 0),
        ("-1", None),
        ("1e3", None),
        ("²", None),
        ("9" * 30, None),
        (None, None),
        ("", None),
    ],
)
def test_counts_are_whole_numbers_or_unknown(text: str | None, number: int | None) -> None:
    assert count(text) == number


def test_foreign_names_become_one_short_harmless_line() -> None:
    assert fact("a\n\tb\x1b[31m\0" + "c" * 500) == ("a b[31m " + "c" * 500)[:119] + "…"
    assert fact(" \n") == "unknown"
