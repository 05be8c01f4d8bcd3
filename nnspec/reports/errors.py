"""Examples that the model has wrong: where it is surest, or farthest off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.reports.elements import Html, element, figure, number, section, table
from nnspec.reports.examples import columns_of, picture_input, row_of, shown
from nnspec.reports.pictures import picture
from nnspec.training.batches.cropping import crops_of
from nnspec.training.evaluation.evaluate import Evaluated
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions

__all__ = ["errors", "surest_errors"]

_PICTURES = 24
_ROWS = 20


def errors(found: Evaluated) -> Html:
    """For each output, the errors worth looking at: what is wrong with much confidence is often wrong in the data."""
    pieces: list[Html] = []
    for name, judged in found.judged.items():
        if isinstance(judged, NumberPredictions):
            pieces += _farthest(found, name, judged)
        elif judged.each == 1:
            pieces += _surest(found, name, judged)
        else:
            pieces += _least_right(found, name, judged)
    return section("Examples of errors", *pieces)


def surest_errors(judged: ClassPredictions, most: int) -> NDArray[np.int64]:
    """The positions that are wrong, the surest first."""
    wrong = np.flatnonzero(judged.true != judged.said)
    return wrong[np.argsort(-judged.confidence[wrong], kind="stable")][:most]


def _surest(found: Evaluated, name: str, judged: ClassPredictions) -> list[Html]:
    total = int((judged.true != judged.said).sum())
    if not total:
        return [element("p", f"{name}: every answer is right.", class_="note")]
    places = surest_errors(judged, _PICTURES)
    note = f"{name}: {total:,} of {len(judged.true):,} are wrong; these are the ones it is surest of. Rows count from 0."
    sure = [f"{judged.confidence[i]:.1%}" if judged.probabilities else number(float(judged.confidence[i])) for i in places]
    said = [
        (str(judged.names[judged.said[i]]), str(judged.names[judged.true[i]]), confidence)
        for i, confidence in zip(places, sure, strict=True)
    ]
    return [element("p", note), _shown(found, judged.examples[places], said, ["said", "true", "confidence"])]


def _least_right(found: Evaluated, name: str, judged: ClassPredictions) -> list[Html]:
    right = np.bincount(judged.examples, judged.true == judged.said, len(found.examples))
    counts = np.bincount(judged.examples, minlength=len(found.examples))
    share = right / np.maximum(counts, 1)
    places = np.argsort(share, kind="stable")[: _PICTURES // 2]
    places = places[share[places] < 1]
    if not len(places):
        return [element("p", f"{name}: every position is right.", class_="note")]
    said = [(f"{share[i]:.1%}", f"{int(counts[i] - right[i]):,} of {int(counts[i]):,}") for i in places]
    note = f"{name}: the examples with the most positions wrong. Rows count from 0."
    seen = picture_input(found)
    if seen is not None and (crop := _margin(found, seen, name, judged)) is not None:
        middle = ", the middle of which is compared," if crop else ","
        return [
            element("p", f"{note} Each: the picture{middle} the true mask, the one that was said, and red where they differ."),
            _masks(found, seen, judged, places, crop),
        ]
    return [element("p", note), _shown(found, places, said, ["right", "wrong"])]


def _margin(found: Evaluated, seen: str, name: str, judged: ClassPredictions) -> int | None:
    """How much of a picture is around what its mask is of; None where it is of no picture of that size."""
    crop = crops_of(found.plan.data).get(name, 0)
    height, width = found.examples.inputs[seen].shape[1:3]
    return crop if judged.each == (height - 2 * crop) * (width - 2 * crop) else None


def _masks(found: Evaluated, seen: str, judged: ClassPredictions, places: NDArray[np.int64], crop: int) -> Html:
    """Pictures with their masks, a shade for each class, black the first; a position that does not count is black too."""
    height, width = (size - 2 * crop for size in found.examples.inputs[seen].shape[1:3])
    originals = shown(found, seen, places, ["the picture"] * len(places))
    groups = []
    for original, place in zip(originals, places, strict=True):
        own = judged.examples == place
        row = f"row {found.examples.rows[place]}"
        true, said = judged.true[own], judged.said[own]
        masks = []
        if len(true) == height * width:
            shades = {
                what: mask.reshape(height, width) / (len(judged.names) - 1) for what, mask in (("true", true), ("said", said))
            }
            shades["differ"] = _marked(shades["true"], (true != said).reshape(height, width))
            masks = [figure(picture(shade, f"{row}: {what}"), what) for what, shade in shades.items()]
        caption = f"{row}: {float((true == said).mean()):.1%} right"
        # Of a small thing on a large background nearly all is right, whatever is said of it.
        caption += f", Dice {_dice(true, said)}" if len(judged.names) == 2 else ""
        groups.append(element("div", figure(original, caption), *masks, class_="group"))
    return element("div", *groups, class_="row")


def _marked(shade: NDArray[np.float64], wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A mask, half as bright, with red where it is wrong."""
    found = np.repeat(0.5 * shade[..., None], 3, -1)
    found[wrong] = (0.9, 0.1, 0.1)
    return found


def _dice(true: NDArray[np.int64], said: NDArray[np.int64]) -> str:
    """The overlap of what is of the second class with what was said to be (Dice 1945)."""
    total = int(true.sum() + said.sum())
    return f"{2 * int((true & said).sum()) / total:.3f}" if total else "–"


def _farthest(found: Evaluated, name: str, judged: NumberPredictions) -> list[Html]:
    rows = len(judged.true)
    distance = np.abs(judged.said - judged.true).reshape(rows, -1).mean(-1)
    places = np.argsort(-distance, kind="stable")[:_ROWS]
    true, said = (values.reshape(rows, -1) for values in (judged.true, judged.said))
    shown = [(_numbers(said[i]), _numbers(true[i]), number(float(distance[i]))) for i in places]
    note = f"{name}: the examples it is farthest off. Rows count from 0."
    return [element("p", note), _shown(found, places, shown, ["said", "true", "off by"])]


def _numbers(values: NDArray[np.float64]) -> str:
    text = ", ".join(number(float(value)) for value in values[:4])
    return text + (" …" if len(values) > 4 else "")


def _shown(found: Evaluated, places: NDArray[np.int64], said: Sequence[tuple[str, ...]], header: list[str]) -> Html:
    rows = found.examples.rows[places]
    seen = picture_input(found)
    if seen is None:
        columns = columns_of(found)
        values = row_of(found, columns, places[:_ROWS])
        lines = [[str(row), *what, *value] for row, what, value in zip(rows, said, values, strict=False)]
        return table(["row", *header, *columns], lines)
    labels = [
        f"row {row}: " + ", ".join(f"{h} {w}" for h, w in zip(header, what, strict=True))
        for row, what in zip(rows, said, strict=True)
    ]
    pictures = shown(found, seen, places, labels)
    figures = [
        element("figure", image, element("figcaption", *_caption(header, what), f"row {row}"), class_="error")
        for image, what, row in zip(pictures, said, rows, strict=True)
    ]
    return element("div", *figures, class_="row")


def _caption(header: list[str], what: tuple[str, ...]) -> list[Html]:
    return [Html(element("span", f"{name} ") + element("b", value) + "<br>") for name, value in zip(header, what, strict=True)]
