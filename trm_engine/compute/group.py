"""The processes that train one run together: how they find each other, and what they say to each other.

They are started by `trm_engine.training.ranks.launch` or by torchrun, which tell them by the same environment
variables. Messages are JSON, tensors travel as they are; nothing that arrives can run code. The process group
is an object of its own and not torch's default one: an app may hold several runs.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed import distributed_c10d

from trm_engine.compute.place import FOLDER, RESTARTS, Place
from trm_engine.errors import LostRankError
from trm_engine.text import first_line

dist: Any = distributed_c10d  # torch has no types for what is its process groups' own
_JOINING = timedelta(minutes=5)
# A paused run waits for a person, and an evaluation for its slowest rank. A process that ends closes its
# connections, which is noticed at once.
_WAITING = timedelta(days=3650)
_SHORT = 254
_NOTE = "sitting"
_NUMBERS = 64
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Group:
    """One process's connection to all ranks of a run. Every method but `place` is called by all, in order.

    Each raises `LostRankError` when another rank has ended.
    """

    def __init__(self, place: Place, store: Any, folder: Path | None = None) -> None:
        self.place = place
        self._folder = folder
        # torchrun hands out a store under another prefix after each restart.
        self._kept = getattr(store, "underlying_store", store)
        self.signal = 0
        """The number of a signal that asks this rank to stop; after a step, one that asks any of them."""
        self._store = store
        self._gloo = _gloo(place, dist.PrefixStore("gloo", store))
        self._nccl: Any = None

    @classmethod
    def join(cls, place: Place, environment: Mapping[str, str] = os.environ) -> Group:
        """Meet the other ranks; wait for them at most five minutes."""
        from torch.distributed.rendezvous import rendezvous  # a torch may be built without

        folder = environment.get(FOLDER)
        where = f"file://{folder}/meeting-{environment.get(RESTARTS, '0')}" if folder else "env://"
        try:
            store = next(iter(rendezvous(where, place.rank, place.size, timeout=_JOINING)))[0]
            return cls(place, store, Path(folder) if folder else None)
        except (RuntimeError, ValueError, OSError) as error:
            raise LostRankError(f"rank {place.rank} could not join the others: {_said(error)}") from error

    def note(self, text: str) -> None:
        """Keep a text for the ranks that a launcher starts again after these; called by rank 0 alone."""
        if self._folder is not None:
            (self._folder / _NOTE).write_text(text, encoding="utf-8")
        else:
            self._kept.set(_NOTE, text)

    def noted(self) -> str | None:
        """Return the text that rank 0 has kept, also before it was started again; called by rank 0 alone."""
        if self._folder is not None:
            path = self._folder / _NOTE
            return path.read_text(encoding="utf-8") if path.exists() else None
        return str(self._kept.get(_NOTE).decode()) if self._kept.check([_NOTE]) else None

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which holds the session and tells the others what to do."""
        return self.place.rank == 0

    # --- messages -----------------------------------------------------------------------------------------

    def tell(self, message: Mapping[str, object]) -> None:
        """Say something to the other ranks, which `hear` it; called by rank 0."""
        data = json.dumps(message).encode()
        short = len(data) <= _SHORT
        head = torch.zeros(_SHORT + 2, dtype=torch.uint8)
        head[0] = len(data) + 1 if short else 0
        if short:
            head[2 : 2 + len(data)] = _tensor_of(data)
        else:
            head[2:10] = _tensor_of(len(data).to_bytes(8, "little"))
        self._broadcast(head)
        if not short:
            self._broadcast(_tensor_of(data))

    def hear(self) -> dict[str, Any]:
        """Return what rank 0 tells; called by the others."""
        head = torch.zeros(_SHORT + 2, dtype=torch.uint8)
        self._broadcast(head)
        if length := int(head[0]):
            data = head[2 : 1 + length]
        else:
            data = torch.zeros(int.from_bytes(bytes(head[2:10].tolist()), "little"), dtype=torch.uint8)
            self._broadcast(data)
        heard: dict[str, Any] = json.loads(bytes(data.tolist()))
        return heard

    def replies(self, message: object) -> list[Any]:
        """Return what every rank says, in their order."""
        data = _tensor_of(json.dumps(message).encode())
        lengths = [int(numbers[0]) for numbers in self.share([len(data)])]
        padded = torch.zeros(max(lengths), dtype=torch.uint8)
        padded[: len(data)] = data
        said = zip(self.collect(padded), lengths, strict=True)
        return [json.loads(bytes(part[:length].tolist())) for part, length in said]

    def share(self, numbers: Sequence[float]) -> list[list[float]]:
        """Return the numbers of every rank, in their order; at most 62 each."""
        row = torch.zeros(_NUMBERS, dtype=torch.float64)
        row[0] = len(numbers)
        row[1 : 1 + len(numbers)] = torch.tensor(list(numbers), dtype=torch.float64)
        return [part[1 : 1 + int(part[0])].tolist() for part in self.collect(row)]

    # --- tensors ------------------------------------------------------------------------------------------

    def collect(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of every rank, in their order; all have one shape."""
        parts = [torch.empty_like(tensor) for _ in range(self.place.size)]
        options = dist.AllgatherOptions()
        options.timeout = _WAITING
        self._wait(lambda: self._for(tensor).allgather([parts], [tensor.contiguous()], options))
        return parts

    def add(self, flat: Tensor) -> None:
        """Add the contiguous tensors of all ranks, in place; in which order is the library's choice."""
        options = dist.AllreduceOptions()
        options.timeout = _WAITING
        self._wait(lambda: self._for(flat).allreduce([flat], options))

    def merge(self, rows: Tensor, own: Iterable[tuple[int, int]], dim: int = 0) -> Tensor:
        """Return a tensor whole of which every rank holds some rows [start, stop) of `dim`, bit by bit."""
        bits = _BITS[rows.element_size()]
        # nccl has no sums of 16-bit integers
        sums = torch.int32 if bits is torch.int16 else bits
        whole = torch.zeros(rows.shape, dtype=sums, device=rows.device)
        source = rows.contiguous().view(bits)
        for start, stop in own:
            whole.narrow(dim, start, stop - start).copy_(source.narrow(dim, start, stop - start))
        self.add(whole)  # of numbers of which all but one are zero
        return whole.to(bits).view(rows.dtype)

    def give(self, tensors: Mapping[str, Tensor]) -> None:
        """Send tensors by name to the other ranks, which `take` them; called by rank 0."""
        kinds = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in tensors.items()}
        self.tell(kinds)
        for tensor in tensors.values():
            self._broadcast(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8))

    def take(self) -> dict[str, Tensor]:
        """Return the tensors that rank 0 gives; called by the others."""
        taken = {}
        for name, (kind, shape) in self.hear().items():
            taken[name] = torch.empty(shape, dtype=getattr(torch, kind))
            self._broadcast(taken[name].reshape(-1).view(torch.uint8))
        return taken

    def _broadcast(self, tensor: Tensor) -> None:
        if not tensor.numel():
            return
        options = dist.BroadcastOptions()
        options.rootRank, options.rootTensor, options.timeout = 0, 0, _WAITING
        self._wait(lambda: self._for(tensor).broadcast([tensor], options))

    def _for(self, tensor: Tensor) -> Any:
        """Return what carries a tensor from where it is: gloo on CPUs, nccl on CUDA devices."""
        if tensor.device.type != "cuda":
            return self._gloo
        if self._nccl is None:
            options = dist.ProcessGroupNCCL.Options()
            options._timeout = _WAITING
            store = dist.PrefixStore("nccl", self._store)
            self._nccl = dist.ProcessGroupNCCL(store, self.place.rank, self.place.size, options)
        return self._nccl

    def _wait(self, begin: Any) -> None:
        try:
            begin().wait()
        except RuntimeError as error:
            raise LostRankError(
                f"rank {self.place.rank} has lost another rank of the run ({_said(error)})"
            ) from error


def _gloo(place: Place, store: Any) -> Any:
    options = dist.ProcessGroupGloo._Options()
    options._timeout, options._threads = _JOINING, 2
    options._devices = [_network(place)]
    return dist.ProcessGroupGloo(store, place.rank, place.size, options)


def _network(place: Place) -> Any:
    """Return the interface that ranks talk over: within one machine none that could be down or filtered."""
    if name := os.environ.get("GLOO_SOCKET_IFNAME", "").split(",")[0]:
        return dist.ProcessGroupGloo.create_device(interface=name)
    if place.local_size == place.size:
        return dist.ProcessGroupGloo.create_device(hostname="127.0.0.1")
    with suppress(RuntimeError):
        return dist.ProcessGroupGloo.create_device(hostname=socket.gethostname())
    return dist.ProcessGroupGloo.create_default_device()


def _tensor_of(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _said(error: BaseException) -> str:
    line = first_line(str(error), type(error).__name__)
    return line.split("] ", 1)[-1].split(". This is")[0]
