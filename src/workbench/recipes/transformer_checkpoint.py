"""The state of an unfinished training on disk: written after every epoch, taken up again after a kill."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from scipy import sparse
from torch import Tensor, nn

from workbench.errors import RecipeError

if TYPE_CHECKING:
    from workbench.recipes.transformer_training import Progress

FILE = "transformer.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Where the state lies and what it belongs to.

    folder: made when absent.
    key: of data, settings and seed; a state with another key is not taken up.
    """

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    def prepare(self) -> str | None:
        """Make the folder and try it out.

        Returns:
            What to note about a file in the place of the state that is none of this training; None without one.

        Raises:
            RecipeError: nothing can be written there.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise RecipeError(self._cannot(error)) from error
        if self.path.is_dir():
            raise RecipeError(f"{self.path} is a folder; the state of the training goes there as a file. Remove it.")
        if not self.path.exists() or self._about() is not None:
            return None
        return f"{FILE} was no state of a training of these data with these settings and this seed; it was replaced."

    def write(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        draw: torch.Generator,
        found: "Progress",
        epoch: int,
        epochs: int,
    ) -> None:
        """Write the state after an epoch beside its place, then put it there."""
        tensors = {f"now/{name}": each for name, each in network.state_dict().items()}
        tensors |= {f"best/{name}": each for name, each in found.best.items()}
        for number, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{number}/{name}": torch.as_tensor(each) for name, each in state.items()}
        tensors["draw"] = draw.get_state()
        about = {"key": self.key, "epoch": epoch, "epochs": epochs, "curve": found.curve, "waited": found.waited}
        about |= {"best_epoch": found.best_epoch}
        aside = self.path.with_suffix(f".{os.getpid()}.part")
        packed = {name: each.detach().cpu().contiguous().clone() for name, each in tensors.items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(packed, aside, metadata={"about": json.dumps(about)})
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(self.path)
        except (OSError, SafetensorError) as error:
            raise RecipeError(self._cannot(error)) from error
        finally:
            if aside.is_file():
                aside.unlink()

    def take_up(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, draw: torch.Generator, found: "Progress"
    ) -> int:
        """Put the state back where there is one that belongs here.

        Returns:
            How many epochs are done; 0 without a usable state.
        """
        about = self._about()
        if about is None:
            return 0
        with safe_open(self.path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no mapping
        network.load_state_dict(_part(tensors, "now"))
        found.best = _part(tensors, "best")
        found.curve, found.waited, found.best_epoch = about["curve"], about["waited"], about["best_epoch"]
        found.best_value = max((row["value"] for row in found.curve if "value" in row), default=found.best_value)
        state: dict[int, dict[str, Tensor]] = {}
        for name, each in _part(tensors, "optimiser").items():
            number, what = name.split("/")
            state.setdefault(int(number), {})[what] = each
        optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
        draw.set_state(tensors["draw"])
        return int(about["epoch"])

    def planned_epochs(self) -> int | None:
        """How many epochs the training that left a usable state had set out for; None without one."""
        about = self._about()
        return None if about is None else int(about["epochs"])

    def _about(self) -> dict[str, Any] | None:
        """Read what a usable state says of itself; None without one."""
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
            return about if about["key"] == self.key else None
        except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError):
            return None

    def _cannot(self, error: Exception) -> str:
        return (
            f"{self.folder}: the state of an unfinished training cannot be written there ({error}). "
            "Make the folder writable, free space on its disk, or choose another one."
        )

    def drop(self) -> None:
        """Remove the state of a training that has ended."""
        self.path.unlink(missing_ok=True)


def key(settings: dict[str, Any], *arrays: np.ndarray | sparse.csr_matrix | None) -> str:
    """Fingerprint of settings and of everything a training reads; None stands for what the data has nothing of."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    tables = [[each.data, each.indices, each.indptr] if sparse.issparse(each) else [each] for each in arrays]
    for each in (np.asarray(b"none" if part is None else part) for table in tables for part in table):
        digest.update(f"{each.dtype}{each.shape}".encode())
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): each for key, each in tensors.items() if key.startswith(f"{name}/")}
