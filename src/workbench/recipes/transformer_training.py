"""The training loop: epochs over windows, validation, the best epoch kept, and a state to go on from after a kill."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from workbench.errors import RecipeError
from workbench.recipes.transformer_checkpoint import Checkpoint
from workbench.recipes.transformer_distributed import World
from workbench.recipes.transformer_inputs import Reader
from workbench.recipes.transformer_loss import Loss, Sampler
from workbench.recipes.transformer_network import Network
from workbench.recipes.transformer_windows import Windows, batches, lay_out

TRIAL_STEPS = 5  # timed before a budget is turned into epochs, after one that warms up
SLOWEST = 0.03  # part of the learning rate that is left at the end
WARM_UP = 0.05  # part of all steps over which the learning rate rises


@dataclass(frozen=True)
class Plan:
    """How to train.

    batch_events: targets of one step, about.
    in_batch: part of the negatives drawn from the batch's own targets.
    leave_out: chance that an item's own embedding is left out of a step, where items have attributes.
    patience: validations without a better value before training ends early.
    compiled: whether torch.compile turns a step into machine code first; see `transformer_compile`.
    """

    epochs: int
    learning_rate: float
    weight_decay: float | None
    negatives: int
    in_batch: float
    batch_events: int
    leave_out: float
    patience: int
    compiled: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any], **known: Any) -> "Plan":
        """Take the hyperparameters of the same names, and `known` where something was worked out."""
        return cls(**({each.name: given[each.name] for each in fields(cls) if each.name in given} | known))


@dataclass
class Progress:
    """What training found: the value after every validated epoch, the best one and its parameters."""

    curve: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_value: float = -math.inf
    best_epoch: int = 0
    waited: int = 0


class Trainer:
    """One network, its data and its optimiser."""

    def __init__(
        self,
        network: Network,
        reader: Reader,
        windows: Windows,
        weights: np.ndarray,
        plan: Plan,
        attributes: Tensor | None,
        seed: int,
        device: torch.device,
    ):
        self.network, self.reader, self.windows, self.plan, self.device = network, reader, windows, plan, device
        self.weights, self.attributes, self.seed = weights.astype(np.float32), attributes, seed
        self.draw = torch.Generator().manual_seed(seed)
        network.drop.prepare(self.draw, device)
        share = np.bincount(reader.items, weights, minlength=reader.n_items)
        self.sampler = Sampler(torch.from_numpy(share / share.sum()).float(), plan.negatives, plan.in_batch)
        self.world = World.join(device)
        self.loss = self.world.share(Loss(network, plan.compiled))
        self.optimiser = torch.optim.AdamW(network.parameters(), plan.learning_rate, betas=(0.9, 0.98), fused=True)

    def epoch_steps(self) -> int:
        """How many steps this process takes in an epoch; the shuffle changes it by one at most."""
        groups = batches(self.windows, self.plan.batch_events, torch.Generator().manual_seed(0))
        return max(1, len(self.world.mine(groups)))

    def seconds_a_step(self) -> float:
        """Time a few steps on a copy, so that nothing that is trained or drawn later changes."""
        twin = copy.copy(self)
        network = copy.deepcopy(self.network)
        twin.network, twin.loss = network, Loss(network, self.plan.compiled)
        twin.draw = torch.Generator().manual_seed(self.seed + 1)
        network.drop.draw = twin.draw
        twin.optimiser = torch.optim.AdamW(network.parameters(), self.plan.learning_rate, fused=True)
        chosen = batches(self.windows, self.plan.batch_events, twin.draw)[: TRIAL_STEPS + 1]
        network.train()
        times = []
        for batch in chosen:
            clock = time.perf_counter()
            twin.step(batch)
            times.append(time.perf_counter() - clock)
        return float(np.mean(times[1:] or times))

    def run(
        self,
        validate: Callable[[], float] | None,
        every: int,
        checkpoint: Checkpoint | None = None,
        watch: Callable[[int, float], None] | None = None,
        progress: bool = False,
    ) -> Progress:
        """Train to the last epoch, or until validation has not improved for `patience` validations.

        Args:
            validate: gives the value to maximise, of the network as it stands; None keeps the last epoch.
            every: epochs from one validation to the next; the last epoch is always validated.
            checkpoint: where the state goes after every epoch, and is taken up from.
            watch: told every validated epoch and its value.
            progress: whether to show a bar.

        Returns:
            The curve and the best parameters, which the network also holds afterwards.
        """
        found, start = Progress(), 0
        for group in self.optimiser.param_groups:
            group["weight_decay"] = self.plan.weight_decay or 0.0
        if checkpoint is not None:
            start = checkpoint.take_up(self.network, self.optimiser, self.draw, found)
        total = self.plan.epochs * self.epoch_steps()
        bar = tqdm(total=self.plan.epochs, initial=start, desc="transformer", unit="epoch", disable=not progress)
        for epoch in range(start, self.plan.epochs):
            if found.waited > self.plan.patience:
                break
            loss = self._epoch(epoch, total)
            self._refuse_divergence(epoch + 1)
            if (epoch + 1) % every == 0 or epoch + 1 == self.plan.epochs:
                self._judge(epoch + 1, loss, None if validate is None else validate(), found, watch)
            bar.set_postfix(loss=round(loss, 3), **({} if validate is None else {"best": round(found.best_value, 4)}))
            bar.update()
            if checkpoint is not None and self.world.first:
                checkpoint.write(self.network, self.optimiser, self.draw, found, epoch + 1, self.plan.epochs)
        bar.close()
        self.network.load_state_dict(found.best)
        self.network.eval()
        return found

    def step(self, batch: np.ndarray) -> float:
        """One step of the optimiser on a batch of windows; gives the loss."""
        steps, targets = self.reader.steps(self.windows, batch, self.device)
        weights = torch.from_numpy(self._weights(batch)).to(self.device)
        if not bool((weights > 0).any()):
            return math.nan
        negatives, expected = self.sampler.draw(targets[weights > 0], self.draw)
        left_out = None
        if self.attributes is not None:
            left_out = torch.rand(self.reader.n_items + 1, generator=self.draw) < self.plan.leave_out
            left_out = left_out.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self.loss(steps, targets, weights, negatives, expected, self.attributes, left_out)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.detach())

    def _epoch(self, epoch: int, total: int) -> float:
        self.network.train()
        mine = self.world.mine(batches(self.windows, self.plan.batch_events, self.draw))
        losses = []
        for number, batch in enumerate(mine):
            done = epoch * len(mine) + number
            for group in self.optimiser.param_groups:
                group["lr"] = self.plan.learning_rate * rate(done, total)
            losses.append(self.step(batch))
        known = [each for each in losses if not math.isnan(each)]
        return float(np.mean(known)) if known else math.nan

    def _refuse_divergence(self, epoch: int) -> None:
        """A network with parameters beyond all numbers scores nothing."""
        if not all(bool(torch.isfinite(each).all()) for each in self.network.parameters()):
            raise RecipeError(
                f"transformer: training went astray in epoch {epoch}: parameters are no finite numbers any more. "
                f"Lower learning_rate, which is {self.plan.learning_rate:g}; 0.002 is usual."
            )

    def _judge(
        self,
        epoch: int,
        loss: float,
        value: float | None,
        found: Progress,
        watch: Callable[[int, float], None] | None,
    ) -> None:
        row = {"epoch": epoch, "loss": round(loss, 5)}
        found.curve.append(row if value is None else row | {"value": round(value, 6)})
        better = value is None or value > found.best_value
        if better or value == found.best_value:  # of equals the later one: it has learned longer
            found.best_value, found.best_epoch = -math.inf if value is None else value, epoch
            found.best = {name: each.detach().clone() for name, each in self.network.state_dict().items()}
        found.waited = 0 if better else found.waited + 1
        if watch is not None and value is not None:
            watch(epoch, value)

    def _weights(self, batch: np.ndarray) -> np.ndarray:
        return lay_out(self.windows, batch, self.weights, 0.0)[:, 1:]


def rate(step: int, steps: int) -> float:
    """Part of the learning rate at a step: a linear rise, then half a cosine down to `SLOWEST`."""
    warm = max(1, int(WARM_UP * steps))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
    return min(1.0, (step + 1) / warm) * (SLOWEST + (1 - SLOWEST) * fall)


def describe(found: Progress, plan: Plan) -> dict[str, Any]:
    """What the result's notes say about a training."""
    return {
        "epochs": plan.epochs,
        "best_epoch": found.best_epoch,
        "stopped_early": bool(found.curve and found.curve[-1]["epoch"] < plan.epochs),
        "curve": found.curve,
    }
