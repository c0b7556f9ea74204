"""Sampled softmax over uniform and in-batch negatives, corrected for how likely each was to be drawn."""

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config as sizes

from workbench.recipes.transformer_network import Network, Steps


class Sampler:
    """Draws negatives that a whole batch shares.

    Args:
        share: (items,) how often each item is a target.
        negatives: how many to draw.
        in_batch: which part of them is drawn from the batch's own targets; the others evenly from the catalogue.
    """

    def __init__(self, share: Tensor, negatives: int, in_batch: float):
        self.share = share
        self.count = min(negatives, max(1, len(share) - 1))
        self.from_batch = round(self.count * in_batch)

    def draw(self, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Give item codes and the logarithm of how often each was to be expected.

        Source: the correction of sampled softmax, Bengio and Senecal 2008.
        """
        n, even = len(self.share), self.count - self.from_batch
        parts = [torch.randperm(n, generator=generator)[:even] if even * 4 > n else _distinct(n, even, generator)]
        if self.from_batch:
            places = torch.randint(len(targets), (self.from_batch,), generator=generator)
            parts.append(targets.cpu()[places])
        codes = torch.cat(parts).to(targets.device)
        expected = even / n + self.from_batch * self.share.to(targets.device)[codes]
        return codes, torch.log(expected)


class Loss(nn.Module):
    """The network and what it is trained on, as one module, so that gradients can be shared between processes.

    What is compiled is a function of the network's, so that its parameters keep their names.
    """

    def __init__(self, network: Network, compiled: bool = False):
        super().__init__()
        self.network = network
        self.compiled = torch.compile(self._mean, dynamic=True) if compiled else None

    def forward(
        self,
        steps: Steps,
        targets: Tensor,
        weights: Tensor,
        negatives: Tensor,
        expected: Tensor,
        attributes: Tensor | None,
        left_out: Tensor | None,
    ) -> Tensor:
        """Weighted mean of -log P(target) over all positions.

        Args:
            steps: the batch.
            targets, weights: (rows, steps) what came and how much it counts; 0 counts for nothing.
            negatives, expected: from `Sampler.draw`.
            attributes, left_out: see `Network.vectors`.
        """
        vectors = self.network.vectors(attributes, left_out)
        used = torch.nonzero(weights.flatten() > 0)[:, 0]
        came, weights = targets.flatten()[used], weights.flatten()[used]
        drops = self.network.drop.places(self.network.masks)
        if self.compiled is None or min(*steps.items.shape, len(used)) < 2:  # a side of 1 would be compiled anew
            return self._mean(steps, vectors, used, came, weights, negatives, expected, drops)
        for each in (vectors, negatives, expected):
            torch._dynamo.mark_static(each)
        with sizes.patch(use_duck_shape=False):  # else a batch as long as it is wide would be compiled anew, too
            return self.compiled(steps, vectors, used, came, weights, negatives, expected, drops)

    def _mean(
        self,
        steps: Steps,
        vectors: Tensor,
        used: Tensor,
        came: Tensor,
        weights: Tensor,
        negatives: Tensor,
        expected: Tensor,
        drops: Tensor | None,
    ) -> Tensor:
        """The loss over the positions `used`, of all rows one after another, at which `came` with `weights`."""
        network = self.network
        hidden = network.hidden(steps, vectors, drops).flatten(0, 1)[used]
        right = (hidden * vectors[came]).sum(-1) + network.bias[came]
        wrong = torch.addmm(network.bias[negatives] - expected, hidden, vectors[negatives].T)
        wrong = wrong.masked_fill(came[:, None] == negatives[None], -1e9).float()
        right = right.float()
        losses = torch.logaddexp(torch.logsumexp(wrong, 1), right) - right
        return (losses * weights).sum() / weights.sum()


def _distinct(n: int, count: int, generator: torch.Generator) -> Tensor:
    """Draw without repeats from a catalogue much larger than the sample."""
    found = torch.empty(0, dtype=torch.int64)
    while len(found) < count:
        found = torch.unique(torch.cat([found, torch.randint(n, (2 * count,), generator=generator)]))
    return found[torch.randperm(len(found), generator=generator)[:count]]
