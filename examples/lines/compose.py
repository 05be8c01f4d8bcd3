"""Lines of 1 to 7 MNIST digits, as images and their texts.

python -m examples.fetch mnist
python -m examples.lines.compose

The digits of the training lines are training images, those of the test lines test images. Each digit is cropped to its ink and
placed at a random distance from the one before it and at a random height; neighbors may touch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["main"]

HEIGHT, WIDTH = 32, 176
MOST = 7
DATA = Path(__file__).parents[2] / "data"
COUNTS = {"train": 20_000, "test": 2_000}
_GAPS = (-2, 7)
_INK = 64


def main() -> None:
    """Write `data/lines/train.npz` and `data/lines/test.npz`, with the columns `image` and `text`."""
    (DATA / "lines").mkdir(parents=True, exist_ok=True)
    for split, count in COUNTS.items():
        random = np.random.default_rng([7, len(split)])
        digits, labels = _digits(split)
        lines = [_line(random, digits, labels) for _ in range(count)]
        images = np.stack([image for image, _ in lines])[..., None]
        np.savez_compressed(DATA / "lines" / f"{split}.npz", image=images, text=np.array([text for _, text in lines]))
        print(f"{split}: {count:,} lines, {sum(len(text) for _, text in lines):,} digits")


def _digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    part = "train" if split == "train" else "t10k"
    images = np.frombuffer((DATA / f"mnist/{part}-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    return images, np.frombuffer((DATA / f"mnist/{part}-labels-idx1-ubyte").read_bytes()[8:], np.uint8)


def _line(random: np.random.Generator, digits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, str]:
    """Compose a line.

    Returns:
        Its pixels (32, 176), and its text.
    """
    line = np.zeros((HEIGHT, WIDTH), np.uint8)
    left, text = int(random.integers(0, 12)), ""
    for number in random.integers(0, len(digits), int(random.integers(1, MOST + 1))):
        columns = np.flatnonzero((digits[number] > _INK).any(0))
        digit = digits[number][:, columns[0] : columns[-1] + 1]
        if left + digit.shape[1] > WIDTH:
            break
        place = line[(top := int(random.integers(0, HEIGHT - 28 + 1))) : top + 28, left : left + digit.shape[1]]
        np.maximum(place, digit, out=place)
        left = max(0, left + digit.shape[1] + int(random.integers(*_GAPS)))
        text += str(labels[number])
    return line, text


if __name__ == "__main__":
    main()
