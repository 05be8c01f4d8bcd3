"""Scenes of Fashion-MNIST garments with captions, as images and a table for each split.

python -m examples.fetch fashion_mnist
python -m examples.captions.compose

The garments of the training scenes are training images; those of the validation and test scenes are test images, one half each.
A scene has one garment, small or large, two of one kind, or two of different kinds, one left of or above the other.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["main"]

SIDE, SIZE = 56, 24
DATA = Path(__file__).parents[2] / "data"
COUNTS = {"train": 20_000, "validation": 1_000, "test": 1_000}
KINDS = (
    ("a t-shirt", "two t-shirts"),
    ("a pair of trousers", "two pairs of trousers"),
    ("a pullover", "two pullovers"),
    ("a dress", "two dresses"),
    ("a coat", "two coats"),
    ("a sandal", "two sandals"),
    ("a shirt", "two shirts"),
    ("a sneaker", "two sneakers"),
    ("a bag", "two bags"),
    ("an ankle boot", "two ankle boots"),
)
"""What the classes are called, one and two of them."""


def main() -> None:
    """Write `data/captions/SPLIT/*.png` and `data/captions/SPLIT.csv`."""
    for split, count in COUNTS.items():
        random = np.random.default_rng([7, len(split)])
        images, labels = _garments(split)
        folder = DATA / "captions" / split
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for number in range(count):
            scene, caption = _scene(random, images, labels)
            Image.fromarray(scene).save(folder / f"{number:05}.png")
            rows.append([f"{split}/{number:05}.png", caption])
        with (DATA / "captions" / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["file", "caption"], *rows])
        print(f"{split}: {count:,} scenes, {len({caption for _, caption in rows})} captions")


def _garments(split: str) -> tuple[np.ndarray, np.ndarray]:
    part = "train" if split == "train" else "t10k"
    folder = DATA / "fashion_mnist"
    images = np.frombuffer((folder / f"{part}-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    labels = np.frombuffer((folder / f"{part}-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    if split == "train":
        return images, labels
    own = slice(0, None, 2) if split == "validation" else slice(1, None, 2)
    return images[own], labels[own]


def _scene(random: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, str]:
    """Compose a scene.

    Returns:
        Its pixels (56, 56), and its caption.
    """
    scene = np.zeros((SIDE, SIDE), np.uint8)
    shape = random.choice(["one", "same", "left", "above"])

    def draw(kind: int) -> np.ndarray:
        return np.asarray(images[random.choice(np.flatnonzero(labels == kind))])

    def put(garment: np.ndarray, size: int, top: int, left: int) -> None:
        scene[top : top + size, left : left + size] = np.asarray(Image.fromarray(garment).resize((size, size)))

    first = int(random.integers(10))
    one, two = KINDS[first]
    if shape == "one":
        size = int(random.choice([18, 40]))
        put(draw(first), size, *map(int, random.integers(0, SIDE - size + 1, 2)))
        article, _, rest = one.partition(" ")
        del article
        return scene, f"a {'small' if size == 18 else 'large'} {rest}"
    along, across = int(random.integers(0, SIDE // 2 - SIZE + 1)), random.integers(0, SIDE - SIZE + 1, 2)
    far = SIDE // 2 + int(random.integers(0, SIDE // 2 - SIZE + 1))
    second = first if shape == "same" else int((first + random.integers(1, 10)) % 10)
    across_first = shape == "above" or (shape == "same" and random.integers(2))
    for kind, place, beside in ((first, along, int(across[0])), (second, far, int(across[1]))):
        put(draw(kind), SIZE, *((place, beside) if across_first else (beside, place)))
    relation = {"left": "left of", "above": "above"}.get(str(shape))
    return scene, f"{one} {relation} {KINDS[second][0]}" if relation else two


if __name__ == "__main__":
    main()
