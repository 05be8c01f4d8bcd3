"""Drafts a U-Net (Ronneberger et al. 2015) from images with masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnspec.data.folders import files_below, subfolders
from nnspec.data.readers.masks import Masks
from nnspec.diagnostics import NnspecError
from nnspec.drafting.columns import ColumnFacts
from nnspec.drafting.draft import TARGET, Draft, Seen, counted, header, model_name, user_error
from nnspec.drafting.images import beside, evenly, look_of
from nnspec.drafting.target import Target
from nnspec.drafting.training import Training
from nnspec.drafting.yaml_text import entry

_IMAGES = ("images", "image", "imgs", "img")
_MASKS = ("masks", "mask", "labels", "label", "annotations", "segmentation", "segmentations", "ground_truth", "gt")
_SAMPLED = 500
_MOST_CLASSES = 32
_LARGEST = 256
_DEPTH = 3


def mask_folders(folder: Path) -> tuple[str, str] | None:
    """Return the subfolders of images and of masks; None if there are none of these names.

    Args:
        folder: The folder.
    """
    by_name = {name.lower(): name for name in subfolders(folder)}
    images = next((by_name[name] for name in _IMAGES if name in by_name), None)
    masks = next((by_name[name] for name in _MASKS if name in by_name), None)
    return (images, masks) if images and masks else None


def draft_masks(folder: Path, parts: Mapping[str, str], names: tuple[str, str], name: str) -> Draft:
    """Draft a U-Net.

    Args:
        folder: The folder of the training data.
        parts: The folders of the splits, as the spec writes them.
        names: The names of their subfolders of images and of masks.
        name: What the model is named after.

    Raises:
        NnspecError: If images and masks do not match, or masks number objects instead of classes.
    """
    with user_error():
        paths, masks = Masks.model_validate({"images": names[0], "masks": names[1]}).pairs(
            {"images": folder / names[0], "masks": folder / names[1]}
        )
        others = [path for part in parts if part != "train" for path in files_below(beside(folder, parts, part) / names[0])]
        look = look_of([*paths, *others], multiple=2**_DEPTH, largest=_LARGEST)
        counts = _labels(evenly(masks, _SAMPLED))
    target = _target(counts, folder / names[1])
    training = Training.for_images(len(paths), target, "mask", parts, pixels=True)
    source = f"{counted(len(paths), 'image')} with masks in {parts['train']}"
    model = model_name(name)
    lines = header(model, source)
    lines += [f"params: {{base: 16, depth: {_DEPTH}}}", *_BLOCKS]
    lines += entry(
        "image", [look.height, look.width, look.channels], 2, f"multiples of {2**_DEPTH}, because of {_DEPTH} poolings"
    )
    lines += _UNET
    units, activation = (1, "sigmoid") if target.is_binary else (len(counts), "softmax")
    lines += [f"  - Conv2D: {{filters: {units}, kernel_size: 1, activation: {activation}}}", "    name: mask", "data:"]
    for part in ("train", "validation", "test"):
        if part in parts:
            reader = {"images": f"{parts[part]}/{names[0]}", "masks": f"{parts[part]}/{names[1]}", **look.arguments}
            lines += entry(part, {"masks": reader}, 2)
        else:
            lines += training.split(part)
    classes = [int(value) for value in target.classes]
    encode: dict[str, Any] = (
        {} if classes == list(range(len(classes))) else {"transform": [{"label_encode": {"classes": classes}}]}
    )
    lines += ["  inputs:", "    image: {column: image, transform: [standardize]}"]
    lines += ["  targets:", *entry("mask", {"column": "mask", **encode}, 4)]
    lines += [
        "  augment: # image and mask alike, in training only",
        "    - {RandomFlip: {}, on: [image, mask]}",
        *training.lines(),
    ]
    shares = ", ".join(f"{value} {100 * count / sum(counts.values()):.1f} %" for value, count in counts.most_common(4))
    seen = [
        Seen("image", f"{look.color_mode} image", look.shown, 0, f"{look.height}×{look.width}, standardized"),
        Seen("mask", "mask", f"pixels: {shares}", 0, TARGET),
    ]
    decisions = [f"The target is the mask: {len(counts)} classes of pixels, so the network is a U-Net."]
    if look.reason:
        decisions.append(f"Images and masks are resized to {look.height}×{look.width}: {look.reason}.")
    decisions += training.decisions()
    return Draft("\n".join(lines) + "\n", model, source, seen, decisions, [*training.doubts()])


def _labels(masks: list[Path]) -> Counter[int]:
    """How many pixels have each value."""
    import numpy as np
    from PIL import Image

    counts: Counter[int] = Counter()
    for path in masks:
        with Image.open(path) as mask:
            values, found = np.unique(np.asarray(mask).astype(np.int64), return_counts=True)
        counts.update(dict(zip(values.tolist(), found.tolist(), strict=True)))
        if len(counts) > _MOST_CLASSES:
            break
    return counts


def _target(counts: Counter[int], folder: Path) -> Target:
    if len(counts) < 2:
        raise NnspecError(
            f"the masks in {folder} have a single value\n  = help: a mask has another value for each class of pixels"
        )
    if len(counts) > _MOST_CLASSES:
        raise NnspecError(
            f"the masks in {folder} have more than {_MOST_CLASSES} distinct values, so they number objects, not classes\n"
            "  = help: save masks with one value per class, such as 0 for the background and 1 for every object"
        )
    facts = ColumnFacts("mask", "number", sum(counts.values()), 0)
    classes: dict[str | int | float, int] = {value: counts[value] for value in sorted(counts)}
    return Target(facts, "the masks", "classification", "masks have classes", classes)


_BLOCKS = """\
blocks:
  double_conv:
    params: {filters: int}
    layers:
      - repeat: 2
        layers:
          - Conv2D: {filters: $filters, kernel_size: 3, padding: same, use_bias: false}
          - BatchNormalization: {momentum: 0.9}
          - ReLU
inputs:""".splitlines()

_UNET = """\
layers: # a U-Net (Ronneberger et al. 2015)
  - repeat: $depth
    as: i
    layers:
      - double_conv: {filters: "${base * 2 ** i}"}
        name: down${i}
      - MaxPooling2D
  - double_conv: {filters: "${base * 2 ** depth}"}
    name: bottom
  - repeat: $depth
    as: i
    layers:
      - Conv2DTranspose: {filters: "${base * 2 ** (depth - 1 - i)}", kernel_size: 2, strides: 2}
        name: up${i}
      - Concatenate: # the output of the same resolution on the way down
        from: ["up${i}", "down${depth - 1 - i}"]
      - double_conv: {filters: "${base * 2 ** (depth - 1 - i)}"}""".splitlines()
