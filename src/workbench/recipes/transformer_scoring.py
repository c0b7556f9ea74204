"""Scores of a trained network: what it makes of histories and their requests, and what that says about every item."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

from workbench.recipes.contract import Histories
from workbench.recipes.transformer_inputs import Reader, Vocabulary, attribute_tensor, context_codes
from workbench.recipes.transformer_network import Network
from workbench.recipes.transformer_windows import Windows, newest

SCORED_AT_ONCE = 512  # histories


@dataclass(frozen=True)
class Scoring:
    """A network and what its inputs mean.

    words: event types and context values that it has a vector for.
    attributes: (n_items, …) features of the items, or None.
    device: where the network is.
    """

    network: Network
    words: Vocabulary
    attributes: sparse.csr_matrix | None
    device: torch.device

    def scores(self, histories: Histories, users: sparse.csr_matrix | None) -> np.ndarray:
        """Logarithms of the chance that each item comes next; 0 for histories without events.

        Args:
            histories: events that count.
            users: (len(histories), …) features of their users, or None.

        Returns:
            (len(histories), n_items) float32.
        """
        network, windows, n_items = self.network, newest(histories, self.network.shape.window), self._items
        reader = Reader(histories, self.words, n_items, users)
        counts = windows.stops - windows.starts
        scores = np.zeros((len(histories), n_items), dtype=np.float32)
        order = np.argsort(counts, kind="stable")
        order = order[counts[order] > 0]
        network.eval()
        with torch.inference_mode():
            vectors = network.vectors(attribute_tensor(self.attributes, self.device))
            for start in range(0, len(order), SCORED_AT_ONCE):
                chosen = order[start : start + SCORED_AT_ONCE]
                hidden = self._hidden(histories, reader, windows, chosen, vectors)
                logits = hidden @ vectors[:-1].T + network.bias[:-1]
                scores[chosen] = torch.log_softmax(logits.float(), -1).cpu().numpy()
        return scores

    def hidden(self, history: Histories, users: sparse.csr_matrix | None) -> torch.Tensor:
        """What the network makes of one history that has events: (width,), to be compared with vectors of items."""
        reader = Reader(history, self.words, self._items, users)
        self.network.eval()
        with torch.inference_mode():
            vectors = self.network.vectors(attribute_tensor(self.attributes, self.device))
            windows = newest(history, self.network.shape.window)
            return self._hidden(history, reader, windows, np.zeros(1, dtype=np.int64), vectors)[0]

    @property
    def _items(self) -> int:
        return self.network.shape.items

    def _hidden(
        self, histories: Histories, reader: Reader, windows: Windows, chosen: np.ndarray, vectors: torch.Tensor
    ) -> torch.Tensor:
        steps, _ = reader.steps(windows, chosen, self.device, cut=0)
        last = torch.from_numpy(windows.stops[chosen] - windows.starts[chosen] - 1).to(self.device)
        hidden = self.network.hidden(steps, vectors)[torch.arange(len(chosen), device=self.device), last]
        return hidden + self._context(histories, chosen)

    def _context(self, histories: Histories, chosen: np.ndarray) -> torch.Tensor | float:
        """What the context of the request adds to the position; nothing where none came with it."""
        if not self.words.contexts or not histories.context:
            return 0.0
        columns = {name: np.asarray(values)[chosen] for name, values in histories.context.items()}
        codes = torch.from_numpy(context_codes(self.words, columns, len(chosen))).to(self.device)
        known = (codes < self.words.n_contexts).unsqueeze(-1)
        return (torch.nn.functional.embedding(codes, self.network.contexts_table) * known).sum(-2)
