"""The names of the published TRM code's weights, and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from trm_engine.config.sections import Config
from trm_engine.planning.costs import shape_of

_COMPILED = "_orig_mod."
_PREFIX = "model.inner."
_FIXED = {
    "embed_tokens.embedding_weight": "embed_tokens",
    "embed_pos.embedding_weight": "embed_positions",
    "lm_head.weight": "lm_head",
    "q_head.weight": "q_head",
    "q_head.bias": "q_bias",
    "puzzle_emb.weights": "puzzle_emb",
    "H_init": "y_init",
    "L_init": "z_init",
}
_LAYER = re.compile(r"L_level\.layers\.(\d+)\.(.+)")
_IN_LAYER = {
    "self_attn.qkv_proj.weight": "mixer.qkv",
    "self_attn.o_proj.weight": "mixer.out",
    "mlp_t.gate_up_proj.weight": "mixer.gate_up",
    "mlp_t.down_proj.weight": "mixer.down",
    "mlp.gate_up_proj.weight": "mlp.gate_up",
    "mlp.down_proj.weight": "mlp.down",
}
_WIDTH_MULTIPLE = 256


def our_name(published: str) -> str | None:
    """Return our name of a published weight, or None when there is none."""
    name = published.removeprefix(_COMPILED).removeprefix(_PREFIX)
    if name in _FIXED:
        return _FIXED[name]
    layer = _LAYER.fullmatch(name)
    if layer and layer[2] in _IN_LAYER:
        return f"blocks.{layer[1]}.{_IN_LAYER[layer[2]]}"
    return None


def published_name(ours: str) -> str:
    """Return the published name of one of our weights; raise `KeyError` when it has none."""
    block = re.fullmatch(r"blocks\.(\d+)\.(.+)", ours)
    if block:
        return f"{_PREFIX}L_level.layers.{block[1]}.{_reversed(_IN_LAYER)[block[2]]}"
    return _PREFIX + _reversed(_FIXED)[ours]


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return published weights under our names, shaped as ours; unknown names raise `KeyError`."""
    ours = {}
    for published, tensor in weights.items():
        name = our_name(published)
        if name is None:
            raise KeyError(published)
        ours[name] = tensor.unsqueeze(1) if name == "embed_positions" else tensor
    return ours


def to_published(weights: Mapping[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Return our weights under published names, shaped as there; a name without one raises `KeyError`.

    What the published code has no tensor for is left out: the unused initial answer of a single-state model,
    and the puzzle embedding of a model without one.
    """
    absent = absent_weights(config)
    return {
        published_name(name): tensor.squeeze(1) if name == "embed_positions" else tensor
        for name, tensor in weights.items()
        if name not in absent
    }


def absent_weights(config: Config) -> set[str]:
    """Return those of our names that a published file of this configuration does not hold."""
    absent = set() if config.model.states == 2 else {"y_init"}
    return absent if config.model.puzzle_emb_ndim else absent | {"puzzle_emb"}


def inexpressible(config: Config) -> list[str]:
    """Return the settings that published weights cannot have, each with what to do about it."""
    model, found = config.model, []
    if model.registers:
        found.append(f"model.registers = {model.registers}: published models have none, only 0 will do")
    if model.attention_window:
        window = f"model.attention_window = {model.attention_window}"
        found.append(f"{window}: published models attend to all positions, only 0 will do")
    sizes = {model.hidden_size: "hidden_size"}
    if model.mixer == "mlp_t":
        sizes[shape_of(config).positions] = "the length"
    published = model.model_copy(update={"width_multiple": _WIDTH_MULTIPLE})
    for size, what in sizes.items():
        width, expected = model.swiglu_width(size), published.swiglu_width(size)
        if width != expected:
            found.append(
                f"model.width_multiple = {model.width_multiple}: makes the SwiGLU over {what} {width} wide, "
                f"published ones are {expected}; {_WIDTH_MULTIPLE} will do"
            )
    return found


def _reversed(names: Mapping[str, str]) -> dict[str, str]:
    return {ours: published for published, ours in names.items()}
