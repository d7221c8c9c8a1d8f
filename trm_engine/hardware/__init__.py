"""The machine: what it is."""

from trm_engine.hardware.detect import detect
from trm_engine.hardware.facts import Caches, Cpu, Gpu, Hardware, Memory, OperatingSystem, Power, TorchBuild
from trm_engine.hardware.profiles import load_profile, profile_names
from trm_engine.hardware.system import System

__all__ = [
    "Caches",
    "Cpu",
    "Gpu",
    "Hardware",
    "Memory",
    "OperatingSystem",
    "Power",
    "System",
    "TorchBuild",
    "detect",
    "load_profile",
    "profile_names",
]
