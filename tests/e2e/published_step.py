"""The training step of the published TRM code, compactly: what a GPU is compared by.

The same mathematics in the same manner (github.com/SamsungSAILMontreal/TinyRecursiveModels): states (B, L, D)
in bfloat16, float32 weights cast at each use, norms in float32, stable-max in float64, the step compiled as a
whole, Adam-atan2 outside of it. Only what decides the time is here: no data, no halting head's extras.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trm_engine.config.sections import ModelConfig


def _norm(x: Tensor) -> Tensor:
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)).to(x.dtype)


class Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * inputs**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class SwiGLU(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.gate_up, self.down = Linear(size, 2 * width), Linear(width, size)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Attention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = Linear(size, 3 * size), Linear(size, size)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        rows, length, size = x.shape
        qkv = self.qkv(x).view(rows, length, 3 * self.heads, -1)
        query, key, value = qkv.split(self.heads, dim=2)
        query, key = (self._rotated(part, cos, sin) for part in (query, key))
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(rows, length, size))

    @staticmethod
    def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        wide = x.to(cos.dtype)
        first, second = wide.chunk(2, dim=-1)
        return (wide * cos[:, None] + torch.cat((-second, first), -1) * sin[:, None]).to(x.dtype)


class Block(nn.Module):
    def __init__(self, config: ModelConfig, length: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.along = config.mixer == "mlp_t"
        self.mixer = (
            SwiGLU(length, config.swiglu_width(length)) if self.along else Attention(size, config.heads)
        )
        self.mlp = SwiGLU(size, config.swiglu_width(size))

    def forward(self, x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
        if self.along:
            turned = x.transpose(1, 2)
            x = _norm(turned + self.mixer(turned)).transpose(1, 2)
        else:
            x = _norm(x + self.mixer(x, *tables))
        return _norm(x + self.mlp(x))


class PublishedStep(nn.Module):
    """A model with its Adam-atan2 and one supervision step, for `rows` puzzles of `cells` cells."""

    def __init__(self, config: ModelConfig, *, cells: int, vocabulary: int, rows: int) -> None:
        super().__init__()
        size, self.prefix = config.hidden_size, config.puzzle_emb_len + config.registers
        length = cells + self.prefix
        self.config = config
        self.embedding = nn.Parameter(torch.randn(vocabulary, size) * size**-0.5)
        self.blocks = nn.ModuleList(Block(config, length) for _ in range(config.layers))
        self.head, self.q_head = Linear(size, vocabulary), Linear(size, 2)
        head = size // config.heads
        inverse = 1.0 / (config.rope_theta ** (torch.arange(0, head, 2, dtype=torch.float32) / head))
        angles = torch.outer(torch.arange(length, dtype=torch.float32), inverse)
        self.register_buffer("cos", torch.cat((angles, angles), -1).cos())
        self.register_buffer("sin", torch.cat((angles, angles), -1).sin())
        self.to("cuda")
        self.tokens = torch.randint(1, vocabulary, (rows, cells), device="cuda")
        self.labels = torch.randint(1, vocabulary, (rows, cells), device="cuda")
        shape = (rows, length, size)
        self.y, self.z = (torch.randn(shape, device="cuda", dtype=torch.bfloat16) for _ in range(2))
        self.weights = list(self.parameters())
        self.mean, self.square = ([torch.zeros_like(w) for w in self.weights] for _ in range(2))
        self.compiled = torch.compile(self.loss, dynamic=False)

    def loss(self, y: Tensor, z: Tensor, tokens: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss of one supervision step and the states after it."""
        size, config = self.config.hidden_size, self.config
        x = F.embedding(tokens, self.embedding.to(torch.bfloat16))
        x = size**0.5 * torch.cat([x.new_zeros(len(x), self.prefix, size), x], 1)
        with torch.no_grad():
            for _ in range(config.h_cycles - 1):
                y, z = self.cycle(y, z, x)
        y, z = self.cycle(y, z, x)
        logits = self.head(y)[:, self.prefix :].double()
        s = torch.where(logits < 0, 1 / (1 - logits.clamp(max=0)), logits + 1)
        log = torch.log(s / s.sum(-1, keepdim=True))
        lm = -log.gather(-1, labels[..., None]).squeeze(-1).mean(-1).sum()
        right = (logits.argmax(-1) == labels).all(-1).float()
        halting = F.binary_cross_entropy_with_logits(
            self.q_head(y[:, 0]).float()[:, 0], right, reduction="sum"
        )
        return (lm + 0.5 * halting) / len(tokens), y.detach(), z.detach()

    def cycle(self, y: Tensor, z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        for _ in range(self.config.l_cycles):
            z = self.apply_blocks(z, y + x)
        return self.apply_blocks(y, z), z

    def apply_blocks(self, state: Tensor, injected: Tensor) -> Tensor:
        state = state + injected
        for block in self.blocks:
            state = block(state, (self.cos, self.sin))
        return state

    def step(self) -> None:
        """Take one training step."""
        loss, self.y, self.z = self.compiled(self.y, self.z, self.tokens, self.labels)
        loss.backward()
        grads = [weight.grad for weight in self.weights]
        torch._foreach_lerp_(self.mean, grads, 0.1)
        torch._foreach_mul_(self.square, 0.95)
        torch._foreach_addcmul_(self.square, grads, grads, 0.05)
        with torch.no_grad():
            for weight, mean, square in zip(self.weights, self.mean, self.square, strict=True):
                weight.mul_(1 - 1e-5).add_(torch.atan2(mean, square.sqrt()), alpha=-1e-5)
        for weight in self.weights:
            weight.grad = None
