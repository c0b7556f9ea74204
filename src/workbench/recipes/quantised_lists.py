"""Scores guessed from three bits a number: a first look over a large catalogue, some times quicker than the products.

Vectors are turned at random, so that their numbers look alike, and each number is cut to one of eight even steps. The
product of two such vectors is then a sum over pairs of bits, and 64 pairs are one XOR and one count of bits. Every
item's guess is scaled by its own product with its cut self, which makes the guess right on average.

Source of that scale and of the random turn: Gao and Long, RaBitQ, SIGMOD 2024. The bit planes are plain binary ones.
"""

from collections.abc import Callable, Iterable

import numpy as np

BITS = 3
STEP = 0.586  # best even step for eight levels of a standard normal number (Max, 1960)
LEAST_WEIGHT = 2  # pairs of planes p and q count where p + q is so much; the lighter ones say little
BLOCK = 131_072  # items guessed at once, so that their planes stay in the cache
LEAST_KEPT = 0.95  # share of a vector that the planes must see, else the guess is not worth having

Map = Callable[[Callable[[int], None], Iterable[int]], Iterable[None]]


class QuantisedItems:
    """Three bit planes per item: 24 bytes for 64 factors instead of 256."""

    def __init__(self, factors: np.ndarray, lengths: np.ndarray, seed: int = 0):
        """Cut the items.

        Args:
            factors: (n, width) float32.
            lengths: (n,) their lengths.
            seed: of the random turn.
        """
        self.turn = _turn(factors, seed)
        words = self.turn.shape[1] // 64
        self.planes = np.empty((BITS, words, len(factors)), dtype=np.uint64)
        self.scale = np.zeros(len(factors), dtype=np.float32)
        for start in range(0, len(factors), BLOCK):
            some = slice(start, start + BLOCK)
            turned, levels = self._levels(factors[some], lengths[some])
            self.planes[:, :, some] = _bit_planes(levels).transpose(0, 2, 1)
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = lengths[some] / np.einsum("ij,ij->i", 2.0 * levels - (2**BITS - 1), turned)
            self.scale[some] = np.where(np.isfinite(scale), scale, 0.0)

    def sees(self, vector: np.ndarray) -> bool:
        """Say whether nearly all of a vector lies along the axes that were kept."""
        return float(np.linalg.norm(vector @ self.turn)) >= LEAST_KEPT * float(np.linalg.norm(vector)) > 0

    def guess(self, vector: np.ndarray, stop: int, spread: Map = map) -> np.ndarray:
        """Guess the products of a vector with the first `stop` items, up to one common positive factor.

        Args:
            vector: (width,) float32.
            stop: how many items.
            spread: `map`, or an executor's, to share the blocks among threads.

        Returns:
            (stop,) float32.
        """
        length = np.linalg.norm(vector[None], axis=1)
        own = _bit_planes(self._levels(vector[None].astype(np.float32), length)[1])[:, 0]
        guesses = np.empty(stop, dtype=np.float32)
        weights = [2 ** (p + q) for p in range(BITS) for q in range(BITS) if p + q >= LEAST_WEIGHT]
        middle = np.float32(self.turn.shape[1] * sum(weights) / 2 ** (LEAST_WEIGHT + 1))

        def some(start: int) -> None:
            part = slice(start, min(start + BLOCK, stop))
            own_part = guesses[part]
            np.copyto(own_part, self._differences(own, part))
            np.subtract(middle, own_part, out=own_part)
            np.multiply(own_part, self.scale[part], out=own_part)

        for _ in spread(some, range(0, stop, BLOCK)):
            pass
        return guesses

    def _differences(self, own: np.ndarray, part: slice) -> np.ndarray:
        """Add up the differing bits, those of plane p and plane q with weight 2 ** (p + q - LEAST_WEIGHT)."""
        n = part.stop - part.start
        differing, counts = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.uint8)
        narrow = np.uint8 if own.shape[1] == 1 else np.uint16  # three counts of 64 bits fit into a byte
        alike = np.empty(n, dtype=narrow)
        total = np.zeros(n, dtype=np.uint16 if own.shape[1] <= 16 else np.uint32)
        for weight in range(2 * BITS - 2, LEAST_WEIGHT - 1, -1):
            total += total
            alike.fill(0)
            for plane in range(max(0, weight - BITS + 1), min(BITS, weight + 1)):
                for word, bits in enumerate(own[weight - plane]):
                    np.bitwise_xor(self.planes[plane, word, part], bits, out=differing)
                    np.bitwise_count(differing, out=counts)
                    alike += counts
            total += alike
        return total

    def _levels(self, vectors: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn vectors, make their numbers standard, and cut each to a level from 0 to 7."""
        size = np.maximum(lengths, np.finfo(np.float32).tiny).astype(np.float32)[:, None]
        turned = (vectors / size) @ self.turn * np.float32(self.turn.shape[1] ** 0.5)
        levels = np.clip(np.floor(turned / np.float32(STEP)) + 2 ** (BITS - 1), 0, 2**BITS - 1)
        return turned, levels.astype(np.uint8)


def _turn(factors: np.ndarray, seed: int) -> np.ndarray:
    """Draw a random turn, (width, multiple of 64); its width rounded, so that the axes that hold least may go."""
    width = factors.shape[1]
    kept = max(64, 64 * round(width / 64))
    axes = np.eye(width)
    if kept < width:
        axes = np.linalg.eigh((factors.T @ factors).astype(np.float64))[1][:, ::-1][:, :kept]
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((kept, kept)))[0]
    return (axes @ turn[: axes.shape[1]]).astype(np.float32)


def _bit_planes(levels: np.ndarray) -> np.ndarray:
    """Pack bit p of every level into words: (BITS, n, words) uint64, the highest bit last."""
    planes = [np.packbits((levels >> bit) & 1, axis=1) for bit in range(BITS)]
    return np.stack(planes).view(np.uint64)
