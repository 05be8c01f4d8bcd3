"""Proposals of regions by merging neighbors of similar color, for detectors that do not make their own.

A small form of "Selective Search for Object Recognition", Uijlings et al. 2013: it starts from cells of a grid, and merges the
two neighbors whose colors and sizes fit best until one region is left. The box of each region on the way is a proposal.
"""

from __future__ import annotations

import heapq

import numpy as np

CELL = 4
"""The height and width of the first regions, in pixels."""


def propose(image: np.ndarray, count: int = 64, smallest: int = 12, alike: float = 0.75) -> np.ndarray:
    """Return boxes that may contain objects.

    Args:
        image: An image (height, width, 3), uint8; its sizes are multiples of 4.
        count: The largest number of boxes.
        smallest: The smallest height and width of a box, in pixels.
        alike: The largest intersection over union of two of the boxes.

    Returns:
        Rows ``x1 y1 x2 y2`` in pixels, integers, the regions that stayed unmerged the longest first.
    """
    rows, columns = image.shape[0] // CELL, image.shape[1] // CELL
    cells = image.reshape(rows, CELL, columns, CELL, 3).astype(np.float64).transpose(0, 2, 1, 3, 4).reshape(-1, CELL * CELL, 3)
    total = rows * columns
    colors = [tuple(color) for color in np.concatenate([cells.mean(1), cells.std(1)], 1)]
    sizes = [1] * total
    boxes = [(x, y, x + 1, y + 1) for y in range(rows) for x in range(columns)]
    near: list[set[int]] = [
        {
            n
            for n, inside in ((i - 1, i % columns), (i + 1, (i + 1) % columns), (i - columns, 1), (i + columns, 1))
            if inside and 0 <= n < total
        }
        for i in range(total)
    ]

    def difference(a: int, b: int) -> float:
        apart = sum(abs(x - y) for x, y in zip(colors[a], colors[b], strict=True))
        smaller = min(sizes[a], sizes[b])
        return apart * smaller**0.5

    queue = [(difference(a, b), a, b) for a in range(total) for b in near[a] if a < b]
    heapq.heapify(queue)
    gone: set[int] = set()
    waited: list[tuple[float, int]] = []
    while queue:
        cost, a, b = heapq.heappop(queue)
        if a in gone or b in gone:
            continue
        new, whole = len(sizes), sizes[a] + sizes[b]
        gone |= {a, b}
        waited += [(cost, a), (cost, b)]
        colors.append(tuple((x * sizes[a] + y * sizes[b]) / whole for x, y in zip(colors[a], colors[b], strict=True)))
        sizes.append(whole)
        first, second = boxes[a], boxes[b]
        boxes.append((min(first[0], second[0]), min(first[1], second[1]), max(first[2], second[2]), max(first[3], second[3])))
        around = (near[a] | near[b]) - gone
        near.append(around)
        for other in around:
            near[other] -= {a, b}
            near[other].add(new)
            heapq.heappush(queue, (difference(other, new), other, new))
    order = [number for _, number in sorted(waited, reverse=True)]
    candidates = CELL * np.array([boxes[number] for number in order])
    return _distinct(candidates[np.min(candidates[:, 2:] - candidates[:, :2], axis=1) >= smallest], count, alike)


def _distinct(boxes: np.ndarray, count: int, alike: float) -> np.ndarray:
    """The first boxes that overlap no earlier one too much."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    for number, box in enumerate(boxes):
        corner, end = np.maximum(box[:2], boxes[kept, :2]), np.minimum(box[2:], boxes[kept, 2:])
        both = np.clip(end - corner, 0, None).prod(1)
        if not (both > alike * (areas[number] + areas[kept] - both)).any():
            kept.append(number)
        if len(kept) == count:
            break
    return boxes[kept]
