"""Which device computes: what was asked for, what is there, and why it is taken.

A device is where tensors live. No checkpoint names one: what was trained on one can be resumed on another.
"""

from __future__ import annotations

import functools
import os
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from trm_engine.decisions import Decision
from trm_engine.errors import UsageError
from trm_engine.remedies import ChangeSettings
from trm_engine.text import first_line, safe_text

_VARIABLE = "TRM_DEVICE"
KINDS = ("cuda", "mps", "xpu")
"""Kinds of devices beside the processor, as torch names them."""
_TRIAL_ROWS, _TRIAL_WIDTH, _TRIAL_ROUNDS = 4096, 128, 3


@dataclass(frozen=True)
class Found:
    """A device that torch can compute on: `name` as in `runtime.device`, `title` as its maker calls it."""

    name: str
    title: str


Trial = Callable[[torch.device], float]
"""Returns the seconds of a little work on a device."""


@functools.cache
def found_devices() -> tuple[Found, ...]:
    """Return the devices beside the processor that this torch can compute on, the best kind first."""
    found = []
    for kind in KINDS:
        backend = getattr(torch.backends if kind == "mps" else torch, kind, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of drivers that do not match: there is no such device then
            if backend is None or not backend.is_available():
                continue
        count = 1 if kind == "mps" else getattr(torch, kind).device_count()
        for number in range(count):
            title = "Apple GPU" if kind == "mps" else str(getattr(torch, kind).get_device_name(number))
            found.append(Found(f"{kind}:{number}", safe_text(title)))
    return tuple(found)


def choose_device(
    asked: str,
    found: tuple[Found, ...] | None = None,
    trial: Trial | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[torch.device, Decision]:
    """Return the device that `runtime.device` asks for, and the reason.

    `auto` takes what `TRM_DEVICE` names, else a CUDA device that computes, MPS or XPU where a little training
    step is faster there than on the processor, else the processor. Raises `UsageError` for a device that is
    not there.
    """
    there = found_devices() if found is None else found
    if asked != "auto":
        return _asked_for(asked, there, "as configured")
    if told := environment.get(_VARIABLE, ""):
        return _asked_for(told, there, f"{_VARIABLE} is set in the environment")
    for device in there:
        faults, reason = _worth(torch.device(device.name), device, trial or _seconds_of_a_step)
        if not faults:
            return torch.device(device.name), Decision("device", device.name, reason)
        return torch.device("cpu"), Decision("device", "cpu", reason)
    return torch.device("cpu"), Decision("device", "cpu", "torch finds no other device here")


def device_for_use(asked: str) -> torch.device:
    """Return where a trained model is used: where its run was asked to be trained, if that is here.

    A model trained on a graphics processor is used on a laptop without one.
    """
    try:
        return chosen(asked)[0]
    except UsageError:
        return chosen("auto")[0]


@functools.cache
def chosen(asked: str) -> tuple[torch.device, Decision]:
    """Return `choose_device` of this machine, decided once."""
    return choose_device(asked)


def synchronize(device: torch.device) -> None:
    """Wait until a device has done what it was told; at once on a processor."""
    if device.type in KINDS:
        getattr(torch, device.type).synchronize()


def use_device(device: torch.device) -> None:
    """Let this thread create events, graphs and pinned memory for a device; where there are several."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def prefer_kernels(device: torch.device) -> None:
    """Let attention take the kernels that are fastest on a device, where torch's own order is another.

    On Hopper those of cuDNN: at 97 positions 1.5 times as fast as flash attention by themselves, and two runs
    end with the same bits (H200, torch 2.11).
    """
    newer = hasattr(torch.backends.cuda, "enable_cudnn_sdp") and _release() >= (2, 9)
    if device.type == "cuda" and newer and torch.cuda.get_device_capability(device) == (9, 0):
        torch.backends.cuda.enable_flash_sdp(False)


def _release() -> tuple[int, ...]:
    return tuple(int(part) for part in torch.__version__.split(".")[:2])


def on(device: torch.device) -> AbstractContextManager[object]:
    """Do so for as long as a block lasts."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def _asked_for(asked: str, there: tuple[Found, ...], why: str) -> tuple[torch.device, Decision]:
    if asked == "cpu":
        return torch.device("cpu"), Decision("device", "cpu", why)
    name = asked if ":" in asked else f"{asked}:0"
    for device in there:
        if device.name == name:
            return torch.device(name), Decision("device", name, f"{why}: {device.title}")
    listed = ", ".join(["cpu", *(f"{device.name} ({device.title})" for device in there)])
    raise UsageError(
        f'device "{asked}": torch finds no such device here; there is {listed}',
        remedies=[ChangeSettings.parse(('runtime.device="auto"',))],
    )


def _worth(device: torch.device, found: Found, trial: Trial) -> tuple[bool, str]:
    """Return whether a device is not to be taken by itself, and why, or why it is."""
    try:
        seconds = trial(device)
    except (RuntimeError, AssertionError) as error:  # also what a device lacks, a kind of RuntimeError
        first = first_line(str(error), "no reason given")
        return True, f"{found.name} ({found.title}) does not compute: {first}"
    if device.type == "cuda":
        return False, found.title
    here = trial(torch.device("cpu"))
    told = f"{found.title}: a small step takes {seconds * 1e3:.3g} ms there, {here * 1e3:.3g} ms on the CPU"
    return seconds >= here, told


def _seconds_of_a_step(device: torch.device) -> float:
    """Return the time of a SwiGLU with its backward pass, the best of some: the first warms up."""
    generator = torch.Generator().manual_seed(0)

    def made(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device).requires_grad_()

    x, gate_up, down = (
        made(_TRIAL_ROWS, _TRIAL_WIDTH),
        made(_TRIAL_WIDTH, 4 * _TRIAL_WIDTH),
        made(2 * _TRIAL_WIDTH, _TRIAL_WIDTH),
    )
    best = float("inf")
    for _ in range(_TRIAL_ROUNDS):
        started = time.perf_counter()
        gate, up = (x @ gate_up).chunk(2, dim=-1)
        (torch.nn.functional.silu(gate) * up @ down).square().mean().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        synchronize(device)
        best = min(best, time.perf_counter() - started)
    return best
