"""The network of the transformer recipe: item tower, causal blocks, and one score per item and position."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MASK_POOL = 1 << 22  # keep-or-drop factors drawn once; drawing them anew takes a seventh of a step on a CPU


@dataclass(frozen=True)
class Shape:
    """The sizes of a network; the extras are 0 where the data has nothing of the kind.

    items: size of the catalogue; code `items` stands for "no event".
    window: most events a position looks back on, itself included.
    attributes, users: columns of the items' and of the users' feature tables.
    contexts, types, gaps: distinct values of what comes with a request, of EVENT_TYPE and of the time between events.
    """

    items: int
    width: int
    layers: int
    heads: int
    window: int
    attributes: int = 0
    users: int = 0
    contexts: int = 0
    types: int = 0
    gaps: int = 0


def make_network(shape: Shape, dropout: float, seed: int = 0) -> "Network":
    """Make a network with first values drawn by `seed`; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        return Network(shape, dropout)


class Drop(nn.Module):
    """Dropout whose masks are stretches of one pool of random factors, cut at a place drawn anew each time."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share
        self.pool: Tensor | None = None
        self.draw: torch.Generator | None = None

    def prepare(self, draw: torch.Generator, device: torch.device) -> None:
        """Fill the pool; `draw` also decides where every mask is cut."""
        self.draw = draw
        keep = torch.rand(MASK_POOL, generator=draw) >= self.share
        self.pool = (keep.float() / (1 - self.share)).to(device)

    def places(self, masks: int) -> Tensor | None:
        """Draw where so many masks begin; None in scoring and where nothing is dropped."""
        if not self.training or self.share == 0 or self.pool is None:
            return None
        return torch.randint(MASK_POOL, (masks,), generator=self.draw)

    def forward(self, x: Tensor, place: Tensor | None = None) -> Tensor:
        """Drop by the mask that begins at `place`; without one, pass."""
        if place is None:
            return x
        if torch.compiler.is_compiling():  # a number read out of a tensor would cut the compiled graph in two
            spots = place + torch.arange(x.numel(), device=x.device)
            spots = spots % MASK_POOL if x.numel() > MASK_POOL else spots - MASK_POOL * (spots >= MASK_POOL)
            return x * self.pool[spots].view_as(x)
        stop = int(place) + x.numel()
        pool = self.pool if stop <= MASK_POOL else self.pool.repeat(-(-stop // MASK_POOL))
        return x * pool[int(place) : stop].view_as(x)


class Block(nn.Module):
    """Causal self-attention, then a gated feed-forward layer, each after a norm and added to its input."""

    def __init__(self, shape: Shape, drop: Drop):
        super().__init__()
        width = shape.width
        hidden = max(8, int(width * 8 / 3) // 8 * 8)
        self.heads, self.drop = shape.heads, drop
        self.norm_attention, self.norm_forward = nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6)
        self.mix, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.gate, self.down = nn.Linear(width, 2 * hidden, bias=False), nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor, drops: tuple[Tensor | None, Tensor | None] = (None, None)) -> Tensor:
        """(rows, steps, width) to the same; `drops` are places of masks."""
        rows, steps, width = x.shape
        parts = self.mix(self.norm_attention(x)).view(rows, steps, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(rows, steps, width)), drops[0])
        gate, up = self.gate(self.norm_forward(x)).chunk(2, -1)
        return x + self.drop(self.down(F.silu(gate) * up), drops[1])


@dataclass(frozen=True)
class Steps:
    """A batch of windows, oldest event first and filled up behind.

    items: (rows, steps) codes; `Shape.items` fills up.
    types, gaps: (rows, steps) codes, or None.
    contexts: (rows, steps, columns) codes of what comes with the next event; `Shape.contexts` stands for unknown.
    users: (rows, width) features, or None.
    """

    items: Tensor
    types: Tensor | None = None
    gaps: Tensor | None = None
    contexts: Tensor | None = None
    users: Tensor | None = None


class Network(nn.Module):
    """Item tower and causal transformer.

    An item's vector is its own embedding plus the sum of its attributes' vectors. In training the own embedding of a
    few items is left out at random, so that attributes alone can place an item nobody has met.
    """

    def __init__(self, shape: Shape, dropout: float):
        super().__init__()
        self.shape, width = shape, shape.width
        self.drop = Drop(dropout)
        self.item = nn.Embedding(shape.items + 1, width, padding_idx=shape.items)
        self.bias = nn.Parameter(torch.zeros(shape.items + 1))
        self.place = nn.Parameter(torch.randn(shape.window, width) * 0.02)
        self.blocks = nn.ModuleList(Block(shape, self.drop) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(width, eps=1e-6)
        nn.init.normal_(self.item.weight, std=0.5 * width**-0.5)
        with torch.no_grad():
            self.item.weight[shape.items] = 0
        for name in ("attributes", "users", "contexts", "types", "gaps"):
            size = getattr(shape, name)
            table = nn.Parameter(torch.zeros(size + (name == "contexts"), width)) if size else None
            self.register_parameter(f"{name}_table", table)

    def vectors(self, attributes: Tensor | None, left_out: Tensor | None = None) -> Tensor:
        """Vectors of all items and of "no event": (items + 1, width).

        Args:
            attributes: sparse (items + 1, attributes) features, or None.
            left_out: (items + 1,) true where only the attributes count.
        """
        own = self.item.weight
        if self.attributes_table is None or attributes is None:
            return own
        if left_out is not None:
            own = own.masked_fill(left_out[:, None], 0.0)
        return own + torch.sparse.mm(attributes, self.attributes_table)

    @property
    def masks(self) -> int:
        """How many masks of dropped numbers one pass takes."""
        return 1 + 2 * len(self.blocks)

    def hidden(self, steps: Steps, vectors: Tensor, drops: Tensor | None = None) -> Tensor:
        """Look back from every position: (rows, steps, width), to be compared with the vectors of what may come.

        Args:
            steps: the events.
            vectors: from `vectors`.
            drops: (masks,) from `Drop.places`; None drops nothing.
        """
        places = [None] * self.masks if drops is None else list(drops)
        x = F.embedding(steps.items, vectors) + self.place[: steps.items.shape[1]]
        if self.types_table is not None and steps.types is not None:
            x = x + F.embedding(steps.types, self.types_table)
        if self.gaps_table is not None and steps.gaps is not None:
            x = x + F.embedding(steps.gaps, self.gaps_table)
        if self.users_table is not None and steps.users is not None:
            x = x + (steps.users @ self.users_table)[:, None, :]
        x = self.drop(x, places[0])
        for number, block in enumerate(self.blocks):
            x = block(x, (places[1 + 2 * number], places[2 + 2 * number]))
        x = self.norm(x)
        if self.contexts_table is not None and steps.contexts is not None:
            known = (steps.contexts < self.shape.contexts).unsqueeze(-1)
            x = x + (F.embedding(steps.contexts, self.contexts_table) * known).sum(-2)
        return x
