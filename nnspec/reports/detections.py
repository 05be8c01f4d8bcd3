"""The section of a detector: the twelve numbers, precision and recall, and images with their boxes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnspec.graph.detections import CLASS
from nnspec.html_elements import Html, element, figure, section, table
from nnspec.printable import number
from nnspec.reports import plots
from nnspec.reports.findings import Finding
from nnspec.reports.images import image_tag, is_image, scaled
from nnspec.training.detection.average_precision import RECALLS, AveragePrecision
from nnspec.training.detection.details import DetectionDetails
from nnspec.training.detection.errors import OVERLAP, DetectionErrors, Kind
from nnspec.training.evaluation.split_details import SplitDetails

_IMAGES = 12
_SHARE_OF_ERRORS = 2 / 3
"""The share of the images with most errors; the others are spread over the split."""
_SHOWN = 320
_MOST_BOXES = 60
_WIDTH_OF_LETTERS = 0.65
"""The mean width of a letter of a label, in sizes of the font."""
_MOST_CONFUSED = 8
_KINDS: dict[Kind, str] = {
    "found": "right",
    "class": "another class",
    "place": f"badly placed: an overlap below {OVERLAP}",
    "twice": "a second box of an object",
    "nothing": "no object",
    "ignored": "in a crowd",
}
_NUMBERS = {
    "mean_average_precision": "mean average precision, overlap 0.5 to 0.95",
    "mean_average_precision_50": "overlap 0.5",
    "mean_average_precision_75": "overlap 0.75",
    "mean_average_precision_small": "small boxes",
    "mean_average_precision_medium": "medium boxes",
    "mean_average_precision_large": "large boxes",
    "mean_average_recall_1": "mean average recall, 1 detection",
    "mean_average_recall_10": "10 detections",
    "mean_average_recall": "100 detections",
    "mean_average_recall_small": "small boxes",
    "mean_average_recall_medium": "medium boxes",
    "mean_average_recall_large": "large boxes",
}


def detections(found: SplitDetails) -> list[Html]:
    """The sections of a detector.

    Args:
        found: Its detections.
    """
    return [section("Detections", *_results(found)), section("Examples of detections", *_examples(found))]


def _results(found: SplitDetails) -> Iterator[Html]:
    values = [[label, _share(_average(found).numbers[name])] for name, label in _NUMBERS.items()]
    half = len(values) // 2
    yield element(
        "div",
        table(["precision", ""], values[:half], numbers=(1,)),
        table(["recall", ""], values[half:], numbers=(1,)),
        class_="row",
    )
    note = f"COCO's twelve numbers on {len(found.examples):,} images; – if there are no such boxes. "
    note += f"Areas are in pixels of {'the images as stored' if _of(found).in_stored_pixels else 'the network input'}."
    yield element("p", note, class_="note")
    report = _average(found).report(found.classes.get(CLASS))
    rows = [
        [
            row["class"],
            f"{row['boxes']:,}",
            *(_share(row[name]) for name in ("average_precision", "average_precision_50", "recall_50")),
        ]
        for row in report["classes"]
    ]
    yield table(["class", "boxes", "average precision", "at overlap 0.5", "recall at 0.5"], rows, numbers=(1, 2, 3, 4))
    average = _average(found)
    if len(average.classes):
        curves = [(_name(found, int(index)), average.precision[0, :, place]) for place, index in enumerate(average.classes)]
        yield element("div", figure(plots.average_precision(RECALLS, curves)), class_="plots")
    counts = _errors(found).counts
    kinds = [[label, f"{counts[kind]:,}"] for kind, label in _KINDS.items() if counts[kind] or kind == "found"]
    missed = int(_errors(found).missed.sum())
    kinds.append(["missed objects", f"{missed:,}"])
    yield table(["detections", ""], kinds, numbers=(1,))
    yield element(
        "p", f"Detections with a score of at least {number(_errors(found).threshold)}, which has the best F1.", class_="note"
    )
    if pairs := _errors(found).confused[:_MOST_CONFUSED]:
        yield table(
            ["actual", "detected", "objects"], [[_name(found, a), _name(found, b), f"{n:,}"] for a, b, n in pairs], numbers=(2,)
        )


def _of(found: SplitDetails) -> DetectionDetails:
    assert isinstance(found.details, DetectionDetails)
    return found.details


def _average(found: SplitDetails) -> AveragePrecision:
    return _of(found).average


def _errors(found: SplitDetails) -> DetectionErrors:
    return _of(found).errors


def _name(found: SplitDetails, index: int) -> str:
    """The name of a class."""
    names = found.classes.get(CLASS)
    return str(names[index] if names is not None and 0 <= index < len(names) else index)


def _share(value: float) -> str:
    return "–" if value < 0 else f"{value:.4f}"


def _examples(found: SplitDetails) -> Iterator[Html]:
    if found.image is None or not is_image(found.examples.inputs[found.image].shape[1:]):
        return
    places = _places(_errors(found).by_image(len(found.examples)))
    images = scaled(found.examples.only(places).batch(slice(None)).inputs[found.image])
    drawn = [_drawn(found, int(place), image) for place, image in zip(places, images, strict=True)]
    note = "The images with most errors, then others. Rows are numbered from 0."
    yield element("p", note)
    yield element("p", *(element("span", text, class_=f"key {kind}") for kind, text in _KEY.items()), class_="note")
    yield element("div", *drawn, class_="row")


_KEY = {"found": "found", "wrong": "wrong", "missed": "missed", "crowd": "crowd"}


def _places(errors: NDArray[np.int64]) -> NDArray[np.int64]:
    """The images that are shown."""
    most = min(_IMAGES, len(errors))
    worst = np.argsort(-errors, kind="stable")[: round(most * _SHARE_OF_ERRORS)]
    rest = np.setdiff1d(np.arange(len(errors)), worst)
    spread = rest[np.unique(np.linspace(0, len(rest) - 1, most - len(worst)).astype(np.int64))] if len(rest) else rest
    return np.concatenate([worst, spread])


def _drawn(found: SplitDetails, place: int, image: NDArray[np.float64]) -> Html:
    """An image with its boxes: detections with their class and score, and what is missed."""
    errors, (height, width) = _errors(found), image.shape[:2]
    shapes, texts = [], []
    for i in np.nonzero(errors.true.image == place)[0][:_MOST_BOXES]:
        name = _name(found, int(errors.true.classes[i]))
        if errors.missed[i] or errors.true.crowd[i]:
            kind = "crowd" if errors.true.crowd[i] else "missed"
            shapes.append(_box(errors.true.corners[i], kind, f"{kind}: {name}", name, width))
            texts.append(f"{kind} {name}")
    for i in np.nonzero(errors.found.image == place)[0][:_MOST_BOXES]:
        what, name = errors.kinds[i], _name(found, int(errors.found.classes[i]))
        score = f"{errors.found.scores[i]:.2f}"
        kind = "found" if what in ("found", "ignored") else "wrong"
        shapes.append(_box(errors.found.corners[i], kind, f"{name} {score}: {_KINDS[what]}", f"{name} {score}", width))
        texts.append(f"{name} {score}" + ("" if kind == "found" else f" ({_KINDS[what]})"))
    row = f"row {found.examples.rows[place]}"
    overlay = element("svg", *shapes, viewBox=f"0 0 {width} {height}", aria_hidden="true")
    tag = image_tag(image, f"{row}: {'; '.join(texts) or 'no objects'}", shown=_SHOWN, largest=2 * _SHOWN)
    caption = f"{row}: {'; '.join(texts[:6]) or 'no objects'}{' …' if len(texts) > 6 else ''}"
    return figure(element("div", tag, overlay, class_="scene"), caption)


def _box(corners: NDArray[np.float64], kind: str, title: str, label: str, width: int) -> Html:
    left, top, right, bottom = (round(float(edge), 2) for edge in corners)
    size = 12 * width / _SHOWN
    place = {"x": left, "y": top, "width": max(0.0, round(right - left, 2)), "height": max(0.0, round(bottom - top, 2))}
    edges = element("rect", class_="halo", **place), element("rect", **place)
    # Labels of missed objects are below the box, so that they do not cover those of detections.
    y = bottom - 0.3 * size if kind in ("missed", "crowd") else max(top - 0.25 * size, size)
    x = max(0.0, min(left + 0.2 * size, width - _WIDTH_OF_LETTERS * size * len(label)))
    text = element("text", label, x=round(x, 2), y=round(y, 2), font_size=round(size, 2))
    return element("g", element("title", title), *edges, text, class_=kind)


def detection_findings(found: SplitDetails) -> Iterator[Finding]:
    """What to look at in the detections of a run.

    Args:
        found: The detections.
    """
    numbers, boxes = _average(found).numbers, int(_average(found).boxes.sum())
    if not boxes:
        yield Finding("look", f"The {found.part} data have no annotated boxes, so nothing is measured.")
        return
    half = numbers["mean_average_precision_50"]
    if half < 0.05:
        yield Finding(
            "bad", f"The detector finds almost nothing: its mean average precision at an overlap of 0.5 is {half:.3f}."
        )
    rows = _average(found).report(found.classes.get(CLASS))["classes"]
    never = [row for row in rows if row["recall_50"] == 0]
    if never and len(never) < len(rows):
        shown = ", ".join(f"`{row['class']}` ({row['boxes']:,} boxes)" for row in never[:8])
        yield Finding("bad", f"Classes that are never found: {shown}{' …' if len(never) > 8 else ''}.")
    yield from _confusions(found)
    sizes = {size: numbers[f"mean_average_recall_{size}"] for size in ("small", "medium", "large")}
    others = [sizes[size] for size in ("medium", "large") if sizes[size] >= 0]
    if others and 0 <= sizes["small"] < 0.5 * max(others):
        text = f"Small boxes are missed: their recall is {sizes['small']:.2f}, that of larger ones {max(others):.2f}"
        yield Finding("look", f"{text}. Use a larger input, or a finer feature map.")
    precise = numbers["mean_average_precision_75"]
    if half >= 0.3 and precise < 0.5 * half:
        text = f"Boxes are imprecise: the mean average precision is {half:.2f} at an overlap of 0.5, and {precise:.2f} at 0.75"
        yield Finding("look", f"{text}. Train longer, or weight the loss of the boxes more.")
    counts, total = _errors(found).counts, len(_errors(found).kinds)
    if total and counts["twice"] > 0.1 * total:
        text = f"{counts['twice']:,} of {total:,} detections are further boxes of an object that is found"
        yield Finding("look", f"{text}. Lower `iou` of `NonMaxSuppression`.")
    if total and counts["nothing"] > 0.3 * total and half >= 0.05:
        text = f"{counts['nothing']:,} of {total:,} detections are where there is no object"
        yield Finding("look", f"{text}. Add images without objects, or weight the background more.")


def _confusions(found: SplitDetails) -> Iterator[Finding]:
    boxes = dict(zip(_average(found).classes.tolist(), _average(found).boxes.tolist(), strict=True))
    often = [(a, b, n) for a, b, n in _errors(found).confused if n >= 3 and n >= 0.1 * boxes.get(a, 0)]
    if often:
        shown = ", ".join(f"`{_name(found, a)}` as `{_name(found, b)}` ({n:,} of {boxes.get(a, 0):,})" for a, b, n in often[:5])
        yield Finding("look", f"Classes are confused: {shown}.")
