"""The processes of one run: alone, or as many as torchrun started, with gradients averaged by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """This process among its peers."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average_(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over all processes, in one message."""
        if self.world == 1:
            return
        whole = list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in whole])
        distributed.all_reduce(flat)
        flat /= self.world
        for tensor, part in zip(whole, flat.split([t.numel() for t in whole]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def largest(self, number: int, device: torch.device) -> int:
        """The largest `number` that any process has."""
        if self.world == 1:
            return number
        shared = torch.tensor(number, device=device)
        distributed.all_reduce(shared, op=distributed.ReduceOp.MAX)
        return int(shared.item())

    def gathered(self, tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """`tensors` of every process, in the order of their ranks; names and sizes are the same in all."""
        found: list[dict[str, Tensor]] = [{} for _ in range(self.world)]
        for name in sorted(tensors):
            whole = [tensors[name]]
            if self.world > 1:
                whole = [torch.empty_like(tensors[name]) for _ in range(self.world)]
                distributed.all_gather(whole, tensors[name])
            for place, tensor in zip(found, whole, strict=True):
                place[name] = tensor
        return found

    def wait(self) -> None:
        if self.world > 1:
            distributed.barrier()


def world_size() -> int:
    """How many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Join the processes that torchrun started: NCCL between GPUs, gloo otherwise. Without torchrun: alone."""
    world = world_size()
    if world == 1:
        yield Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()
