"""Sets of pictures with a picture of labels each: PNG files of one name in ``images`` and ``masks``."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from examples.fetch.packages import source, wheel

__all__ = ["ct", "nuclei", "slices"]

_COLUMNS = {"train": (0, 248), "validation": (248, 316), "test": (316, 512)}
_CONTEXT = 92
"""What five double convolutions of 3 × 3, without padding, and four poolings take from each side (Ronneberger et al. 2015)."""


def nuclei(folder: Path) -> None:
    """The picture of 125 fluorescent nuclei that comes with StarDist (Weigert and Schmidt 2022; from BBBC038), cut into parts.

    It is one picture, so its left half is trained on, a strip beside it validates, and the right third is the test. ``train``
    has windows of 128 × 128 that overlap; ``validation`` and ``test`` have windows of other sizes that do not. ``whole`` is the
    test part in one piece. The sets ``wide_…`` are for convolutions without padding: windows with 92 pixels around them, which
    beyond the border of the part are its mirror image, so that no part sees another.

    Labels are 1 in a nucleus and 0 elsewhere; between nuclei that touch runs a line of 0, as in Ronneberger et al. (2015).
    """
    with wheel("stardist>=0.9,<1") as package:
        image, objects = (
            np.asarray(Image.open(io.BytesIO(package.read(f"stardist/data/images/{name}2d.tif")))) for name in ("img", "mask")
        )
    mask = (objects > 0) & ~_touching(objects)
    parts = {name: (image[:, a:b], mask[:, a:b]) for name, (a, b) in _COLUMNS.items()}
    _write(folder / "train", (_cut(parts["train"], y, x, 128, 128) for y in range(0, 385, 32) for x in range(0, 121, 30)))
    _write(folder / "validation", (_cut(parts["validation"], y, 2, 128, 64) for y in range(0, 512, 128)))
    _write(folder / "test", (_cut(parts["test"], y, 2, 128, 192) for y in range(0, 512, 128)))
    _write(folder / "whole", [_cut(parts["test"], 0, 2, 512, 192)])
    wide = {name: _mirrored(part) for name, part in parts.items()}
    rows = (0, 126, 253, 380)
    _write(
        folder / "wide_train",
        (_cut(wide["train"], y, x, 316, 316) for y in (0, 63, 126, 190, 253, 316, 380) for x in (0, 58, 116)),
    )
    _write(folder / "wide_validation", (_cut(wide["validation"], y, 0, 316, 252) for y in rows))
    _write(folder / "wide_test", (_cut(wide["test"], y, 0, 316, 380) for y in rows))


def ct(folder: Path) -> None:
    """Slices of the two CT volumes with a lung tumour that PyRadiomics is tested on (van Griethuysen et al. 2017), 256 × 256.

    ``train`` are slices of one patient with the tumour, and some above and below it: of each a window of 128 × 128 with the
    tumour's place in it, and one anywhere. ``validation`` are three whole slices between those; ``test`` are whole slices of
    the other patient. Of Hounsfield units −1,000 to 400 become 0 to 255; each pixel is the mean of four.
    """
    with source("pyradiomics==3.0.1") as package:
        volumes = {}
        for name in ("lung1", "lung2"):
            image, label = (_nrrd(package / f"data/{name}_{kind}.nrrd") for kind in ("image", "label"))
            grey = np.clip((image.astype(np.float32) + 1000) * (255 / 1400), 0, 255)
            volumes[name] = [(_halved(plane), objects[::2, ::2] > 0) for plane, objects in zip(grey, label, strict=True)]
    between, random = (17, 20, 23), np.random.default_rng(0)
    tumour = np.argwhere(np.any([mask for _, mask in volumes["lung2"]], 0)).mean(0)
    train = [volumes["lung2"][z] for z in range(9, 32) if z not in between]
    _write(folder / "train", (_window(pair, place, random) for pair in train for place in (tumour, None)))
    _write(folder / "validation", (volumes["lung2"][z] for z in between))
    _write(folder / "test", (volumes["lung1"][z] for z in range(27, 40)))


def slices(folder: Path) -> None:
    """Sequences of five neighboring slices of the CT volumes of ``ct``: four, from above, and the one below them.

    Windows of 32 × 32, a pixel of which is the mean of 64. ``train`` is one patient, and ``test`` the other. Of Hounsfield
    units, −1,000 to 400 become 0 to 1.
    """
    with source("pyradiomics==3.0.1") as package:
        for part, name in (("train", "lung2"), ("test", "lung1")):
            volume = _nrrd(package / f"data/{name}_image.nrrd").astype(np.float32)
            grey = np.clip((volume[::-1] + 1000) / 1400, 0, 1)
            small = grey.reshape(len(grey), 64, 8, 64, 8).mean((2, 4))
            windows = small.reshape(len(grey), 2, 32, 2, 32).swapaxes(2, 3).reshape(len(grey), 4, 32, 32)
            five = np.stack([windows[i : len(grey) - 4 + i] for i in range(5)], 2).reshape(-1, 5, 32, 32, 1)
            np.savez_compressed(folder / part, past=five[:, :4], next=five[:, 4])


def _nrrd(file: Path) -> np.ndarray[Any, Any]:
    """A volume of 16-bit integers, compressed with gzip, as slices of rows of columns."""
    header, _, packed = file.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    sizes = [int(size) for size in fields["sizes"].split()]
    return np.frombuffer(gzip.decompress(packed), "<i2").reshape(sizes[::-1])


Pair = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def _touching(objects: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where an object's pixel has one of another object to its right or below it."""
    inside, found = objects > 0, np.zeros(objects.shape, bool)
    found[:, :-1] |= inside[:, :-1] & inside[:, 1:] & (objects[:, :-1] != objects[:, 1:])
    found[:-1] |= inside[:-1] & inside[1:] & (objects[:-1] != objects[1:])
    return found


def _mirrored(part: Pair) -> Pair:
    image, mask = (np.pad(plane, _CONTEXT, mode="symmetric") for plane in part)
    return image, mask


def _cut(part: Pair, y: int, x: int, height: int, width: int) -> Pair:
    image, mask = (plane[y : y + height, x : x + width] for plane in part)
    return image, mask


def _window(part: Pair, place: np.ndarray[Any, Any] | None, random: np.random.Generator, size: int = 128) -> Pair:
    """A window anywhere, or one that has a place in it, no nearer to its border than a quarter of the window."""
    most = np.array(part[0].shape) - size
    low, high = (0, most + 1) if place is None else (place - 3 * size // 4, place - size // 4)
    y, x = np.clip(random.integers(np.asarray(low, int), np.asarray(high, int)), 0, most)
    return _cut(part, y, x, size, size)


def _halved(plane: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    means: np.ndarray[Any, Any] = plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3))
    return means


def _write(folder: Path, pairs: Iterable[Pair]) -> None:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number, (image, mask) in enumerate(pairs):
        Image.fromarray(image.round().astype(np.uint8)).save(folder / "images" / f"{number:03}.png")
        Image.fromarray(mask.astype(np.uint8)).save(folder / "masks" / f"{number:03}.png")
