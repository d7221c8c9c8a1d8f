from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from trm_engine.hardware import System


@dataclass(frozen=True)
class NoCounters:
    """psutil on a system that tells nothing, but for what a test sets."""

    ram: tuple[int, int] | None = None
    swap_space: tuple[int, int] | None = None
    core_counts: tuple[int | None, int | None] = (None, None)
    megahertz: float | None = None
    charge: tuple[float, bool | None] | None = None
    heat: float | None = None

    def memory(self) -> tuple[int, int] | None:
        return self.ram

    def swap(self) -> tuple[int, int] | None:
        return self.swap_space

    def cores(self) -> tuple[int | None, int | None]:
        return self.core_counts

    def frequency_mhz(self) -> float | None:
        return self.megahertz

    def celsius(self) -> float | None:
        return self.heat

    def battery(self) -> tuple[float, bool | None] | None:
        return self.charge


class MakeSystem(Protocol):
    def __call__(
        self,
        files: Mapping[str, str] = ...,
        commands: Mapping[str, str] = ...,
        *,
        platform: str = ...,
        architecture: str = ...,
        **counters: object,
    ) -> System: ...


@pytest.fixture
def make_system(tmp_path: Path) -> MakeSystem:
    """Build a machine from the files and commands that it answers with."""

    def make(
        files: Mapping[str, str] | None = None,
        commands: Mapping[str, str] | None = None,
        *,
        platform: str = "linux",
        architecture: str = "x86_64",
        **counters: object,
    ) -> System:
        for name, text in (files or {}).items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        answers = dict(commands or {})

        def run(argv: Sequence[str]) -> str | None:
            return answers.get(" ".join(argv))

        return System(platform, architecture, tmp_path, run, NoCounters(**counters))  # type: ignore[arg-type]

    return make


@pytest.fixture
def topology() -> Callable[..., dict[str, str]]:
    """Return the files that tell which CPUs share a core: `topology("0,4", "1,5")`."""

    def files(*cores: str) -> dict[str, str]:
        cpus = sorted(int(cpu) for core in cores for cpu in core.split(","))
        online = {"/sys/devices/system/cpu/online": f"{cpus[0]}-{cpus[-1]}\n"}
        siblings = {
            f"/sys/devices/system/cpu/cpu{cpu}/topology/core_cpus_list": f"{core}\n"
            for core in cores
            for cpu in core.split(",")
        }
        return online | siblings

    return files
