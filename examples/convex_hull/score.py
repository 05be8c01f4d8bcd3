"""The share of point sets whose convex hull a run generates, and the share of the area that its polygons cover.

python -m examples.convex_hull.score runs/pointer_network [data/convex_hull/longer.jsonl]

A polygon is right if it has the corners of the hull in their order, from any of them. As by Vinyals et al. (2015), the area is
that of simple polygons; the share of the others is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from examples.convex_hull.make import DATA

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Print the scores of a run, or of its exported file."""
    from nnspec import Generator
    from nnspec.runtime.generating import generate_rows

    path, file = (*arguments, str(DATA / "test.jsonl"))[:2]
    rows = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    found = [row["positions"] for row in generate_rows(Generator(path), file, batch_size=256)]
    right = [_from_least(positions) == _from_least(row["hull"]) for positions, row in zip(found, rows, strict=True)]
    shares = []
    for positions, row in zip(found, rows, strict=True):
        points = np.array(row["points"])
        if len(positions) > 2 and _is_simple(points[positions]):
            shares.append(_area(points[positions]) / _area(points[row["hull"]]))
    simple = len(shares) / len(rows)
    print(f"{sum(right):,} of {len(rows):,} hulls are right: {np.mean(right):.1%}; simple polygons {simple:.1%}, ", end="")
    print(f"which cover {np.mean(shares):.2%} of the area of the hulls")
    return 0


def _from_least(positions: list[int]) -> list[int]:
    start = positions.index(min(positions)) if positions else 0
    return positions[start:] + positions[:start]


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _is_simple(corners: np.ndarray) -> bool:
    """Whether no two sides cross, and no corner is visited twice."""
    count = len(corners)
    sides = [(corners[i], corners[(i + 1) % count]) for i in range(count)]
    if len({tuple(corner) for corner in corners.tolist()}) < count:
        return False
    return not any(_cross(*sides[i], *sides[j]) for i in range(count) for j in range(i + 2, count) if (i, j) != (0, count - 1))


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> bool:
        return bool((q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, c, d) != side(b, c, d) and side(a, b, c) != side(a, b, d)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
