from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from trm_engine.hardware.gpu import read_gpus
from trm_engine.hardware.power import read_power, read_throttle
from trm_engine.hardware.software import read_torch_build

PCI = "/sys/bus/pci/devices/0000:0{slot}:00.0"


def pci(slot: int, vendor: str, device_class: str) -> dict[str, str]:
    folder = PCI.format(slot=slot)
    return {f"{folder}/vendor": f"{vendor}\n", f"{folder}/class": f"{device_class}\n"}


class Backend:
    """torch.cuda and its like."""

    def __init__(self, available: bool, **properties: Any) -> None:
        self.available = available
        self.properties = properties

    def is_available(self) -> bool:
        warnings.warn("CUDA initialization: the driver is too old", UserWarning, stacklevel=1)
        return self.available

    def get_device_properties(self, index: int) -> SimpleNamespace:
        return SimpleNamespace(**self.properties)


def torch_with(**backends: Backend) -> Any:
    mps = backends.pop("mps", Backend(False))
    return SimpleNamespace(backends=SimpleNamespace(mps=mps), **backends)


def test_linux_throttle_counters_add_up(make_system) -> None:
    files = {}
    for cpu, (core, package) in enumerate([(3, 10), (4, 10)]):
        folder = f"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"
        files |= {
            f"{folder}/core_throttle_count": f"{core}\n",
            f"{folder}/package_throttle_count": f"{package}\n",
        }
    assert read_throttle(make_system(files)).events == 27


def test_a_machine_without_counters_is_unknown(make_system) -> None:
    power = read_power(make_system())
    assert (power.throttle_events, power.saver, power.battery_percent, power.plugged_in) == (None,) * 4


@pytest.mark.parametrize(("heat", "told"), [(64.5, 64.5), (-273.0, None), (1e4, None), (None, None)])
def test_a_temperature_that_no_processor_has_is_unknown(make_system, heat, told) -> None:
    assert read_power(make_system(heat=heat)).celsius == told


def test_linux_low_power_profile(make_system) -> None:
    profile = "/sys/firmware/acpi/platform_profile"
    assert read_power(make_system({profile: "low-power\n"})).saver is True
    assert read_power(make_system({profile: "balanced\n"})).saver is False


def test_a_damaged_battery_reading_is_dropped(make_system) -> None:
    assert read_power(make_system(charge=(4711.0, None))).battery_percent is None


def test_graphics_are_told_by_pci_without_torch(make_system) -> None:
    files = pci(1, "0x10de", "0x030000") | pci(2, "0x8086", "0x030000")
    files["/proc/driver/nvidia/gpus/0000:01:00.0/information"] = "Model: \t NVIDIA GeForce RTX 4060\nIRQ: 1\n"
    gpus = {gpu.kind: gpu for gpu in read_gpus(make_system(files), None)}
    assert [gpu.present for gpu in gpus.values()] == [True, False, True]
    assert gpus["cuda"].name == "NVIDIA GeForce RTX 4060"
    assert all(gpu.usable is None for gpu in gpus.values())


def test_other_devices_of_a_graphics_maker_are_no_gpus(make_system) -> None:
    files = pci(1, "0x10de", "0x020000") | pci(2, "0x8086", "0x060100")
    assert not any(gpu.present for gpu in read_gpus(make_system(files), None))


def test_windows_lends_its_nvidia_driver(make_system) -> None:
    cuda, *_ = read_gpus(make_system({"/usr/lib/wsl/lib/libcuda.so.1": ""}), None)
    assert cuda.present is True


def test_torch_says_what_is_usable_and_its_warnings_stay_inside(make_system) -> None:
    torch = torch_with(
        cuda=Backend(True, name="NVIDIA H100", total_memory=80 * 2**30),
        xpu=Backend(False),
        mps=Backend(False),
    )
    cuda, mps, xpu = read_gpus(make_system(), torch)
    assert (cuda.present, cuda.usable, cuda.name, cuda.memory_bytes) == (
        True,
        True,
        "NVIDIA H100",
        80 * 2**30,
    )
    assert (mps.usable, xpu.usable) == (False, False)


def test_an_old_torch_without_a_backend_cannot_use_it(make_system) -> None:
    *_, xpu = read_gpus(make_system(pci(1, "0x8086", "0x030000")), torch_with(cuda=Backend(False)))
    assert (xpu.present, xpu.usable) == (True, False)


def test_torch_describes_its_build() -> None:
    config = SimpleNamespace(
        show=lambda: "PyTorch built with:\n  - OpenMP 201511 (a.k.a. OpenMP 4.5)\n  - BLAS_INFO=mkl, X=1",
        parallel_info=lambda: "ATen/Parallel:\nATen parallel backend: OpenMP\n",
    )
    backends = SimpleNamespace(
        cpu=SimpleNamespace(get_cpu_capability=lambda: "AVX2"),
        mkldnn=SimpleNamespace(is_available=lambda: True),
    )
    torch: Any = SimpleNamespace(
        __version__="2.2.2", __config__=config, backends=backends, get_num_threads=lambda: 4
    )
    build = read_torch_build(torch)
    assert (build.version, build.blas, build.cpu_capability) == ("2.2.2", "mkl", "AVX2")
    assert (build.openmp, build.parallel_backend) == ("201511 (a.k.a. OpenMP 4.5)", "OpenMP")
    assert (build.onednn, build.default_threads) == (True, 4)


def test_a_torch_that_answers_nothing_is_unknown() -> None:
    build = read_torch_build(SimpleNamespace())  # type: ignore[arg-type]
    assert (build.version, build.blas, build.openmp, build.onednn) == ("unknown", "unknown", "unknown", None)
