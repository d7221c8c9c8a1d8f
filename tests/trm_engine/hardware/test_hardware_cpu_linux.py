from __future__ import annotations

from collections.abc import Callable

import pytest

from trm_engine.hardware.cpu import read_cpu
from trm_engine.hardware.cpu_linux import cpu_list

Topology = Callable[..., dict[str, str]]

AMD = """processor\t: {cpu}
vendor_id\t: AuthenticAMD
model name\t: AMD Ryzen 7 PRO 7840U w/ Radeon 780M Graphics
flags\t\t: fpu sse4_2 avx f16c fma avx2 avx512f avx512bw avx512vl avx512_bf16 avx512_vnni

"""
INTEL = """processor\t: {cpu}
vendor_id\t: GenuineIntel
model name\t: 13th Gen Intel(R) Core(TM) i7-1360P
flags\t\t: fpu sse4_2 avx f16c fma avx2 avx_vnni

"""
PI = """processor\t: {cpu}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes asimdhp asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b

"""


def cpuinfo(block: str, cpus: int) -> dict[str, str]:
    return {"/proc/cpuinfo": "".join(block.format(cpu=cpu) for cpu in range(cpus))}


def cache(cpu: int, index: int, level: int, kind: str, size: str) -> dict[str, str]:
    folder = f"/sys/devices/system/cpu/cpu{cpu}/cache/index{index}"
    return {f"{folder}/level": f"{level}\n", f"{folder}/type": f"{kind}\n", f"{folder}/size": f"{size}\n"}


def test_amd_laptop(make_system, topology: Topology) -> None:
    files = cpuinfo(AMD, 4) | topology("0,2", "1,3")
    files |= cache(0, 0, 1, "Data", "32K") | cache(0, 1, 1, "Instruction", "64K")
    files |= cache(0, 2, 2, "Unified", "1024K") | cache(0, 3, 3, "Unified", "16M")
    files["/sys/devices/system/cpu/cpu1/cpufreq/cpuinfo_max_freq"] = "5132000\n"
    cpu = read_cpu(make_system(files), None)
    assert (cpu.model, cpu.vendor) == ("AMD Ryzen 7 PRO 7840U w/ Radeon 780M Graphics", "AMD")
    assert (cpu.physical_cores, cpu.logical_cores) == (2, 4)
    assert (cpu.usable_physical_cores, cpu.usable_cores) == (2, 4)
    assert (cpu.performance_cores, cpu.efficiency_cores) == (None, None)
    assert cpu.extensions[-3:] == ("AVX-512VL", "AVX512-VNNI", "AVX512-BF16")
    assert (cpu.caches.l1d_bytes, cpu.caches.l2_bytes, cpu.caches.l3_bytes) == (32 * 1024, 2**20, 16 * 2**20)
    assert cpu.max_frequency_mhz == 5132


def test_intel_hybrid_tells_fast_cores_from_slow_ones(make_system, topology: Topology) -> None:
    files = cpuinfo(INTEL, 6) | topology("0,1", "2,3", "4", "5")
    files |= {"/sys/devices/cpu_core/cpus": "0-3\n", "/sys/devices/cpu_atom/cpus": "4-5\n"}
    cpu = read_cpu(make_system(files), None)
    assert (cpu.physical_cores, cpu.performance_cores, cpu.efficiency_cores) == (4, 2, 2)
    assert "AVX-VNNI" in cpu.extensions
    assert "AVX-512F" not in cpu.extensions


def test_amx_and_bf16_of_a_server(make_system) -> None:
    flags = AMD.replace("flags\t\t: ", "flags\t\t: amx_tile amx_int8 amx_bf16 ")
    cpu = read_cpu(make_system(cpuinfo(flags, 1)), None)
    assert {"AMX-TILE", "AMX-INT8", "AMX-BF16", "AVX512-BF16"} <= set(cpu.extensions)


def test_arm_core_is_named_by_lscpu(make_system) -> None:
    lscpu = "Architecture: aarch64\nModel name:          Cortex-A76\n"
    system = make_system(cpuinfo(PI, 4), {"lscpu": lscpu}, architecture="aarch64")
    cpu = read_cpu(system, None)
    assert (cpu.model, cpu.vendor, cpu.architecture) == ("Cortex-A76", "ARM", "aarch64")
    assert cpu.extensions == ("NEON", "FP16", "DOTPROD")
    assert cpu.logical_cores == 4


def test_affinity_bounds_the_usable_cores(make_system, topology: Topology) -> None:
    files = cpuinfo(AMD, 4) | topology("0,2", "1,3")
    files["/proc/self/status"] = "Name:\tpython\nCpus_allowed_list:\t0,2\n"
    cpu = read_cpu(make_system(files), None)
    assert (cpu.logical_cores, cpu.usable_cores) == (4, 2)
    assert (cpu.physical_cores, cpu.usable_physical_cores) == (2, 1)


@pytest.mark.parametrize(("quota", "usable"), [(0.5, 1), (1.5, 1), (2.0, 2), (64.0, 4)])
def test_quota_bounds_the_usable_cores(make_system, topology: Topology, quota: float, usable: int) -> None:
    cpu = read_cpu(make_system(cpuinfo(AMD, 4) | topology("0", "1", "2", "3")), quota)
    assert (cpu.quota_cores, cpu.usable_cores, cpu.usable_physical_cores) == (quota, usable, usable)


def test_without_topology_the_counters_say_how_many_cores(make_system) -> None:
    cpu = read_cpu(make_system(cpuinfo(AMD, 4), core_counts=(2, 4)), None)
    assert (cpu.physical_cores, cpu.logical_cores) == (2, 4)
    assert (cpu.usable_physical_cores, cpu.usable_cores) == (2, 4)


def test_usable_physical_cores_never_exceed_the_usable_threads(make_system) -> None:
    files = cpuinfo(AMD, 4) | {"/proc/self/status": "Cpus_allowed_list:\t3\n"}
    cpu = read_cpu(make_system(files, core_counts=(2, 4)), None)
    assert (cpu.usable_cores, cpu.usable_physical_cores) == (1, 1)


def test_control_characters_in_the_model_name_are_removed(make_system) -> None:
    hostile = AMD.replace("AMD Ryzen", "AMD \x1b[31mRyzen\x07")
    assert "\x1b" not in read_cpu(make_system(cpuinfo(hostile, 1)), None).model


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0-3,8\n", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set()),
        (None, set()),
        ("3-1", set()),
        ("0-99999999999", set()),
        ("-1,x,2-", set()),
        ("1,,2", {1, 2}),
    ],
)
def test_cpu_lists(text: str | None, numbers: set[int]) -> None:
    assert cpu_list(text) == numbers
