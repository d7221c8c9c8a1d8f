"""What is known about a machine, as frozen values that go into JSON and come out of a profile's TOML.

None and "unknown" stand for what the machine does not tell. Sizes are bytes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, le=2**62)]
Cores = Annotated[int, Field(ge=1, le=2**16)]
Name = Annotated[str, Field(max_length=200)]

UNKNOWN = "unknown"


class Facts(BaseModel):
    """A frozen group of facts; unknown keys and wrong types are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


class Caches(Facts):
    """Size of one cache of each level, as a core sees it."""

    l1d_bytes: Count | None = None
    """Data cache of one core."""
    l2_bytes: Count | None = None
    """Second level: of one core, or of the cluster that shares it."""
    l3_bytes: Count | None = None
    """Third level, shared."""


class Cpu(Facts):
    """The processor, and how much of it this process may use."""

    model: Name = UNKNOWN
    """What the maker calls it."""
    vendor: Name = UNKNOWN
    """Who made it."""
    architecture: Name = UNKNOWN
    """Instruction set: x86_64, arm64, aarch64."""
    physical_cores: Cores | None = None
    """Cores in the machine."""
    logical_cores: Cores | None = None
    """Hardware threads in the machine."""
    performance_cores: Cores | None = None
    """Fast physical cores, where cores differ and the system tells."""
    efficiency_cores: Cores | None = None
    """Slow physical cores, where cores differ and the system tells."""
    quota_cores: Annotated[float, Field(gt=0)] | None = None
    """Cores' worth of time that a container grants; None: no limit."""
    usable_cores: Cores | None = None
    """Hardware threads this process may use: affinity and quota counted."""
    usable_physical_cores: Cores | None = None
    """Physical cores this process may use: affinity and quota counted."""
    extensions: tuple[Name, ...] = Field((), strict=False)
    """Vector extensions, oldest first."""
    caches: Caches = Field(default_factory=Caches)
    """Cache sizes."""
    max_frequency_mhz: Annotated[float, Field(gt=0, le=1e5)] | None = None
    """Highest frequency of the fastest core."""


class Memory(Facts):
    """Memory of the machine, and the part of it this process can have."""

    total_bytes: Count | None = None
    """RAM in the machine."""
    available_bytes: Count | None = None
    """RAM that could be had now without swapping."""
    swap_total_bytes: Count | None = None
    """Swap space."""
    swap_used_bytes: Count | None = None
    """Swap space in use."""
    limit_bytes: Count | None = None
    """What a container, a control group or `ulimit` allows; None: no limit."""
    headroom_bytes: Count | None = None
    """What these limits still leave; None: no limit."""

    @property
    def effective_total_bytes(self) -> int | None:
        """Memory that exists for this process: the machine's or the limit's, whichever is less."""
        return least(self.total_bytes, self.limit_bytes)

    @property
    def effective_available_bytes(self) -> int | None:
        """Memory this process could still take: the machine's or the limit's, whichever is less."""
        return least(self.available_bytes, self.headroom_bytes)


class Power(Facts):
    """What may slow the machine down: battery, power saving, heat."""

    battery_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """Charge; None: no battery, or unknown."""
    plugged_in: bool | None = None
    """Is it on mains?"""
    saver: bool | None = None
    """Is a low-power mode on?"""
    throttle_events: Count | None = None
    """Times a core was slowed for its heat since the machine started (Linux); it matters when it grows."""
    speed_limit_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """Speed that heat leaves to the CPU (macOS); below 100 it is throttled."""
    celsius: Annotated[float, Field(ge=-100, le=200)] | None = None
    """Temperature of the hottest core (Linux)."""


class Gpu(Facts):
    """One kind of graphics processor that torch may compute on."""

    kind: Literal["cuda", "mps", "xpu"]
    """torch's name of the kind."""
    present: bool | None = None
    """Is a device of this kind's maker in the machine?"""
    usable: bool | None = None
    """Can this torch compute on it? None: torch was not asked."""
    name: Name = UNKNOWN
    """What the maker calls it."""
    number: Annotated[int, Field(ge=0, le=999)] = 0
    """Which one of its kind."""
    memory_bytes: Count | None = None
    """Its own memory."""
    capability: Name = UNKNOWN
    """CUDA's compute capability: 9.0."""
    fp32_gflops: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Measured rate of float32 matrix products, in GFLOP/s."""
    bf16_gflops: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """The same in bfloat16; None too where it has no matrix units for it."""
    copy_gb_per_second: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Measured rate of its memory: bytes read and written, in GB/s."""


class TorchBuild(Facts):
    """The installed torch."""

    version: Name = UNKNOWN
    """Version, with the build's suffix."""
    blas: Name = UNKNOWN
    """Library behind matrix products: mkl, accelerate, open…"""
    cpu_capability: Name = UNKNOWN
    """Vector extensions that torch's own kernels use here."""
    openmp: Name = UNKNOWN
    """OpenMP specification it was built with, or `none`."""
    parallel_backend: Name = UNKNOWN
    """What divides work among threads."""
    onednn: bool | None = None
    """Is oneDNN (mkldnn) built in?"""
    default_threads: Cores | None = None
    """Threads it takes when nobody says."""


class OperatingSystem(Facts):
    """The system underneath."""

    name: Name = UNKNOWN
    """Linux, macOS, …"""
    version: Name = UNKNOWN
    """Distribution and release."""
    kernel: Name = UNKNOWN
    """Kernel release."""
    python: Name = UNKNOWN
    """Version of the running Python."""


class Hardware(Facts):
    """A machine: detected, or a profile that stands in for one."""

    title: Name = ""
    """A profile's name for people; empty for the machine at hand."""
    profile: Name = ""
    """Name of the profile that stands in; empty for the machine at hand."""
    machine: Name = UNKNOWN
    """What the maker calls the computer."""
    gemm_gflops: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """fp32 matrix products to plan with, in GFLOP/s; None where nothing was measured or stated."""
    gemm_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """How much of the cores that measurement had; the rest went to other programs. None for a profile."""
    cpu: Cpu = Field(default_factory=Cpu)
    """The processor."""
    memory: Memory = Field(default_factory=Memory)
    """Memory."""
    power: Power = Field(default_factory=Power)
    """Battery and heat."""
    gpus: tuple[Gpu, ...] = Field((), strict=False)
    """Graphics processors: each that torch can compute on, and one entry for each other kind."""
    torch: TorchBuild = Field(default_factory=TorchBuild)
    """The installed torch."""
    os: OperatingSystem = Field(default_factory=OperatingSystem)
    """The operating system."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, the effective memory included."""
        values = self.model_dump(mode="json")
        values["memory"]["effective_total_bytes"] = self.memory.effective_total_bytes
        values["memory"]["effective_available_bytes"] = self.memory.effective_available_bytes
        return values


def least(*values: int | None) -> int | None:
    """Return the least of the values that are known."""
    known = [value for value in values if value is not None]
    return min(known) if known else None
