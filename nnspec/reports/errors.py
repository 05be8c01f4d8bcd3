"""Examples of errors: the most confident wrong predictions, or the largest errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.html_elements import FOLDED, Html, element, figure, fold, section, table
from nnspec.printable import number
from nnspec.reports import plots
from nnspec.reports.examples import columns_of, draw_examples, image_input, row_of
from nnspec.reports.images import colored, image_tag, is_image, scaled
from nnspec.training.batches.cropping import crops_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions

_IMAGES = 24
_ROWS = 20


def errors(found: Evaluation) -> Html:
    """Examples of errors of each output. Confident errors are often errors in the data."""
    pieces: list[Html] = []
    for name, predictions in found.predictions.items():
        if isinstance(predictions, NumberPredictions):
            own = _largest_errors(found, name, predictions)
        elif predictions.each == 1:
            own = _class_errors(found, name, predictions)
        else:
            own = _mask_errors(found, name, predictions)
        pieces += [fold(name, *own)] if len(found.predictions) >= FOLDED else own
    return section("Examples of errors", *pieces)


def most_confident_errors(predictions: ClassPredictions, most: int) -> NDArray[np.int64]:
    """The positions of wrong predictions, the most confident first."""
    wrong = np.flatnonzero(predictions.true != predictions.predicted)
    return wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:most]


def _class_errors(found: Evaluation, name: str, predictions: ClassPredictions) -> list[Html]:
    total = int((predictions.true != predictions.predicted).sum())
    if not total:
        return [element("p", f"{name}: every prediction is correct.", class_="note")]
    places = most_confident_errors(predictions, _IMAGES)
    note = f"{name}: {total:,} of {len(predictions.true):,} are wrong; the most confident of them. Rows are numbered from 0."
    confidences = [
        f"{predictions.confidence[i]:.1%}" if predictions.probabilities else number(float(predictions.confidence[i]))
        for i in places
    ]
    texts = [
        (str(predictions.names[predictions.predicted[i]]), str(predictions.names[predictions.true[i]]), confidence)
        for i, confidence in zip(places, confidences, strict=True)
    ]
    return [element("p", note), _shown(found, predictions.examples[places], texts, ["predicted", "actual", "confidence"])]


def _mask_errors(found: Evaluation, name: str, predictions: ClassPredictions) -> list[Html]:
    right = np.bincount(predictions.examples, predictions.true == predictions.predicted, len(found.examples))
    counts = np.bincount(predictions.examples, minlength=len(found.examples))
    share = right / np.maximum(counts, 1)
    places = np.argsort(share, kind="stable")[: _IMAGES // 2]
    places = places[share[places] < 1]
    if not len(places):
        return [element("p", f"{name}: every position is correct.", class_="note")]
    texts = [(f"{share[i]:.1%}", f"{int(counts[i] - right[i]):,} of {int(counts[i]):,}") for i in places]
    note = f"{name}: the examples with the most wrong positions. Rows are numbered from 0."
    seen = image_input(found)
    if seen is not None and (crop := _margin(found, seen, name, predictions)) is not None:
        middle = " (its center is compared)" if crop else ""
        return [
            element(
                "p",
                f"{note} Shown: the image{middle}, the actual and the predicted mask, and their differences in red.",
            ),
            _masks(found, seen, predictions, places, crop),
        ]
    return [element("p", note), _shown(found, places, texts, ["correct", "wrong"])]


def _margin(found: Evaluation, seen: str, name: str, predictions: ClassPredictions) -> int | None:
    """The margin of an image around its mask; None if the sizes do not match."""
    crop = crops_of(found.plan.data).get(name, 0)
    height, width = found.examples.inputs[seen].shape[1:3]
    return crop if predictions.each == (height - 2 * crop) * (width - 2 * crop) else None


def _masks(found: Evaluation, seen: str, predictions: ClassPredictions, places: NDArray[np.int64], crop: int) -> Html:
    """Images with their masks, with a shade for each class; the first class and ignored positions are black."""
    height, width = (size - 2 * crop for size in found.examples.inputs[seen].shape[1:3])
    originals = draw_examples(found, seen, places, ["image"] * len(places))
    groups = []
    for original, place in zip(originals, places, strict=True):
        own = predictions.examples == place
        row = f"row {found.examples.rows[place]}"
        true, predicted = predictions.true[own], predictions.predicted[own]
        masks = []
        if len(true) == height * width:
            shades = {
                what: mask.reshape(height, width) / (len(predictions.names) - 1)
                for what, mask in (("actual", true), ("predicted", predicted))
            }
            shades["differences"] = _marked(shades["actual"], (true != predicted).reshape(height, width))
            masks = [figure(image_tag(shade, f"{row}: {what}"), what) for what, shade in shades.items()]
        caption = f"{row}: {float((true == predicted).mean()):.1%} correct"
        # With a small object on a large background, accuracy is high for any prediction.
        caption += f", Dice {_dice(true, predicted)}" if len(predictions.names) == 2 else ""
        groups.append(element("div", figure(original, caption), *masks, class_="group"))
    return element("div", *groups, class_="row")


def _marked(shade: NDArray[np.float64], wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A mask at half brightness, with wrong positions in red."""
    found = np.repeat(0.5 * shade[..., None], 3, -1)
    found[wrong] = (0.9, 0.1, 0.1)
    return found


def _dice(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> str:
    """The Dice coefficient of the second class (Dice 1945)."""
    total = int(true.sum() + predicted.sum())
    return f"{2 * int((true & predicted).sum()) / total:.3f}" if total else "–"


def _largest_errors(found: Evaluation, name: str, predictions: NumberPredictions) -> list[Html]:
    rows = len(predictions.true)
    distance = np.abs(predictions.predicted - predictions.true).reshape(rows, -1).mean(-1)
    places = np.argsort(-distance, kind="stable")[:_ROWS]
    drawn = _drawn_numbers(found, name, predictions, places[: _IMAGES // 2], distance)
    if drawn is not None:
        what, content = drawn
        return [element("p", f"{name}: the largest errors. {what} Rows are numbered from 0."), content]
    true, predicted = (values.reshape(rows, -1) for values in (predictions.true, predictions.predicted))
    shown = [(_numbers(predicted[i]), _numbers(true[i]), number(float(distance[i]))) for i in places]
    note = f"{name}: the largest errors. Rows are numbered from 0."
    return [element("p", note), _shown(found, places, shown, ["predicted", "actual", "error"])]


def _drawn_numbers(
    found: Evaluation, name: str, predictions: NumberPredictions, places: NDArray[np.int64], distance: NDArray[np.float64]
) -> tuple[str, Html] | None:
    """Errors of images, forecasts and sequences as drawings, with what they show; None for other numbers."""
    shape = predictions.true.shape[1:]
    captions = [f"row {found.examples.rows[i]}: error {number(float(distance[i]))}" for i in places]
    if is_image(shape):
        return _drawn_images(found, name, predictions, places, captions)
    forecasts = found.forecasts(name)
    if forecasts is not None:
        drawn = [
            plots.forecast_example(forecasts.past[i, :, 0], forecasts.future[i, :, 0], forecasts.predicted[i, :, 0], caption)
            for i, caption in zip(places, captions, strict=True)
        ]
        more = f" Only {forecasts.columns[0]} is drawn." if len(forecasts.columns) > 1 else ""
        what = f"Shown: the known values, and the actual and the predicted ones that follow.{more}"
    elif 1 <= len(shape) <= 2 and shape[0] >= _A_SEQUENCE and (len(shape) == 1 or shape[1] <= _VARIABLES):
        drawn = [
            plots.overlaid(predictions.true[i], predictions.predicted[i], caption)
            for i, caption in zip(places, captions, strict=True)
        ]
        what = "Shown: the actual and the predicted values."
    else:
        return None
    return what, element("div", *(figure(d, c) for d, c in zip(drawn, captions, strict=True)), class_="row")


_A_SEQUENCE, _VARIABLES = 8, 4
"""The least steps and the most variables of a target that is drawn as lines."""


def _drawn_images(
    found: Evaluation, name: str, predictions: NumberPredictions, places: NDArray[np.int64], captions: list[str]
) -> tuple[str, Html]:
    """The input, the actual image if it is another one, the output, and their difference: red is too high, blue too low."""
    true, output = predictions.true[places], predictions.predicted[places]
    both = scaled(np.stack([true, np.clip(output, true.min(), true.max())]))
    seen = image_input(found)
    inputs = found.examples.only(places).batch(slice(None)).inputs[seen] if seen is not None else None
    is_input = inputs is not None and inputs.size == true.size and np.allclose(inputs.reshape(true.shape), true, atol=1e-6)
    difference = (output - true).mean(-1) if true.ndim == 4 else output - true
    largest = float(np.abs(difference).max()) or 1.0
    originals = draw_examples(found, seen, places, ["input"] * len(places)) if seen is not None else [None] * len(places)
    groups = []
    for i, (original, caption) in enumerate(zip(originals, captions, strict=True)):
        drawn = [] if original is None else [figure(original, "input")]
        if not is_input:
            drawn.append(figure(image_tag(both[0, i], f"{caption}: actual"), "actual"))
        drawn.append(figure(image_tag(both[1, i], f"{caption}: output"), "output"))
        shade = colored(difference[i], signed=True, largest=largest)
        drawn.append(figure(image_tag(shade, f"{caption}: difference"), "difference"))
        groups.append(figure(element("div", *drawn, class_="group"), caption))
    what = "Shown: the input, " + ("" if is_input else "the actual image, ")
    what += f"the output of {name}, and output minus actual (red: too high, blue: too low)."
    return what, element("div", *groups, class_="row")


def _numbers(values: NDArray[np.float64]) -> str:
    text = ", ".join(number(float(value)) for value in values[:4])
    return text + (" …" if len(values) > 4 else "")


def _shown(found: Evaluation, places: NDArray[np.int64], texts: Sequence[tuple[str, ...]], header: list[str]) -> Html:
    rows = found.examples.rows[places]
    seen = image_input(found)
    if seen is None:
        columns = columns_of(found)
        values = row_of(found, columns, places[:_ROWS])
        lines = [[str(row), *what, *value] for row, what, value in zip(rows, texts, values, strict=False)]
        return table(["row", *header, *columns], lines, numbers=None)
    labels = [
        f"row {row}: " + ", ".join(f"{h} {w}" for h, w in zip(header, what, strict=True))
        for row, what in zip(rows, texts, strict=True)
    ]
    images = draw_examples(found, seen, places, labels)
    images = [
        element("figure", image, element("figcaption", *_caption(header, what), f"row {row}"), class_="error")
        for image, what, row in zip(images, texts, rows, strict=True)
    ]
    return element("div", *images, class_="row")


def _caption(header: list[str], what: tuple[str, ...]) -> list[Html]:
    return [Html(element("span", f"{name} ") + element("b", value) + "<br>") for name, value in zip(header, what, strict=True)]
