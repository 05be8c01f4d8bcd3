"""Drafts a convolutional classifier from images in a folder for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnspec.data.folders import examples_in, files_below
from nnspec.data.image_files import CHANNELS, Header, headers
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.diagnostics import NnspecError
from nnspec.drafting.columns import ColumnFacts
from nnspec.drafting.draft import TARGET, Draft, Seen, counted, header, model_name, user_error
from nnspec.drafting.target import Target
from nnspec.drafting.training import Training
from nnspec.drafting.yaml_text import entry

_SAMPLED = 2_000
_MOST_PIXELS = 2**26
_LARGEST = 128
"""Larger images are resized, so that a training takes minutes without a GPU."""
_SMALLEST_MAP = 4


@dataclass(frozen=True)
class ImageLook:
    """The size and the channels that all images are brought to.

    Attributes:
        height: In pixels.
        width: In pixels.
        color_mode: The channels.
        arguments: The arguments of the reader that do this.
        shown: The sizes of the images in a few words.
        reason: Why they are resized; empty if they are not.
    """

    height: int
    width: int
    color_mode: str
    arguments: Mapping[str, Any]
    shown: str
    reason: str

    @property
    def channels(self) -> int:
        return CHANNELS[self.color_mode]


def evenly(paths: Sequence[Path], most: int) -> list[Path]:
    """Return at most so many paths, evenly spread.

    Example:
        >>> [path.name for path in evenly([Path(str(i)) for i in range(10)], 4)]
        ['0', '2', '5', '7']
    """
    count = min(most, len(paths))
    return [paths[i * len(paths) // count] for i in range(count)]


def look_of(paths: Sequence[Path], *, multiple: int = 1, largest: int = _LARGEST) -> ImageLook:
    """Find a size and channels for images, from their headers.

    Args:
        paths: The images; at most 2,000 of them, evenly spread, are opened.
        multiple: What height and width are to be multiples of.
        largest: The largest height and width.

    Raises:
        DataError: If a file is not an image.
    """
    found = headers(evenly(paths, _SAMPLED), _MOST_PIXELS)
    sizes = Counter((each.height, each.width) for each in found)
    (height, width), _ = sizes.most_common(1)[0]
    shown = f"{height}×{width}" if len(sizes) == 1 else f"{_range(found, 'height')}×{_range(found, 'width')}"
    reasons = []
    if len(sizes) > 1:
        reasons.append("they differ in size")
        ordered = sorted(found, key=lambda each: each.height * each.width)
        height, width = ordered[len(ordered) // 2].height, ordered[len(ordered) // 2].width
    if max(height, width) > largest:
        reasons.append("smaller images train faster; `image_size` is the resolution")
        scale = largest / max(height, width)
        height, width = max(1, round(height * scale)), max(1, round(width * scale))
    rounded = tuple(max(multiple, round(size / multiple) * multiple) for size in (height, width))
    if rounded != (height, width):
        reasons.append(f"height and width must be multiples of {multiple}")
    arguments: dict[str, Any] = {"image_size": list(rounded)} if reasons else {}
    modes = Counter(each.color_mode for each in found)
    mode = "grayscale" if set(modes) <= {"grayscale"} else "rgb"
    if len(modes) > 1 or mode not in modes:
        arguments["color_mode"] = mode
    return ImageLook(rounded[0], rounded[1], mode, arguments, shown, "; ".join(reasons))


def _range(found: Sequence[Header], side: str) -> str:
    sizes = [getattr(each, side) for each in found]
    return f"{min(sizes)}–{max(sizes)}" if min(sizes) < max(sizes) else str(min(sizes))


def draft_images(folder: Path, parts: Mapping[str, str], name: str) -> Draft:
    """Draft a classifier of images.

    Args:
        folder: The folder of the training images.
        parts: The folders of the splits, as the spec writes them.
        name: What the model is named after.

    Raises:
        NnspecError: If the folder has no class folders, or has other files.
    """
    with user_error():
        found = examples_in(folder, SUFFIXES, argument="folder")
        if len(found.classes) < 2:
            what = "no class folders" if not found.classes else f"one class folder, `{found.classes[0]}`"
            help = "put the images of each class into a folder of its name, or into `images` and their masks into `masks`"
            raise NnspecError(f"{folder} has {what}, so there is nothing to predict\n  = help: {help}")
        others = [path for part in parts if part != "train" for path in files_below(beside(folder, parts, part))]
        look = look_of([*found.paths, *others])
    counts = Counter(found.classes[label] for label in found.labels)
    facts = ColumnFacts("label", "category", len(found.paths), 0, Counter(counts))
    classes: dict[str | int | float, int] = {label: counts[label] for label in found.classes}
    target = Target(facts, "the names of the class folders", "classification", "it has class folders", classes)
    training = Training.for_images(len(found.paths), target, "label", parts)
    source = f"{counted(len(found.paths), 'image')} in {len(found.classes)} class folders of {parts['train']}"
    model = model_name(name)
    lines = header(model, source)
    lines += ["inputs:", *entry("image", [look.height, look.width, look.channels], 2, "height, width, channels")]
    lines += [*_layers(look, training)]
    lines += ["data:"]
    for part in ("train", "validation", "test"):
        lines += _part(part, parts, look, training)
    lines += ["  inputs:", "    image: {transform: [{rescale: 0.00392156862745098}]} # 0 to 255 becomes 0 to 1"]
    lines += ["  targets:", "    label: {column: label, transform: [label_encode]} # the name of the folder"]
    lines += ["  augment: # in training only", "    - RandomTranslation: {height_factor: 0.1, width_factor: 0.1}"]
    lines += ["    # - RandomFlip: {mode: horizontal} # if a mirrored image belongs to the same class", *training.lines()]
    seen = [Seen("image", f"{look.color_mode} image", look.shown, 0, f"{look.height}×{look.width}, values from 0 to 1")]
    seen.append(Seen("label", "category", _classes_text(counts), 0, TARGET))
    decisions = [f"The target is the class folder: {len(counts)} classes."]
    if look.reason:
        decisions.append(f"Images are resized to {look.height}×{look.width}: {look.reason}.")
    decisions += training.decisions()
    doubts = [*training.doubts()]
    if min(counts.values()) < 100:
        doubts.append("With few images per class, start from a trained network: see transfer learning in docs/recipes.md.")
    return Draft("\n".join(lines) + "\n", model, source, seen, decisions, doubts)


def beside(folder: Path, parts: Mapping[str, str], part: str) -> Path:
    """The folder of another split, beside that of the training data."""
    return folder.parent / Path(parts[part]).name


def _part(part: str, parts: Mapping[str, str], look: ImageLook, training: Training) -> list[str]:
    if part in parts:
        reader = {"folder": parts[part], **look.arguments} if look.arguments else parts[part]
        return entry(part, {"images": reader}, 2)
    return training.split(part)


def _layers(look: ImageLook, training: Training) -> Iterator[str]:
    stages, side = 0, min(look.height, look.width)
    while stages < 5 and side >= 2 * _SMALLEST_MAP:
        stages, side = stages + 1, side // 2
    yield "layers:"
    if stages:
        yield f"  - repeat: {stages}"
        yield "    as: i # counts from 0: each stage has half the resolution and twice the filters"
        yield "    layers:"
        yield '      - Conv2D: {filters: "${16 * 2 ** i}", kernel_size: 3, padding: same, use_bias: false}'
        yield "      - BatchNormalization: {momentum: 0.9} # the averages follow within an epoch"
        yield from ("      - ReLU", "      - MaxPooling2D")
    else:
        yield "  - Conv2D: {filters: 32, kernel_size: 3, padding: same, activation: relu}"
    yield "  - GlobalAveragePooling2D"
    yield from training.hidden_layers()
    yield from training.last_layer()


def _classes_text(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(3))
    return shown + (f", {len(counts) - 3} more" if len(counts) > 3 else "")
