"""Typed configuration: sections, TOML in and out, presets, overrides and differences."""

from trm_engine.config.describe import FieldInfo, Value, describe, flatten
from trm_engine.config.diff import Change, diff
from trm_engine.config.overrides import apply, change
from trm_engine.config.presets import Preset, as_variant, list_own, list_presets
from trm_engine.config.presets import find as find_preset
from trm_engine.config.sections import (
    CheckpointConfig,
    Config,
    EvalConfig,
    MemoryConfig,
    ModelConfig,
    RuntimeConfig,
    Section,
    TaskConfig,
    TrackConfig,
    TrainConfig,
)
from trm_engine.config.toml import dumps, load, loads, write_value

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
    "TrackConfig",
    "TrainConfig",
    "Value",
    "apply",
    "as_variant",
    "change",
    "describe",
    "diff",
    "dumps",
    "find_preset",
    "flatten",
    "list_own",
    "list_presets",
    "load",
    "loads",
    "write_value",
]
