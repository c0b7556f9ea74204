"""Several processes that train one network, each on its share of every epoch's batches (torchrun starts them)."""

import os
import re
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed, nn

from workbench.errors import RecipeError


@dataclass(frozen=True)
class World:
    """This process among the others; alone unless torchrun started it."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> "World":
        """Meet the other processes that torchrun announced in the environment."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(distributed.get_rank(), size)

    @property
    def first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def mine(self, batches: list[np.ndarray]) -> list[np.ndarray]:
        """This process's batches, as many as every other's; a remainder waits for the next shuffle."""
        each = len(batches) // self.size
        return batches[self.rank : each * self.size : self.size] if each else batches[:1]

    def agree(self, number: int, device: torch.device) -> int:
        """Give every process the first one's number, where each has timed its own."""
        if self.size == 1:
            return number
        told = torch.tensor([number], device=device)
        distributed.broadcast(told, 0)
        return int(told)

    def share(self, module: nn.Module) -> nn.Module:
        """Average the gradients of all processes."""
        if self.size == 1:
            return module
        return nn.parallel.DistributedDataParallel(module)


def pick_device(name: str) -> torch.device:
    """Turn "auto" into the accelerator that is there, or the CPU; torchrun's processes get one GPU each.

    Raises:
        RecipeError: no such device is there.
    """
    if name != "auto":
        return _named(name)
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def _named(name: str) -> torch.device:
    known = re.fullmatch(r"cpu|cuda(?::(\d+))?", name)
    if known is None:
        raise RecipeError(f"transformer: device={name!r} is unknown; take auto, cpu, cuda, or cuda:1 for a second GPU.")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name != "cpu" and int(known[1] or 0) >= there:
        raise RecipeError(
            f"transformer: device={name!r} is not there; torch {torch.__version__} sees {there} CUDA devices. "
            'Take device="auto", which uses what there is, or install torch for your GPU.'
        )
    return torch.device(name)
