"""Scenes composed of cut-outs on photographs, with exact boxes, as a data set in the format of COCO.

python -m examples.detection.scenes                     # into data/scenes: train, validation, test
python -m examples.detection.scenes --images 200 -o /tmp/few

Six classes (`CLASSES`) of drawings and photographs with transparent backgrounds, from the Debian packages openclipart-png and
tuxpaint-stamps-default, on photographs and textures of mate-backgrounds and gnome-backgrounds. Each cut-out and each background
is in one split only, together with its near duplicates. A scene has one to five objects, which can overlap; a box encloses the
visible pixels of its object. `scenes.jsonl` has the same boxes, and proposals of regions for R-CNN.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageFilter

from examples.detection.proposals import propose

T = TypeVar("T")

CLIPART = Path("/usr/share/openclipart/png")
STAMPS = Path("/usr/share/tuxpaint/stamps")
BACKGROUNDS = Path("/usr/share/backgrounds")
PACKAGES = {
    "openclipart-png": CLIPART,
    "tuxpaint-stamps-default": STAMPS,
    "gnome-backgrounds": BACKGROUNDS / "gnome",
    "mate-backgrounds": BACKGROUNDS / "mate",
}
CLASSES = {
    "bird": (CLIPART / "animals/birds", STAMPS / "animals/birds"),
    "car": (CLIPART / "transportation/vehicles", STAMPS / "vehicles/auto", STAMPS / "vehicles/emergency"),
    "flower": (CLIPART / "plants/flowers", STAMPS / "plants/flowers"),
    "fruit": (CLIPART / "food/fruit", STAMPS / "food/fruit"),
    "sign": (CLIPART / "transportation/roadsigns", STAMPS / "town/roadsigns"),
    "smiley": (CLIPART / "people/smilies", STAMPS / "symbols/faces"),
}
"""The folders of the cut-outs of each class."""

OTHER = {
    "bird": "bat link stormo platter wing_mitchell manager notte simbolo dove_symbol puffin-md cormorant-md mirjam with_spider",
    "car": "aircraft plane bicic bicycle cycle crossroads curve lighthouse rocket ship trawler vtt parking quay road_runner"
    " sledge wing_mitchell blueprint bluepr trattore boat symbol",
    "flower": "vaso pot clover mirjam cartoon_tree cactus pink-rose bouquet",
    "fruit": "pie juice box jam bomb tree mushroom grenade turkey blackboard barcode champignon gumnut slate straw_",
    "sign": "ampel bus_symbol nws_ railroad_crossing traffic_cone",
    "smiley": "zipper vortex virus spiral contour stefan_b portrait",
}
"""Parts of the names of files that show something else."""

TEXTURES = ("adwaita", "grid", "licorice", "truchet", "wood")
"""Backgrounds of gnome-backgrounds without objects."""

PHOTOGRAPHS = ("Aqua", "Blinds", "Dune", "GreenMeadow", "RainDrops", "Storm", "Wood")
"""Backgrounds of mate-backgrounds without flowers and insects."""

SIDE = 128
SMALLEST, LARGEST, MOST = 20, 88, 5
VISIBLE = 0.6
"""The smallest share of an object's pixels that later objects leave visible."""

SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
ALIKE = 0.04
"""The mean difference of two thumbnails, of 1, up to which cut-outs are near duplicates."""


@dataclass(frozen=True)
class Cutout:
    """An object: its class, and its image with transparency, cropped to its visible pixels."""

    label: int
    image: Image.Image


@dataclass(frozen=True)
class Parts:
    """What the scenes of a split are composed of; each scene has a random generator of its own, by the seed and its number."""

    cutouts: list[Cutout]
    backgrounds: list[Image.Image]
    seed: tuple[int, ...]


def main() -> None:
    """Write the three splits."""
    parser = argparse.ArgumentParser(prog="python -m examples.detection.scenes", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=Path("data/scenes"))
    parser.add_argument("--images", type=int, default=2000, help="images of the training split  [default: 2000]")
    parser.add_argument(
        "--held-out", type=int, default=300, help="images of the validation and of the test split  [default: 300]"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if missing := [name for name, folder in PACKAGES.items() if not folder.is_dir()]:
        sys.exit(f"error: there are no cut-outs or backgrounds; install them: apt-get install {' '.join(missing)}")
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # larger ones are skipped
    random = np.random.default_rng(given.seed)
    cutouts = split_cutouts(random)
    backgrounds = dict(zip(SPLITS, shares(read_backgrounds(), random), strict=True))
    for place, split in enumerate(SPLITS):
        counts = [sum(one.label == label for one in cutouts[split]) for label in range(len(CLASSES))]
        print(f"{split}: {', '.join(f'{count} {name}' for count, name in zip(counts, CLASSES, strict=True))}")
        parts = Parts(cutouts[split], [image for group in backgrounds[split] for image in group], (given.seed, place))
        write(given.out / split, parts, given.images if split == "train" else given.held_out)


def read_cutouts(name: str) -> list[Image.Image]:
    """Read the cut-outs of a class: single objects with transparency around them, at most `LARGEST` pixels."""
    found = []
    for folder in CLASSES[name]:
        for file in sorted(folder.rglob("*.png")):
            if any(part in file.name for part in OTHER[name].split()):
                continue
            whole = _read(file)
            if whole is None:
                continue
            box = _visible(whole)
            if box is None:
                continue
            whole = whole.crop(box)
            filled = np.mean(np.asarray(whole)[..., 3] > 127)
            if 0.25 <= filled <= 0.95 and 0.3 <= whole.width / whole.height <= 3.3:
                whole.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
                found.append(whole)
    return found


def _read(file: Path) -> Image.Image | None:
    """The image of a file, or None if it is too large."""
    try:
        with Image.open(file) as image:
            return image.convert("RGBA") if image.width * image.height <= 4_000_000 else None
    except Image.DecompressionBombError:
        return None


def split_cutouts(random: np.random.Generator) -> dict[str, list[Cutout]]:
    """Read all cut-outs, each in one split, with its near duplicates."""
    splits: dict[str, list[Cutout]] = {split: [] for split in SPLITS}
    for label, name in enumerate(CLASSES):
        images = read_cutouts(name)
        groups = groups_alike(images)
        for split, own in zip(SPLITS, shares(groups, random), strict=True):
            splits[split] += [Cutout(label, images[number]) for group in own for number in group]
    return splits


def groups_alike(images: list[Image.Image]) -> list[list[int]]:
    """Return the numbers of the images, those of near duplicates and of mirrored ones together."""
    small = np.stack([_signature(image) for image in images])
    groups: list[list[int]] = []
    for number, own in enumerate(small):
        both = np.stack([own, own[:, ::-1]])
        near = [group for group in groups if np.abs(small[group][:, None] - both).mean((2, 3, 4)).min() < ALIKE]
        groups = [group for group in groups if group not in near] + [[number, *(each for group in near for each in group)]]
    return groups


def shares(items: list[T], random: np.random.Generator) -> list[list[T]]:
    """Return the items in random order, divided by the shares of `SPLITS`."""
    ends = np.round(np.cumsum(list(SPLITS.values()))[:-1] * len(items)).astype(int)
    order = random.permutation(len(items))
    return [[items[number] for number in part] for part in np.split(order, ends)]


def read_backgrounds() -> list[list[Image.Image]]:
    """Read the backgrounds, at most 768 pixels wide, those of one pattern in several colors together."""
    groups = [[BACKGROUNDS / f"gnome/{name}-{mode}.webp" for mode in "dl"] for name in TEXTURES]
    groups += [[BACKGROUNDS / f"mate/nature/{name}.jpg"] for name in PHOTOGRAPHS]
    return [[_background_image(file) for file in group] for group in groups]


def _background_image(file: Path) -> Image.Image:
    with Image.open(file) as image:
        whole = image.convert("RGB")
    whole.thumbnail((768, 768))
    return whole


def write(folder: Path, parts: Parts, count: int) -> None:
    """Write scenes and their annotations into a folder, on all cores.

    Args:
        folder: The folder, which is made.
        parts: What the scenes are composed of.
        count: The number of scenes.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    names = list(CLASSES)
    images, annotations, lines = [], [], []
    objects = proposed = 0
    with ProcessPoolExecutor(initializer=_take, initargs=(folder, parts)) as workers:
        for number, (labels, boxes, proposals) in enumerate(workers.map(_write_scene, range(count), chunksize=16)):
            name = _file_name(number)
            images.append({"id": number + 1, "file_name": name, "width": SIDE, "height": SIDE})
            for label, (left, top, right, bottom) in zip(labels, boxes, strict=True):
                box = [left, top, right - left, bottom - top]
                common = {"id": len(annotations) + 1, "image_id": number + 1, "iscrowd": 0}
                annotations.append(common | {"category_id": label + 1, "bbox": box, "area": box[2] * box[3]})
            line = {"file": f"images/{name}", "boxes": boxes, "class": [names[label] for label in labels]}
            lines.append(json.dumps(line | {"proposals": proposals.tolist()}))
            objects += len(boxes)
            proposed += sum(_overlaps(np.array(box), proposals).max(initial=0) >= 0.5 for box in boxes)
    categories = [{"id": label + 1, "name": name} for label, name in enumerate(names)]
    whole = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(whole), encoding="utf-8")
    (folder / "scenes.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{folder}: {count} images, {objects} boxes; a proposal has an IoU of 0.5 with {proposed / objects:.1%} of them")


_TAKEN: list[tuple[Path, Parts]] = []
"""What a process composes scenes of, and where it writes them."""


def _take(folder: Path, parts: Parts) -> None:
    _TAKEN[:] = [(folder, parts)]


def _file_name(number: int) -> str:
    return f"{number:05d}.png"


def _write_scene(number: int) -> tuple[list[int], list[list[int]], np.ndarray]:
    """Write the image of a scene, and return its classes, its boxes and its proposals."""
    [(folder, parts)] = _TAKEN
    scene, labels, boxes = compose(parts.cutouts, parts.backgrounds, np.random.default_rng([*parts.seed, number]))
    Image.fromarray(scene).save(folder / "images" / _file_name(number))
    return labels, boxes, propose(scene)


def compose(
    cutouts: list[Cutout], backgrounds: list[Image.Image], random: np.random.Generator
) -> tuple[np.ndarray, list[int], list[list[int]]]:
    """Compose a scene, and return it with the class of each object and its box `x1 y1 x2 y2`."""
    scene = _background(backgrounds[int(random.integers(len(backgrounds)))], random)
    labels = [int(label) for label in random.integers(0, len(CLASSES), int(random.integers(1, MOST + 1)))]
    kept: list[int] = []
    covers: list[np.ndarray] = []
    for label in labels:
        own = [one for one in cutouts if one.label == label]
        cutout = _varied(own[int(random.integers(len(own)))].image, random)
        box = _visible(cutout)
        if box is None:
            continue
        cutout = cutout.crop(box)
        left = int(random.integers(0, SIDE - cutout.width + 1))
        top = int(random.integers(0, SIDE - cutout.height + 1))
        layer = Image.new("RGBA", (SIDE, SIDE))
        layer.paste(cutout, (left, top))
        cover = np.asarray(layer)[..., 3] > 127
        if any((below & ~cover).sum() < VISIBLE * below.sum() for below in covers):
            continue
        # The share is that of the pixels which are still visible: several objects can cover one.
        covers = [*(below & ~cover for below in covers), cover]
        kept.append(label)
        scene.paste(layer, (0, 0), layer)
    boxes = []
    for cover in covers:
        rows, columns = (np.flatnonzero(cover.any(axis)) for axis in (1, 0))
        boxes.append([int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1])
    return np.asarray(scene), kept, boxes


def _background(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A random square of a background, as a scene."""
    side = int(random.uniform(0.3, 1) * min(image.size))
    left, top = (int(random.integers(0, size - side + 1)) for size in image.size)
    square = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    if random.random() < 0.5:
        square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < 0.3:
        square = square.filter(ImageFilter.GaussianBlur(1))
    return square.point(_brightness(random))


def _varied(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A cut-out in a random size, mirrored, rotated and brightened at random."""
    longest = np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST)))
    factor = longest / max(image.size)
    width, height = (max(4, round(size * factor)) for size in image.size)
    varied = image.resize((width, height), Image.Resampling.BICUBIC)
    if random.random() < 0.5:
        varied = varied.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    varied = varied.rotate(float(random.uniform(-15, 15)), Image.Resampling.BICUBIC, expand=True)
    table = _brightness(random)
    alpha = varied.getchannel("A")
    varied = varied.convert("RGB").point(table)
    varied.putalpha(alpha)
    return varied


def _brightness(random: np.random.Generator) -> list[int]:
    """A table of the values of three channels, brighter or darker."""
    return [int(v) for v in np.clip(np.arange(256) * random.uniform(0.7, 1.3), 0, 255)] * 3


def _visible(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of the pixels that are at least half opaque."""
    return image.getchannel("A").point([0] * 128 + [255] * 128).getbbox()


def _signature(image: Image.Image) -> np.ndarray:
    """A thumbnail on gray."""
    plain = Image.new("RGBA", image.size, (128, 128, 128, 255))
    plain.alpha_composite(image)
    return np.asarray(plain.convert("RGB").resize((12, 12), Image.Resampling.BOX), np.float32) / 255


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The intersections over union of a box with others."""
    corner, end = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.clip(end - corner, 0, None).prod(1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return both / (np.prod(box[2:] - box[:2]) + areas - both)


if __name__ == "__main__":
    main()
