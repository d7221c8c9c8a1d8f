"""Typed configuration: sections, TOML in and out, presets, overrides and differences.

A task must have been imported (`engine.tasks` imports them all) before a configuration of its kind is read.
"""

from engine.config.describe import FieldInfo, Value, describe, flatten
from engine.config.diff import Change, diff
from engine.config.overrides import apply
from engine.config.presets import Preset, list_presets
from engine.config.presets import find as find_preset
from engine.config.sections import (
    CheckpointConfig,
    Config,
    EvalConfig,
    MemoryConfig,
    ModelConfig,
    RuntimeConfig,
    Section,
    TaskConfig,
    TrainConfig,
)
from engine.config.toml import dumps, load, loads

__all__ = [
    "Change",
    "CheckpointConfig",
    "Config",
    "EvalConfig",
    "FieldInfo",
    "MemoryConfig",
    "ModelConfig",
    "Preset",
    "RuntimeConfig",
    "Section",
    "TaskConfig",
    "TrainConfig",
    "Value",
    "apply",
    "describe",
    "diff",
    "dumps",
    "find_preset",
    "flatten",
    "list_presets",
    "load",
    "loads",
]
