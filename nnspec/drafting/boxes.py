"""Drafts a detector (Tian et al. 2019) from images with boxes in the format of COCO, YOLO or VOC."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.annotations import AnnotatedTable, AnnotationReader
from nnspec.data.folders import splits_in, subfolders
from nnspec.data.readers.coco import Coco
from nnspec.data.readers.voc import Voc
from nnspec.data.readers.yolo import NAMES_FILES, Yolo
from nnspec.diagnostics import NnspecError
from nnspec.drafting.columns import ColumnFacts
from nnspec.drafting.draft import TARGET, Draft, Seen, counted, header, model_name, user_error
from nnspec.drafting.images import ImageLook, look_of
from nnspec.drafting.target import Target
from nnspec.drafting.training import Training
from nnspec.drafting.yaml_text import entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STRIDE = 32
_LARGEST = 192
"""Larger images are resized, so that a training takes minutes without a GPU."""
_SMALL = 6
"""Boxes with a shorter side of so few pixels are hardly found at a stride of 8."""
_MOST_SMALL = 0.1
_START = 2**20
_PARTS = ("images", "labels", "Annotations", "JPEGImages", "annotations")
_WORDS = {"train": ("train", "training"), "validation": ("validation", "valid", "val"), "test": ("test", "testing")}


@dataclass(frozen=True)
class BoxData:
    """Images with boxes in a folder.

    Attributes:
        format: ``coco``, ``yolo`` or ``voc``.
        parts: The arguments of the reader of each split; the paths are relative to the folder.
    """

    format: str
    parts: Mapping[str, Mapping[str, str]]

    def reader(self, part: str) -> AnnotationReader:
        """Return the reader of a split."""
        kinds: dict[str, type[AnnotationReader]] = {"coco": Coco, "yolo": Yolo, "voc": Voc}
        return kinds[self.format].model_validate(self.parts[part])


def find_boxes(path: Path) -> BoxData | None:
    """Return the annotated images in a folder, or of a JSON file of COCO; None if there are none.

    Args:
        path: The folder or file.
    """
    if path.is_file():
        return BoxData("coco", {"train": _coco_arguments(path, path.parent)}) if _is_coco(path) else None
    whole = {name: path / name for name in ("", *subfolders(path)) if _is_voc(path / name)}
    if whole:
        parts = {part: {"folder": name} for part, name in splits_in(path).items() if name in whole}
        name, folder = next(iter(whole.items()))
        return BoxData("voc", parts if "train" in parts else _of_voc(folder, name or "."))
    return _of_coco(path) or _of_yolo(path)


def _is_voc(folder: Path) -> bool:
    return (folder / "Annotations").is_dir() and (folder / "JPEGImages").is_dir()


def above_part(path: Path) -> Path | None:
    """Return the folder of images with boxes of which a folder is only a part, such as its images; None if it is none.

    Args:
        path: The folder.
    """
    for folder in (path, *path.parents[:2]):
        if folder.name in _PARTS and find_boxes(folder.parent) is not None:
            return folder.parent
    return None


def _of_voc(folder: Path, written: str) -> dict[str, dict[str, str]]:
    lists = [file.stem for file in sorted((folder / "ImageSets" / "Main").glob("*.txt"))]
    known = {part: next((name for name in words if name in lists), "") for part, words in _WORDS.items()}
    if not known["train"]:
        return {"train": {"folder": written}}
    return {part: {"folder": written, "split": name} for part, name in known.items() if name}


def _of_yolo(path: Path) -> BoxData | None:
    splits = {part: name for part, name in splits_in(path).items() if (path / name / "images").is_dir()}
    if not splits and (path / "images").is_dir():
        splits = splits_in(path / "images")
    folders = [path / "labels", *(path / name / "labels" for name in splits.values())]
    has_labels = any(next(folder.rglob("*.txt"), None) is not None for folder in folders if folder.is_dir())
    # With a list of classes beside images, labels are missing or elsewhere, which the reader reports.
    has_names = any((path / name).is_file() for name in NAMES_FILES) and (bool(splits) or (path / "images").is_dir())
    if not has_labels and not has_names:
        return None
    if "train" not in splits:
        return BoxData("yolo", {"train": {"folder": "."}})
    if all(any((path / name / file).is_file() for file in NAMES_FILES) for name in splits.values()):
        return BoxData("yolo", {part: {"folder": name} for part, name in splits.items()})
    return BoxData("yolo", {part: {"folder": ".", "split": name} for part, name in splits.items()})


def _of_coco(path: Path) -> BoxData | None:
    folders = [path, *(path / name for name in subfolders(path))]
    files = [file for folder in folders for file in sorted(folder.glob("*.json")) if _is_coco(file)]
    if not files:
        return None
    parts = {_part_of(file, path): file for file in reversed(files)}
    if len(files) > 1 and "train" not in parts:
        shown = ", ".join(f"`{file.relative_to(path).as_posix()}`" for file in files[:6])
        raise NnspecError(f"{path} has several files of annotations: {shown}\n  = help: name one of them")
    if "train" not in parts:
        parts = {"train": files[0]}
    order = [part for part in _WORDS if part in parts]
    return BoxData("coco", {part: _coco_arguments(parts[part], path) for part in order})


def _part_of(file: Path, root: Path) -> str:
    """Return the split that a file belongs to by its name, or that of its folder; its own name if neither states one."""
    for text in (file.stem, *(reversed(file.parent.relative_to(root).parts))):
        words = re.split(r"[^a-z]+", text.lower())
        for part, known in _WORDS.items():
            if any(word in known for word in words):
                return part
    return file.stem


def _is_coco(file: Path) -> bool:
    """Whether the beginning of a file is that of annotations in the format of COCO."""
    try:
        with file.open("rb") as opened:
            start = opened.read(_START)
    except OSError:
        return False
    keys = [key for key in (b'"images"', b'"annotations"', b'"categories"', b'"info"') if key in start]
    return (
        start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and len(keys) >= 1 and (b'"file_name"' in start or len(keys) > 1)
    )


def _coco_arguments(file: Path, root: Path) -> dict[str, str]:
    """Return the arguments of a file: the folder of its images is the one that has the first of them."""
    written = file.relative_to(root).as_posix()
    name = _first_file_name(file)
    folders = [file.parent, root, *(root / each for each in subfolders(root))]
    folders += [folder / each for folder in folders[2:] for each in subfolders(folder)]
    found = next((folder for folder in folders if name and (folder / name).is_file()), file.parent)
    # Splits in one folder each often have images of the same names.
    own = _part_of(file, root)
    better = (each for each in folders if own in _WORDS and name and (each / name).is_file() and _in_part(each, root, own))
    found = next(better, found)
    images = found.relative_to(root).as_posix()
    return {"annotations": written} if found == file.parent else {"annotations": written, "images": images}


def _in_part(folder: Path, root: Path, part: str) -> bool:
    words = [word for name in folder.relative_to(root).parts for word in re.split(r"[^a-z]+", name.lower())]
    return any(word in _WORDS[part] for word in words)


def _first_file_name(file: Path) -> str:
    """Return the first `file_name` of a file, if it is near its beginning or its end."""
    with file.open("rb") as opened:
        start = opened.read(_START)
        opened.seek(max(0, file.stat().st_size - _START))
        end = opened.read()
    match = re.search(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")', start) or re.search(
        rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")', end
    )
    try:
        return str(json.loads(match[1])) if match else ""
    except ValueError:
        return ""


def draft_boxes(path: Path, written: str, found: BoxData, name: str) -> Draft:
    """Draft a detector.

    Args:
        path: The folder of the data.
        written: The folder as the spec writes it.
        found: The annotated images in it.
        name: What the model is named after.

    Raises:
        NnspecError: If the annotations have mistakes, or there are no boxes.
    """
    with user_error():
        tables = {part: _opened(path, found.reader(part)) for part in found.parts}
        look = look_of([file for table in tables.values() for file in table.image_paths], multiple=_STRIDE, largest=_LARGEST)
    facts = _Facts.of(tables, look)
    if not facts.counts:
        raise NnspecError(f"{path} has no boxes\n  = help: annotate objects, or name another folder")
    column = ColumnFacts("class", "category", facts.boxes, 0, Counter(facts.counts))
    target = Target(column, "the classes of the boxes", "classification", "boxes have classes", dict(facts.counts))
    rows = len(tables["train"])
    training = Training.for_images(rows, target, "class", dict.fromkeys(found.parts, ""), pixels=True)
    parts = {part: _arguments(written, own) for part, own in found.parts.items()}
    source = f"{counted(rows, 'image')} with {counted(facts.train_boxes, 'box').replace('boxs', 'boxes')} in {written}"
    model = model_name(name)
    lines = header(model, source)
    lines += [f"params: {{classes: {len(facts.classes)}, width: 32}}", *_networks(look.channels)]
    lines += entry("image", [look.height, look.width, look.channels], 2, f"height, width, channels; multiples of {_STRIDE}")
    lines += [f"  boxes: [{facts.most}, 4] # the most boxes of an image", f"  class: {{shape: [{facts.most}], dtype: int32}}"]
    lines += _answers(facts.most)
    for part in ("train", "validation", "test"):
        lines += entry(part, {found.format: {**parts[part], **look.arguments}}, 2) if part in parts else training.split(part)
    encode: Any = "label_encode" if facts.declared else {"label_encode": {"classes": facts.classes}}
    lines += ["  inputs:", "    image: {transform: [{rescale: 0.00392156862745098}]} # 0 to 255 becomes 0 to 1"]
    lines += entry("boxes", {"transform": [{"pad": facts.most}]}, 4)
    lines += entry("class", {"transform": [encode, {"pad": facts.most}]}, 4)
    lines += [
        "  augment: # image and boxes alike, in training only",
        "    - {RandomFlip: {mode: horizontal}, on: [image, boxes]}",
    ]
    lines += _training(training)
    seen = [
        Seen("image", f"{look.color_mode} image", look.shown, 0, f"{look.height}×{look.width}, values from 0 to 1"),
        Seen("boxes", "boxes", facts.shown, 0, TARGET),
        Seen("class", "category", _classes_text(facts.counts), 0, TARGET),
    ]
    decisions = [f"Images with boxes in the format of {_NAMES[found.format]}: the network is a detector."]
    if look.reason:
        decisions.append(f"Images are resized to {look.height}×{look.width}, and their boxes with them: {look.reason}.")
    decisions += training.decisions()
    return Draft("\n".join(lines) + "\n", model, source, seen, decisions, [*_doubts(tables, facts)])


_NAMES = {"coco": "COCO", "yolo": "YOLO", "voc": "Pascal VOC"}


def _opened(path: Path, reader: AnnotationReader) -> AnnotatedTable:
    # Only headers are read, so that images can have any size and mode.
    files = {argument: path / text for argument, text in reader.named_paths().items()}
    named = {argument: file.as_posix() for argument, file in files.items()}
    reader = reader.model_copy(update={"image_size": [1, 1], "color_mode": "rgb", **named})
    table = reader.open(files)
    assert isinstance(table, AnnotatedTable)
    return table


def _arguments(written: str, own: Mapping[str, str]) -> dict[str, str]:
    paths = {key: (Path(written) / value).as_posix() for key, value in own.items() if key != "split"}
    return {**paths, **({"split": own["split"]} if "split" in own else {})}


@dataclass(frozen=True)
class _Facts:
    """What the boxes are like.

    Attributes:
        classes: The names of the classes, in order.
        declared: Whether the files list them.
        counts: The number of boxes of each class in the training data.
        boxes: The number of boxes.
        train_boxes: The number of boxes of the training data.
        most: The most boxes of an image.
        small: The share of boxes with a short side that is hardly found after resizing.
        empty: The number of training images without boxes.
        shown: A summary.
    """

    classes: list[str]
    declared: bool
    counts: dict[str | int | float, int]
    boxes: int
    train_boxes: int
    most: int
    small: float
    empty: int
    shown: str

    @classmethod
    def of(cls, tables: Mapping[str, AnnotatedTable], look: ImageLook) -> _Facts:
        import numpy as np

        sides, lengths = [], []
        for table in tables.values():
            sizes = table.image_sizes("image")
            assert sizes is not None
            boxes: NDArray[np.object_] = table.read("boxes", slice(None))
            lengths += [len(own) for own in boxes]
            scale = np.array([look.width, look.height]) / sizes[:, ::-1]
            own_sides = [(own[:, 2:] - own[:, :2]) * scale[row] for row, own in enumerate(boxes) if len(own)]
            sides += [side.min(1) for side in own_sides]
        train = tables["train"]
        counts = Counter(str(kind) for own in train.read("class", slice(None)) for kind in own)
        classes = dict.fromkeys(name for table in tables.values() for name in table.class_names)
        declared = bool(train.columns["class"].classes)
        names = list(classes) if declared else sorted(classes)
        short = np.concatenate(sides) if sides else np.zeros(0)
        empty = sum(not len(own) for own in train.read("boxes", slice(None)))
        most = max(lengths, default=0)
        shown = f"up to {most} in an image"
        if len(short):
            shown += f", short side {short.min():.0f}–{short.max():.0f} pixels when resized"
        small = float((short < _SMALL).mean()) if len(short) else 0.0
        kinds: dict[str | int | float, int] = {name: counts[name] for name in names}
        return cls(names, declared, kinds if counts else {}, len(short), sum(counts.values()), most, small, empty, shown)


def _doubts(tables: Mapping[str, AnnotatedTable], facts: _Facts) -> Iterator[str]:
    if facts.small > _MOST_SMALL:
        yield (
            f"{100 * facts.small:.0f} % of the boxes are narrower than {_SMALL} pixels after resizing, and hardly found: "
            "increase `image_size` and the shape of `image`."
        )
    few = [f"`{name}` {count}" for name, count in facts.counts.items() if count < 10]
    if few:
        more = f", and {len(few) - 4} more" if len(few) > 4 else ""
        yield f"Classes with fewer than 10 boxes are hardly learned: {', '.join(few[:4])}{more}."
    for table in tables.values():
        for warning in table.warnings():
            yield f"{warning.message[:1].upper()}{warning.message[1:]}."


def _classes_text(counts: Mapping[str | int | float, int]) -> str:
    common = Counter(counts).most_common(3)
    shown = ", ".join(f"{name} {count:,}" for name, count in common)
    return shown + (f", {len(counts) - 3} more" if len(counts) > 3 else "")


def _training(training: Training) -> Iterator[str]:
    """The section ``train``."""
    yield "train:"
    yield "  objective:"
    yield "    detection:"
    yield "      network: detector"
    yield "      input: image"
    yield "      boxes: boxes"
    yield "      label: class"
    yield "      match: center"
    yield "      by: distances"
    yield "      scales: [1.5, 3] # the level of a box by its size: see docs/detection.md"
    yield "  optimizer: {Adam: {learning_rate: 2e-3}}"
    size = 16
    epochs = min(100, max(10, round(1_200 * size / training.rows)))
    yield from entry("epochs", epochs, 2, "at most: see early_stopping")
    yield from entry("batch_size", size, 2)
    yield from entry("seed", 7, 2)
    yield "  metrics: [MeanAveragePrecision]"
    stop = {"monitor": "val_mean_average_precision", "patience": max(8, epochs // 4)}
    yield from entry("early_stopping", stop, 2, "the best weights are kept")


def _answers(most: int) -> Sequence[str]:
    keep = min(300, max(20, 2 * most))
    return f"""\
layers:
  - detector:
    name: predicted
    from: image
  - DecodeBoxes: distances
    name: decoded
    from: {{x: predicted.regression, anchors: predicted.anchors}}
  - ClipBoxes:
    name: clipped
    from: {{boxes: decoded, image: image}}
  - Activation: sigmoid
    name: scores
    from: predicted.logits
  - NonMaxSuppression: {{iou: 0.5, score: 0.05, keep: {keep}}}
    name: found
    from: {{boxes: clipped, scores: scores}}
outputs: {{boxes: found.boxes, scores: found.scores, class: found.class, count: found.count}}
data:""".splitlines()


def _networks(channels: int) -> Sequence[str]:
    return _TEXT.replace("CHANNELS", str(channels)).splitlines()


_TEXT = """\
blocks:
  conv:
    params: {filters: int, strides: 1}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, strides: $strides, padding: same, use_bias: false}
      - BatchNormalization: {momentum: 0.9}
      - ReLU
  level: # one map of the pyramid, with what the head predicts for it
    params: {stride: int}
    inputs: {x: [H, W, C]}
    layers:
      - head:
        name: predicted
        from: x
      - AnchorBoxes: {sizes: [$stride], stride: $stride}
        name: anchors
        from: x
    outputs: {anchors: anchors, regression: predicted.regression, logits: predicted.logits}
networks:
  head: # shared by all levels
    inputs: {x: [H, W, "${2 * width}"]}
    layers:
      - conv: {filters: "${2 * width}"}
        name: boxes
        from: x
      - Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: softplus}
      - Reshape: [-1, 4]
        name: regression
      - conv: {filters: "${2 * width}"}
        name: kinds
        from: x
      # The bias makes the first probabilities 0.01, since most places have no object.
      - Conv2D: {filters: $classes, kernel_size: 3, padding: same, bias_initializer: {Constant: {value: -4.6}}}
      - Reshape: [-1, "${classes}"]
        name: logits
    outputs: {regression: regression, logits: logits}
  detector: # FCOS (Tian et al. 2019), with a feature pyramid (Lin et al. 2017)
    inputs: {image: [H, W, CHANNELS]}
    layers:
      - conv: {filters: $width, strides: 2}
        from: image
      - conv: {filters: $width, strides: 2}
      - conv: {filters: "${2 * width}", strides: 2}
      - conv: {filters: "${2 * width}"}
        name: c3
      - conv: {filters: "${4 * width}", strides: 2}
      - conv: {filters: "${4 * width}"}
        name: c4
      - conv: {filters: "${4 * width}", strides: 2}
      - conv: {filters: "${4 * width}"}
        name: c5
      - Conv2D: {filters: "${2 * width}", kernel_size: 1}
        name: p5
      - Conv2D: {filters: "${2 * width}", kernel_size: 1}
        name: beside_p4
        from: c4
      - UpSampling2D:
        name: above_p4
        from: p5
      - Add:
        name: p4
        from: [beside_p4, above_p4]
      - Conv2D: {filters: "${2 * width}", kernel_size: 1}
        name: beside_p3
        from: c3
      - UpSampling2D:
        name: above_p3
        from: p4
      - Add:
        name: p3
        from: [beside_p3, above_p3]
      - level: {stride: 8}
        name: small
        from: p3
      - level: {stride: 16}
        name: medium
        from: p4
      - level: {stride: 32}
        name: large
        from: p5
      - Concatenate: {axis: 1}
        name: anchors
        from: [small.anchors, medium.anchors, large.anchors]
      - Concatenate: {axis: 1}
        name: regression
        from: [small.regression, medium.regression, large.regression]
      - Concatenate: {axis: 1}
        name: logits
        from: [small.logits, medium.logits, large.logits]
    outputs: {anchors: anchors, regression: regression, logits: logits}
inputs:"""
