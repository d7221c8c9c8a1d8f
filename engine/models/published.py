"""The names of the published TRM code's weights, and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

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


def our_name(published: str) -> str | None:
    """Return our name of a published weight, or None when there is none."""
    name = published.removeprefix("_orig_mod.").removeprefix(_PREFIX)
    if name in _FIXED:
        return _FIXED[name]
    layer = _LAYER.fullmatch(name)
    if layer and layer[2] in _IN_LAYER:
        return f"blocks.{layer[1]}.{_IN_LAYER[layer[2]]}"
    return None


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return published weights under our names, shaped as ours; unknown names raise `KeyError`."""
    ours = {}
    for published, tensor in weights.items():
        name = our_name(published)
        if name is None:
            raise KeyError(published)
        ours[name] = tensor.unsqueeze(1) if name == "embed_positions" else tensor
    return ours
