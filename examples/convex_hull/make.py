"""Random points and their convex hulls, as positions of the points.

python -m examples.convex_hull.make

A row has 5 to 10 points of the unit square, and the positions of those on the hull, counterclockwise, from the leftmost
(Vinyals et al. 2015). The splits have different seeds; ``longer`` has 12 to 15 points.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

__all__ = ["hull", "main"]

DATA = Path(__file__).parents[2] / "data" / "convex_hull"
SPLITS = {"train": (40_000, 5, 10), "validation": (1_000, 5, 10), "test": (2_000, 5, 10), "longer": (1_000, 12, 15)}


def main() -> None:
    """Write `data/convex_hull/SPLIT.jsonl`, with the columns `points` and `hull`."""
    DATA.mkdir(parents=True, exist_ok=True)
    for seed, (split, (count, fewest, most)) in enumerate(SPLITS.items()):
        random = np.random.default_rng(seed)
        with (DATA / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for number in random.integers(fewest, most + 1, count):
                points = random.random((number, 2)).round(4)
                file.write(json.dumps({"points": points.tolist(), "hull": hull(points)}) + "\n")
        print(f"{split}: {count:,} sets of {fewest} to {most} points")


def hull(points: np.ndarray) -> list[int]:
    """Return the positions of the points on the convex hull (Andrew's monotone chain), counterclockwise from the leftmost.

    Example:
        >>> hull(np.array([[0.5, 0.4], [1, 1], [0, 0], [1, 0], [0, 1]]))
        [2, 3, 1, 4]
    """
    order = np.lexsort((points[:, 1], points[:, 0])).tolist()
    found: list[int] = []
    for way in (order, order[::-1]):
        chain: list[int] = []
        for position in way:
            while len(chain) > 1 and _turn(*points[[chain[-2], chain[-1], position]]) <= 0:
                chain.pop()
            chain.append(position)
        found += chain[:-1]
    return found


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Positive if the way from a over b to c turns left."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


if __name__ == "__main__":
    main()
