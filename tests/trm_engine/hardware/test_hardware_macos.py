from __future__ import annotations

from trm_engine.hardware import detect
from trm_engine.hardware.power import read_power

INTEL_HW = """hw.ncpu: 8
hw.physicalcpu: 4
hw.logicalcpu: 8
hw.memsize: 8589934592
hw.cpufrequency_max: 2400000000
hw.l1dcachesize: 32768
hw.l2cachesize: 262144
hw.l3cachesize: 6291456
hw.nperflevels: 1
hw.perflevel0.physicalcpu: 4
hw.optional.avx1_0: 1
hw.optional.avx2_0: 1
hw.optional.fma: 1
hw.optional.avx512f: 0
"""
INTEL_MACHDEP = """machdep.cpu.vendor: GenuineIntel
machdep.cpu.brand_string: Intel(R) Core(TM) i5-8279U CPU @ 2.40GHz
machdep.cpu.features: FPU VME SSE4.2 POPCNT AES AVX1.0 RDRAND F16C FMA
machdep.cpu.leaf7_features: RDWRFSGS TSC_THREAD_OFFSET SGX BMI1 AVX2 SMEP BMI2
"""
M3_HW = """hw.ncpu: 8
hw.physicalcpu: 8
hw.logicalcpu: 8
hw.memsize: 17179869184
hw.l1dcachesize: 65536
hw.l2cachesize: 4194304
hw.nperflevels: 2
hw.perflevel0.physicalcpu: 4
hw.perflevel0.l1dcachesize: 131072
hw.perflevel0.l2cachesize: 16777216
hw.perflevel1.physicalcpu: 4
hw.perflevel1.l2cachesize: 4194304
hw.optional.neon: 1
hw.optional.neon_fp16: 1
hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_SME: 0
"""


def test_intel_macbook(make_system) -> None:
    commands = {
        "sysctl hw": INTEL_HW,
        "sysctl machdep.cpu": INTEL_MACHDEP,
        "sysctl hw.memsize": "hw.memsize: 8589934592\n",
        "sysctl hw.model": "hw.model: MacBookPro15,2\n",
        "sw_vers -productVersion": "14.5\n",
    }
    hardware = detect(system=make_system(commands=commands, platform="darwin"))
    cpu = hardware.cpu
    assert (cpu.model, cpu.vendor) == ("Intel(R) Core(TM) i5-8279U CPU @ 2.40GHz", "Intel")
    assert (cpu.physical_cores, cpu.logical_cores, cpu.usable_physical_cores) == (4, 8, 4)
    assert (cpu.performance_cores, cpu.efficiency_cores) == (None, None)
    assert cpu.extensions == ("SSE4.2", "AVX", "F16C", "FMA", "AVX2")
    assert cpu.caches.l3_bytes == 6 * 2**20
    assert cpu.max_frequency_mhz == 2400
    assert hardware.machine == "MacBookPro15,2"
    assert (hardware.os.name, hardware.os.version) == ("macOS", "14.5")
    assert hardware.memory.total_bytes == 8 * 2**30


def test_apple_silicon(make_system) -> None:
    commands = {"sysctl hw": M3_HW, "sysctl machdep.cpu": "machdep.cpu.brand_string: Apple M3\n"}
    system = make_system(
        commands=commands, platform="darwin", architecture="arm64", ram=(16 * 2**30, 9 * 2**30)
    )
    hardware = detect(system=system)
    cpu = hardware.cpu
    assert (cpu.model, cpu.vendor) == ("Apple M3", "Apple")
    assert (cpu.performance_cores, cpu.efficiency_cores) == (4, 4)
    assert cpu.extensions == ("NEON", "FP16", "DOTPROD", "BF16", "I8MM")
    assert cpu.caches.l2_bytes == 16 * 2**20, "the fast cores' cache, not the one that hw.l2cachesize tells"
    assert hardware.memory.effective_available_bytes == 9 * 2**30
    assert [(gpu.kind, gpu.present) for gpu in hardware.gpus] == [
        ("cuda", False),
        ("mps", True),
        ("xpu", False),
    ]


def test_throttled_macbook_on_battery(make_system) -> None:
    commands = {
        "pmset -g therm": "Note: No thermal warning level\n CPU_Speed_Limit \t= 62\n",
        "pmset -g": "Currently in use:\n lowpowermode         1\n sleep 1\n",
    }
    power = read_power(make_system(commands=commands, platform="darwin", charge=(41.0, False)))
    assert power.speed_limit_percent == 62
    assert power.saver is True
    assert (power.battery_percent, power.plugged_in) == (41.0, False)


def test_a_mac_that_tells_of_no_heat_is_unknown_not_cool(make_system) -> None:
    quiet = {"pmset -g therm": "Note: No thermal warning level has been recorded\n", "pmset -g": "nothing"}
    power = read_power(make_system(commands=quiet, platform="darwin"))
    assert (power.speed_limit_percent, power.saver) == (None, None)
