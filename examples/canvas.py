"""Digits of MNIST on large canvases, and what a fully convolutional network calls them where they lie.

python -m examples.canvas runs/lenet5_fcn/lenet5_fcn.onnx --figure runs/lenet5_fcn/canvas.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import nnspec

SIDE = 28
FOLDER = Path(__file__).parent.parent / "data" / "mnist"


def main() -> None:
    """Prints how many digits are called what they are, and draws the first canvas."""
    parser = argparse.ArgumentParser(prog="python -m examples.canvas", description=__doc__)
    parser.add_argument("model", type=Path, help="the ONNX file")
    parser.add_argument("--canvases", type=int, default=100, help="how many")
    parser.add_argument("--size", type=int, nargs=2, default=(160, 240), help="their height and width")
    parser.add_argument("--figure", type=Path, help="where to draw the first one")
    given = parser.parse_args()
    images = _read("t10k-images-idx3-ubyte", 16).reshape(-1, SIDE, SIDE)
    labels = _read("t10k-labels-idx1-ubyte", 8)
    predictor = nnspec.Predictor(given.model)
    [stride] = {int(sight.stride) for sight in predictor.fields["digit"]}
    random = np.random.default_rng(0)
    right = count = 0
    for number in range(given.canvases):
        canvas, digits = _canvas(random, images, labels, tuple(given.size))
        said = predictor.predict({"image": canvas[np.newaxis, ..., np.newaxis]})["digit"][0].argmax(-1)
        # A place of the output stands for the window that begins at so many pixels.
        found = [said[round(top / stride), round(left / stride)] for top, left, _ in digits]
        right += sum(int(one == digit) for one, (*_, digit) in zip(found, digits, strict=True))
        count += len(digits)
        if number == 0 and given.figure is not None:
            _draw(given.figure, canvas, digits, found, said)
    height, width = given.size
    share = f"{right} of {count} digits are called what they are, {right / count:.2%}"
    print(f"{given.canvases} canvases of {height} × {width}: {share}")


def _read(name: str, head: int) -> np.ndarray:
    return np.frombuffer((FOLDER / name).read_bytes()[head:], np.uint8)


def _canvas(
    random: np.random.Generator, images: np.ndarray, labels: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Digits side by side that do not touch, at any place; and for each its top, its left and what it is."""
    canvas = np.zeros(size, np.uint8)
    digits: list[tuple[int, int, int]] = []
    for which in random.integers(0, len(images), 200):
        top, left = (int(random.integers(0, most - SIDE + 1)) for most in size)
        if all(abs(top - other) >= SIDE or abs(left - beside) >= SIDE for other, beside, _ in digits):
            canvas[top : top + SIDE, left : left + SIDE] = images[which]
            digits.append((top, left, int(labels[which])))
    return canvas, digits


def _draw(file: Path, canvas: np.ndarray, digits: list[tuple[int, int, int]], found: list[int], said: np.ndarray) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    drawing, (left, right) = plt.subplots(1, 2, figsize=(14, 5))
    left.imshow(canvas, cmap="gray")
    for (top, beside, digit), one in zip(digits, found, strict=True):
        left.text(beside, top + 8, str(one), color="lime" if one == digit else "red", fontsize=14)
    left.set_title("what each digit is called")
    right.imshow(said, cmap="tab10", vmin=0, vmax=9)
    right.set_title("what every window is called")
    for axes in (left, right):
        axes.axis("off")
    drawing.savefig(file, dpi=70, bbox_inches="tight")


if __name__ == "__main__":
    main()
