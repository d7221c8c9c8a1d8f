"""The machine: what it is, what a run uses of it, and what a configuration would need."""

from engine.hardware.detect import detect
from engine.hardware.duration import from_light_to_heavy, implied_gflops
from engine.hardware.estimate import Fit, estimate, memory_budget
from engine.hardware.facts import (
    Caches,
    Cpu,
    Gpu,
    Hardware,
    Memory,
    OperatingSystem,
    Power,
    TorchBuild,
)
from engine.hardware.footprint import Footprint
from engine.hardware.monitor import Monitor, Resources, Sample
from engine.hardware.profiles import load_profile, profile_names
from engine.hardware.system import System

__all__ = [
    "Caches",
    "Cpu",
    "Fit",
    "Footprint",
    "Gpu",
    "Hardware",
    "Memory",
    "Monitor",
    "OperatingSystem",
    "Power",
    "Resources",
    "Sample",
    "System",
    "TorchBuild",
    "detect",
    "estimate",
    "from_light_to_heavy",
    "implied_gflops",
    "load_profile",
    "memory_budget",
    "profile_names",
]
