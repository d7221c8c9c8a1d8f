"""The blocks of a recursive model.

States are laid out length first, (S, B, D): position, row of the batch, width. The MLP along the length is
then one matrix product on (S, B·D) and the one along the width is one on (S·B, D): neither needs a
transpose.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from trm_engine.config.sections import ModelConfig, RuntimeConfig
from trm_engine.models.fused import residual_norm, rotate, swiglu_norm
from trm_engine.models.fused_attention import attention_norm
from trm_engine.models.recompute import recomputed

# The standard deviation of a unit normal cut at ±2: dividing by it makes the cut distribution's deviation
# exact.
_CUT = 2.0
_MASS = math.erf(_CUT / math.sqrt(2))
_DENSITY = math.exp(-0.5 * _CUT**2) / math.sqrt(2 * math.pi)
_CUT_STD = math.sqrt(1 - 2 * _CUT * _DENSITY / _MASS)


def truncated_normal(*shape: int, std: float, generator: torch.Generator) -> Tensor:
    """Return a tensor of `shape` from a normal cut at two deviations, corrected to have deviation `std`."""
    uniform = torch.empty(shape).uniform_(-_MASS, _MASS, generator=generator)
    return (
        uniform.erfinv_()
        .mul_(math.sqrt(2) * std / _CUT_STD)
        .clamp_(-_CUT * std / _CUT_STD, _CUT * std / _CUT_STD)
    )


def lecun_normal(fan_out: int, fan_in: int, generator: torch.Generator) -> Tensor:
    """Return a (fan_out, fan_in) matrix with deviation 1/√fan_in."""
    return truncated_normal(fan_out, fan_in, std=fan_in**-0.5, generator=generator)


def rms_norm(x: Tensor, eps: float, dim: int = -1) -> Tensor:
    """Divide by the root mean square along `dim`; no weight."""
    return x * torch.rsqrt(x.square().mean(dim, keepdim=True) + eps)


class SwiGLU(nn.Module):
    """down(silu(gate(x)) · up(x)); gate and up are one matrix, gate first; no biases."""

    def __init__(self, size: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.gate_up = nn.Parameter(lecun_normal(2 * width, size, generator))
        self.down = nn.Parameter(lecun_normal(size, width, generator))

    def forward(self, x: Tensor) -> Tensor:
        """Apply along the last dimension."""
        gate, up = F.linear(x, self.gate_up).chunk(2, dim=-1)
        return F.linear(F.silu(gate) * up, self.down)

    def along_length(self, x_SBD: Tensor) -> Tensor:
        """Apply along the first dimension."""
        gate, up = (self.gate_up @ x_SBD.flatten(1)).chunk(2, dim=0)
        return (self.down @ (F.silu(gate) * up)).view(x_SBD.shape)


class Rotary(nn.Module):
    """Rotary position tables (θ-based, rotate-half) for `length` positions of heads of `size` numbers."""

    cos: Tensor
    sin: Tensor

    def __init__(self, length: int, size: int, theta: float) -> None:
        super().__init__()
        inverse = 1.0 / (theta ** (torch.arange(0, size, 2, dtype=torch.float32) / size))
        angles = torch.outer(torch.arange(length, dtype=torch.float32), inverse)
        table = torch.cat((angles, angles), dim=-1)[:, None, None, :]
        self.register_buffer("cos", table.cos(), persistent=False)
        self.register_buffer("sin", table.sin(), persistent=False)

    fused = False

    def forward(self, x_SBHd: Tensor) -> Tensor:
        """Rotate heads (S, B, H, d) by their position; S may be less than `length`."""
        length = x_SBHd.shape[0]
        cos, sin = self.cos[:length], self.sin[:length]
        if self.fused:
            half = x_SBHd.shape[-1] // 2
            return rotate(x_SBHd, cos[..., :half], sin[..., :half])
        first, second = x_SBHd.chunk(2, dim=-1)
        return x_SBHd * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Multi-head attention: fused qkv, no biases. `causal`: a position sees none that come after it.

    `products`, of fused blocks: scores by batched matrix products; only where it is not causal.
    """

    products = False

    def __init__(
        self,
        size: int,
        heads: int,
        rotary: Rotary | None,
        generator: torch.Generator,
        *,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.rotary = rotary
        self.qkv = nn.Parameter(lecun_normal(3 * size, size, generator))
        self.out = nn.Parameter(lecun_normal(size, size, generator))

    def forward(self, x_SBD: Tensor) -> Tensor:
        """Mix positions."""
        length, rows, _ = x_SBD.shape
        query, key, value = F.linear(x_SBD, self.qkv).view(length, rows, 3, self.heads, -1).unbind(2)
        if self.rotary is not None:
            query, key = self.rotary(query).to(value.dtype), self.rotary(key).to(value.dtype)
        query, key, value = (rearrange(part, "s b h d -> b h s d") for part in (query, key, value))
        mixed_BHSd = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return F.linear(rearrange(mixed_BHSd, "b h s d -> s b (h d)"), self.out)

    def fused_norm(self, x_SBD: Tensor, eps: float) -> Tensor:
        """Return rms(x + attention(x)) by batched matrix products."""
        tables = None
        if self.rotary is not None:
            length, half = len(x_SBD), self.rotary.cos.shape[-1] // 2
            tables = self.rotary.cos[:length, ..., :half], self.rotary.sin[:length, ..., :half]
        return attention_norm(x_SBD, self.qkv, self.out, tables, heads=self.heads, eps=eps)


class Block(nn.Module):
    """Post-norm: x ← rms(x + mix(x)), then x ← rms(x + swiglu(x)).

    `fused` computes the same with `trm_engine.models.fused`.
    """

    fused = False

    def __init__(self, mixer: Attention | SwiGLU, mlp: SwiGLU, eps: float) -> None:
        super().__init__()
        self.mixer = mixer
        self.mlp = mlp
        self.eps = eps

    def forward(self, x_SBD: Tensor) -> Tensor:
        """Apply the block; an MLP as mixer works, and normalises, along the length."""
        if self.fused:
            return self._forward_fused(x_SBD)
        if isinstance(self.mixer, SwiGLU):
            x_SBD = rms_norm(x_SBD + self.mixer.along_length(x_SBD), self.eps, dim=0)
        else:
            x_SBD = rms_norm(x_SBD + self.mixer(x_SBD), self.eps)
        return rms_norm(x_SBD + self.mlp(x_SBD), self.eps)

    def _forward_fused(self, x_SBD: Tensor) -> Tensor:
        length, rows, size = x_SBD.shape
        mixer, mlp = self.mixer, self.mlp
        if isinstance(mixer, SwiGLU):
            x = swiglu_norm(x_SBD.reshape(length, -1), mixer.gate_up, mixer.down, self.eps, along_length=True)
        elif mixer.products and not mixer.causal:
            x = mixer.fused_norm(x_SBD, self.eps)
        else:
            x = residual_norm(x_SBD, mixer(x_SBD), self.eps)
        x = swiglu_norm(x.view(length * rows, size), mlp.gate_up, mlp.down, self.eps, along_length=False)
        return x.view(length, rows, size)


class Network(nn.ModuleList):
    """Blocks one after the other: what an update of a state applies, again and again.

    `checkpointing`: of an application with gradient only the input is kept; the way back computes the rest
    again, operation by operation, so that gradients are the same to the bit.
    """

    checkpointing = False

    def forward(self, x_SBD: Tensor) -> Tensor:
        """Apply the network to a state."""
        if self.checkpointing and torch.is_grad_enabled():
            return recomputed(self._apply_blocks, x_SBD)
        return self._apply_blocks(x_SBD)

    def _apply_blocks(self, x_SBD: Tensor) -> Tensor:
        for block in self:
            x_SBD = block(x_SBD)
        return x_SBD


def build_network(
    config: ModelConfig, length: int, generator: torch.Generator, *, causal: bool = False
) -> Network:
    """Return a freshly initialised network over at most `length` positions."""

    def swiglu(size: int) -> SwiGLU:
        return SwiGLU(size, config.swiglu_width(size), generator)

    def mixer() -> Attention | SwiGLU:
        if config.mixer == "mlp_t":
            return swiglu(length)
        return Attention(size, config.heads, rotary, generator, causal=causal)

    size = config.hidden_size
    rotary = None
    if config.mixer == "attention" and config.positions == "rope":
        rotary = Rotary(length, size // config.heads, config.rope_theta)
    return Network(Block(mixer(), swiglu(size), config.rms_norm_eps) for _ in range(config.layers))


def use_kernels(model: nn.Module, runtime: RuntimeConfig) -> None:
    """Choose the operations that compute; the mathematics is the same."""
    for module in model.modules():
        if isinstance(module, (Block, Rotary)):
            module.fused = runtime.fused
        if isinstance(module, Attention):
            module.products = runtime.fused and runtime.attention == "products"
        if isinstance(module, Network):
            module.checkpointing = runtime.checkpointing
