"""The blocks of a recursive model.

States are laid out length first, (S, B, D): position, row of the batch, width. The MLP along the length is
then one matrix product on (S, B·D) and the one along the width is one on (S·B, D): neither needs a
transpose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from trm_engine.compute.kernels import kernels_problem
from trm_engine.compute.precision import widened
from trm_engine.config.sections import ModelConfig, RuntimeConfig
from trm_engine.models import compiled as in_cpp
from trm_engine.models.fused import residual_norm, rotate, swiglu_norm
from trm_engine.models.fused_attention import attention_norm
from trm_engine.models.recompute import recomputed
from trm_engine.models.window_attention import Windows, window_attention
from trm_engine.planning.memory import LONGEST_COMPILED

if TYPE_CHECKING:
    from trm_engine.models.tiled import Tiles

_FEW_TOKENS = 256
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
    """Divide by the root mean square along `dim`, computed in float32 at least; no weight."""
    wide = widened(x)
    return (wide * torch.rsqrt(wide.square().mean(dim, keepdim=True) + eps)).to(x.dtype)


def embedded(tokens: Tensor, weight_VD: Tensor) -> Tensor:
    """Return the rows of a matrix that tokens (…) name: (…, D).

    On a GPU the same as a product with ones and zeros: there the gradient of a look-up of a few tokens that
    all occur thousands of times would be summed row by row, by whichever thread comes first.
    """
    if weight_VD.device.type == "cuda" and len(weight_VD) <= _FEW_TOKENS:
        return F.one_hot(tokens, len(weight_VD)).to(weight_VD.dtype) @ weight_VD
    return F.embedding(tokens, weight_VD)


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

    `windows`: which positions see which, if not all see all. `products`, of fused blocks: scores
    by batched matrix products; only where it is neither causal nor windowed.
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
        windows: Windows | None = None,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.windows = windows
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
        if self.windows is not None:
            return F.linear(window_attention(query, key, value, self.windows).flatten(2), self.out)
        query, key, value = (rearrange(part, "s b h d -> b h s d") for part in (query, key, value))
        mixed_BHSd = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return F.linear(rearrange(mixed_BHSd, "b h s d -> s b (h d)"), self.out)

    def fused_norm(self, x_SBD: Tensor, eps: float) -> Tensor:
        """Return rms(x + attention(x)) by batched matrix products."""
        tables = self._tables(len(x_SBD))
        return attention_norm(x_SBD, self.qkv, self.out, tables, heads=self.heads, eps=eps)

    def compiled_norm(self, x_SBD: Tensor, eps: float) -> Tensor:
        """Return rms(x + attention(x)) by kernels that this machine has compiled."""
        if self.causal or self.windows is not None or len(x_SBD) > LONGEST_COMPILED:
            return in_cpp.residual_norm(x_SBD, self(x_SBD), eps)
        tables = self._tables(len(x_SBD))
        if tables is not None:
            tables = tables[0].contiguous(), tables[1].contiguous()
        return in_cpp.attention_norm(x_SBD, self.qkv, self.out, tables, heads=self.heads, eps=eps)

    def _tables(self, length: int) -> tuple[Tensor, Tensor] | None:
        """Return cosines and sines (S, 1, 1, d/2) of the rotation, if there is one."""
        if self.rotary is None:
            return None
        half = self.rotary.cos.shape[-1] // 2
        return self.rotary.cos[:length, ..., :half], self.rotary.sin[:length, ..., :half]


class Block(nn.Module):
    """Post-norm: x ← rms(x + mix(x)), then x ← rms(x + swiglu(x)).

    `fused` computes the same with `trm_engine.models.fused`, `cpp` with `trm_engine.models.compiled`.
    """

    fused = False
    cpp = False
    compiled: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] | None = None
    """Both halves by torch's compiler, for states of one shape."""
    tiles: tuple[Tiles | None, Tiles | None] | None = None
    """On a GPU, in 16-bit numbers: weights of halves with short sides, for `trm_engine.models.tiled`."""

    def __init__(self, mixer: Attention | SwiGLU, mlp: SwiGLU, eps: float) -> None:
        super().__init__()
        self.mixer = mixer
        self.mlp = mlp
        self.eps = eps

    def forward(self, x_SBD: Tensor) -> Tensor:
        """Apply the block; an MLP as mixer works, and normalises, along the length."""
        if self.tiles is not None:
            return self._forward_tiled(x_SBD, *self.tiles)
        if self.cpp and x_SBD.dtype is torch.float32:
            return self._forward_cpp(x_SBD)
        if self.fused:
            return self._forward_fused(x_SBD)
        mix, widen = self.compiled or (self.mix, self.widen)
        return widen(mix(x_SBD))

    def mix(self, x_SBD: Tensor) -> Tensor:
        """Apply the first half: what positions exchange, added and normalised."""
        if isinstance(self.mixer, SwiGLU):
            return rms_norm(x_SBD + self.mixer.along_length(x_SBD), self.eps, dim=0)
        return rms_norm(x_SBD + self.mixer(x_SBD), self.eps)

    def widen(self, x_SBD: Tensor) -> Tensor:
        """Apply the second half: the SwiGLU along the width, added and normalised."""
        return rms_norm(x_SBD + self.mlp(x_SBD), self.eps)

    def _forward_tiled(self, x_SBD: Tensor, along: Tiles | None, across: Tiles | None) -> Tensor:
        from trm_engine.models import tiled

        mix, widen = self.compiled or (self.mix, self.widen)
        if along is None:
            x_SBD = mix(x_SBD)
        else:
            flat = x_SBD.reshape(len(x_SBD), -1)
            x_SBD = tiled.swiglu_norm(flat, along, self.eps, along_length=True).view(x_SBD.shape)
        if across is None:
            return widen(x_SBD)
        flat = x_SBD.reshape(-1, x_SBD.shape[-1])
        return tiled.swiglu_norm(flat, across, self.eps, along_length=False).view(x_SBD.shape)

    def use_tiles(self) -> None:
        """Compute halves with short sides as one kernel each; see `trm_engine.models.tiled`."""
        from trm_engine.models import tiled

        def of(half: nn.Module) -> Tiles | None:
            if not isinstance(half, SwiGLU) or len(half.down) > tiled.LONGEST:
                return None
            return tiled.Tiles(half.gate_up, half.down)

        self.tiles = of(self.mixer), of(self.mlp)

    def _forward_fused(self, x_SBD: Tensor) -> Tensor:
        length, rows, size = x_SBD.shape
        mixer, mlp = self.mixer, self.mlp
        if isinstance(mixer, SwiGLU):
            x = swiglu_norm(x_SBD.reshape(length, -1), mixer.gate_up, mixer.down, self.eps, along_length=True)
        elif mixer.products and not mixer.causal and mixer.windows is None:
            x = mixer.fused_norm(x_SBD, self.eps)
        else:
            x = residual_norm(x_SBD, mixer(x_SBD), self.eps)
        x = swiglu_norm(x.view(length * rows, size), mlp.gate_up, mlp.down, self.eps, along_length=False)
        return x.view(length, rows, size)

    def _forward_cpp(self, x_SBD: Tensor) -> Tensor:
        length, rows, size = x_SBD.shape
        mixer, mlp = self.mixer, self.mlp
        if isinstance(mixer, SwiGLU):
            flat = x_SBD.reshape(length, -1)
            x = in_cpp.swiglu_norm(flat, mixer.gate_up, mixer.down, self.eps, along_length=True)
        else:
            x = mixer.compiled_norm(x_SBD, self.eps)
        flat = x.view(length * rows, size)
        return in_cpp.swiglu_norm(flat, mlp.gate_up, mlp.down, self.eps, along_length=False).view(x_SBD.shape)


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
    config: ModelConfig,
    length: int,
    generator: torch.Generator,
    *,
    causal: bool = False,
    grid: tuple[int, int] | None = None,
) -> Network:
    """Return a freshly initialised network over at most `length` positions.

    The last of them may be the cells of a `grid`, by its rows and columns: then a window can be configured.
    """

    def swiglu(size: int) -> SwiGLU:
        return SwiGLU(size, config.swiglu_width(size), generator)

    def mixer() -> Attention | SwiGLU:
        if config.mixer == "mlp_t":
            return swiglu(length)
        return Attention(size, config.heads, rotary, generator, causal=causal, windows=windows)

    size = config.hidden_size
    rotary = None
    if config.mixer == "attention" and config.positions == "rope":
        rotary = Rotary(length, size // config.heads, config.rope_theta)
    windows = None
    if config.attention_window and grid is not None:
        windows = Windows(grid, config.attention_window, length - grid[0] * grid[1])
    return Network(Block(mixer(), swiglu(size), config.rms_norm_eps) for _ in range(config.layers))


def refresh_tiles(model: nn.Module) -> None:
    """Bring the copies of weights that kernels read up to date, where there are any: a step begins."""
    for module in model.modules():
        if isinstance(module, Block):
            for tiles in module.tiles or ():
                if tiles is not None:
                    tiles.refresh()


class _Compiled:
    """A function that is compiled when it is first called: torch's compiler takes seconds to load."""

    def __init__(self, half: Callable[[Tensor], Tensor]) -> None:
        self._half = half
        self._compiled: Callable[[Tensor], Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        self._compiled = self._compiled or torch.compile(self._half, dynamic=False)
        return self._compiled(x)


def use_kernels(model: nn.Module, runtime: RuntimeConfig, *, compiled: bool = False) -> None:
    """Choose the operations that compute; the mathematics is the same.

    Fused operations are for processors. `compiled`: torch compiles each block when it first computes; it must
    be able to (`trm_engine.compute.compiler`), and one more shape of states costs one more compilation.
    """
    weight = next(model.parameters())
    fused = runtime.fused and not compiled and weight.device.type == "cpu"
    cpp = fused and runtime.kernels == "compiled" and kernels_problem() is None
    tiled = compiled and weight.device.type == "cuda" and weight.element_size() == 2
    for module in model.modules():
        if isinstance(module, (Block, Rotary)):
            module.fused = fused
        if isinstance(module, Block):
            module.cpp = cpp
            module.tiles = None
            if tiled:
                module.use_tiles()
            # The compiler would write out each tile of a windowed attention.
            whole = isinstance(module.mixer, Attention) and module.mixer.windows is not None
            mix = module.mix if whole else _Compiled(module.mix)
            module.compiled = (mix, _Compiled(module.widen)) if compiled else None
        if isinstance(module, Attention):
            module.products = fused and runtime.attention == "products"
        if isinstance(module, Network):
            module.checkpointing = runtime.checkpointing
