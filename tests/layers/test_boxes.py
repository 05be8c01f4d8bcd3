"""Layers of boxes against programs in NumPy that follow their definitions one box at a time."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from nnspec.keras_backend import to_keras
from nnspec.layers import LAYERS
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import drawn_boxes
from nnspec.runtime.session import runner

from .cases import Case, Input


def run(op: str, inputs: dict[str, np.ndarray], *, training: bool = False, **arguments: Any) -> dict[str, np.ndarray]:
    """The outputs of a layer in Keras."""
    case = Case(op, arguments, {port: Input(array.shape[1:], str(array.dtype)) for port, array in inputs.items()})
    model = to_keras(case.graph(), seed=1)
    found = model({f"in_{port}": array for port, array in inputs.items()}, training=training)
    return {name: np.asarray(tensor) for name, tensor in found.items()}


def in_onnx(op: str, inputs: dict[str, np.ndarray], **arguments: Any) -> dict[str, np.ndarray]:
    """The outputs of a layer in ONNX Runtime."""
    case = Case(op, arguments, {port: Input(array.shape[1:], str(array.dtype)) for port, array in inputs.items()})
    return dict(runner(serialized(to_onnx(case.graph(), {})))({f"in_{port}": array for port, array in inputs.items()}))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    if not (is_box(a) and is_box(b)):
        return 0.0
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def is_box(a: np.ndarray) -> bool:
    return bool(a[2] - a[0] >= 1e-3 and a[3] - a[1] >= 1e-3)


def whole_boxes(random: np.random.Generator, *lead: int, most: int = 12) -> np.ndarray:
    """Boxes with whole corners, so that overlaps and ties are exact; some are missing."""
    low = random.integers(0, most, (*lead, 2))
    boxes = np.concatenate([low, low + random.integers(1, most, (*lead, 2))], -1)
    return np.where(random.random((*lead, 1)) < 0.1, -1, boxes).astype(np.float32)


# --- anchors and their regression ---------------------------------------------------------------------------------------


def test_anchors_are_in_the_order_of_a_reshaped_convolution():
    sizes, ratios, stride = [8, 16], [0.5, 2], 4
    [found] = run("AnchorBoxes", {"x": np.zeros((1, 2, 3, 5), np.float32)}, sizes=sizes, ratios=ratios, stride=stride).values()
    cells = found.reshape(2, 3, 4, 4)
    for row, column, place in np.ndindex(2, 3, 4):
        size, ratio = sizes[place // 2], ratios[place % 2]
        x, y, w, h = (column + 0.5) * stride, (row + 0.5) * stride, size / ratio**0.5, size * ratio**0.5
        np.testing.assert_allclose(cells[row, column, place], [x - w / 2, y - h / 2, x + w / 2, y + h / 2], rtol=1e-6)


@pytest.mark.parametrize("by", ["offsets", "distances"])
def test_decoding_is_the_inverse_of_encoding(by):
    random = np.random.default_rng(0)
    low = random.uniform(0, 50, (2, 2, 30, 2))
    anchors, boxes = np.float32(np.concatenate([low, low + random.uniform(2, 40, low.shape)], -1))
    arguments = {"by": by, "variance": [0.1, 0.1, 0.2, 0.2]}
    numbers = run("EncodeBoxes", {"boxes": boxes, "anchors": anchors}, **arguments)["output"]
    again = run("DecodeBoxes", {"x": numbers, "anchors": anchors}, **arguments)["output"]
    np.testing.assert_allclose(again, boxes, atol=1e-3)


def test_a_missing_box_is_encoded_as_zeros():
    boxes, anchors = np.float32([[[-1] * 4, [5, 5, 2, 9], [1, 1, 3, 3]]]), np.float32([[[0, 0, 8, 8]] * 2 + [[-1] * 4]])
    for by in ("offsets", "distances"):
        assert not run("EncodeBoxes", {"boxes": boxes, "anchors": anchors}, by=by)["output"].any()


def test_a_decoded_size_is_bounded():
    x, anchors = np.float32([[[0, 0, 100, 100]]]), np.float32([[[0, 0, 2, 2]]])
    found = run("DecodeBoxes", {"x": x, "anchors": anchors}, max_scale=10)["output"]
    np.testing.assert_allclose(found, [[[-9, -9, 11, 11]]], rtol=1e-5)


# --- non-maximum suppression --------------------------------------------------------------------------------------------


def suppressed(boxes: np.ndarray, scores: np.ndarray, limit: float, score: float, keep: int, agnostic: bool) -> list[Any]:
    """The kept boxes of one example: row, class and score."""
    pairs = [(-scores[a, c], a, c) for a, c in np.ndindex(scores.shape) if scores[a, c] > score and is_box(boxes[a])]
    kept: list[Any] = []
    for minus, a, c in sorted(pairs):
        if all((c != d and not agnostic) or iou(boxes[a], boxes[b]) <= limit for b, d, _ in kept):
            kept.append((a, c, -minus))
    return kept[:keep]


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("where", [run, in_onnx])
@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_suppression_is_greedy_with_ties_to_the_lowest_row(where, agnostic, seed):
    random = np.random.default_rng(seed)
    boxes = whole_boxes(random, 2, 14)
    scores = random.integers(0, 6, (2, 14, 3)).astype(np.float32) / 4  # many ties
    found = where("NonMaxSuppression", {"boxes": boxes, "scores": scores}, iou=0.4, score=0.2, keep=9, class_agnostic=agnostic)
    for example in range(2):
        wanted = suppressed(boxes[example], scores[example], 0.4, 0.2, 9, agnostic)
        count = len(wanted)
        assert found["count"][example] == count
        np.testing.assert_array_equal(
            found["boxes"][example, :count], [boxes[example, a] for a, _, _ in wanted] or np.zeros((0, 4))
        )
        assert found["class"][example, :count].tolist() == [c for _, c, _ in wanted]
        np.testing.assert_array_equal(found["scores"][example, :count], np.float32([s for _, _, s in wanted]))
        for name in ("boxes", "scores", "class"):
            assert (found[name][example, count:] == -1).all()


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("where", [run, in_onnx])
@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_boxes_of_classes_are_suppressed_as_those_of_a_detector_for_each_class(where, agnostic, seed):
    random = np.random.default_rng(seed)
    boxes = whole_boxes(random, 2, 9, 3)
    scores = random.integers(0, 6, (2, 9, 3)).astype(np.float32) / 4
    given = {"boxes": boxes, "scores": scores}
    found = where("NonMaxSuppression", given, iou=0.4, score=0.2, keep=9, class_agnostic=agnostic)
    for example in range(2):
        own = boxes[example]
        order = sorted((-scores[example, a, c], a, c) for a, c in np.ndindex(9, 3))
        kept: list[Any] = []
        for minus, a, c in order:
            free = all((c != d and not agnostic) or iou(own[a, c], own[b, d]) <= 0.4 for _, b, d in kept)
            if -minus > 0.2 and is_box(own[a, c]) and free:
                kept.append((minus, a, c))
        kept = kept[:9]
        count = len(kept)
        assert found["count"][example] == count
        assert found["class"][example, :count].tolist() == [c for _, _, c in kept]
        np.testing.assert_array_equal(found["boxes"][example, :count], [own[a, c] for _, a, c in kept] or np.zeros((0, 4)))
        assert (found["boxes"][example, count:] == -1).all()


def test_equal_boxes_of_classes_are_suppressed_as_shared_ones():
    random = np.random.default_rng(3)
    boxes, scores = whole_boxes(random, 2, 20), random.random((2, 20, 4), np.float32)
    for agnostic in (False, True):
        arguments = {"keep": 12, "iou": 0.3, "class_agnostic": agnostic}
        shared = run("NonMaxSuppression", {"boxes": boxes, "scores": scores}, **arguments)
        own = np.repeat(boxes[:, :, None], 4, 2)
        for where in (run, in_onnx):
            found = where("NonMaxSuppression", {"boxes": own, "scores": scores}, **arguments)
            assert all(np.array_equal(found[name], shared[name]) for name in shared)


def test_suppression_of_fewer_rows_than_it_keeps():
    boxes, scores = np.float32([[[0, 0, 4, 4], [1, 1, 5, 5]]]), np.float32([[[0.4], [0.9]]])
    for where in (run, in_onnx):
        found = where("NonMaxSuppression", {"boxes": boxes, "scores": scores}, keep=4, iou=0.1)
        assert found["count"].tolist() == [1]
        assert found["class"].tolist() == [[0, -1, -1, -1]]
        assert found["boxes"][0].tolist() == [[1, 1, 5, 5], *[[-1] * 4] * 3]


# --- features of regions ------------------------------------------------------------------------------------------------


def aligned(x: np.ndarray, box: np.ndarray, size: int, stride: float, sampling: int) -> np.ndarray:
    """The features of one box: the mean of points, each of four positions."""
    height, width, channels = x.shape
    out = np.zeros((size, size, channels))
    x1, y1, x2, y2 = np.float64(box) / stride - 0.5
    for p, q, i, j in np.ndindex(size, size, sampling, sampling):
        v = y1 + (p + (i + 0.5) / sampling) * (y2 - y1) / size
        u = x1 + (q + (j + 0.5) / sampling) * (x2 - x1) / size
        if v < -1 or v > height or u < -1 or u > width:
            continue
        v, u = min(max(v, 0), height - 1), min(max(u, 0), width - 1)
        for row, column in ((r, c) for r in (floor(v), floor(v) + 1) for c in (floor(u), floor(u) + 1)):
            weight = (1 - abs(v - row)) * (1 - abs(u - column))
            if weight > 0:
                out[p, q] += weight * x[row, column]
    return out / sampling**2


def test_aligned_regions_are_means_of_interpolated_points():
    random = np.random.default_rng(1)
    x, boxes = random.normal(size=(2, 7, 9, 3)).astype(np.float32), drawn_boxes(random, (2, 8, 4))
    [found] = run("RoIAlign", {"x": x, "boxes": boxes}, size=3, stride=4, sampling=2).values()
    for example, place in np.ndindex(2, 8):
        wanted = aligned(x[example], boxes[example, place], 3, 4, 2)
        np.testing.assert_allclose(found[example, place], wanted, atol=1e-5)


def pooled(x: np.ndarray, box: np.ndarray, size: tuple[int, int], stride: float) -> np.ndarray:
    """The features of one box: the largest value of each part, in float32 as ONNX Runtime computes the parts."""
    height, width, channels = x.shape
    corners = [np.float32(v) * np.float32(1 / stride) for v in box]
    left, top, right, bottom = (int(np.sign(v) * np.floor(abs(v) + np.float32(0.5))) for v in corners)
    out = np.zeros((*size, channels), np.float32)
    steps = [
        np.float32(max(high - low + 1, 1)) / np.float32(n)
        for low, high, n in zip((top, left), (bottom, right), size, strict=True)
    ]
    for p, q in np.ndindex(size):
        bounds = []
        for place, step, low, most in ((p, steps[0], top, height), (q, steps[1], left, width)):
            first, after = floor(np.float32(place) * step) + low, ceil(np.float32(place + 1) * step) + low
            bounds.append((min(max(first, 0), most), min(max(after, 0), most)))
        part = x[slice(*bounds[0]), slice(*bounds[1])]
        if part.size:
            out[p, q] = part.max((0, 1))
    return out


@pytest.mark.parametrize("where", [run, in_onnx])
def test_pooled_regions_are_maxima_of_rounded_parts(where):
    random = np.random.default_rng(2)
    x, boxes = random.normal(size=(2, 7, 9, 3)).astype(np.float32), drawn_boxes(random, (2, 12, 4))
    [found] = where("RoIPooling", {"x": x, "boxes": boxes}, size=[3, 2], stride=4).values()
    for example, place in np.ndindex(2, 12):
        np.testing.assert_array_equal(found[example, place], pooled(x[example], boxes[example, place], (3, 2), 4))


def test_parts_whose_ends_are_rounded_up_are_those_of_onnx_runtime_also_when_compiled():
    # 57 / 7 * 7 is more than 57 in float32, and so are other sizes of 13 parts.
    random = np.random.default_rng(3)
    low = random.integers(0, 20, (1, 30, 2))
    boxes = np.float32(np.concatenate([low, low + random.choice([6, 13, 27, 56, 113], (1, 30, 2))], -1))
    case = Case("RoIPooling", {"size": [7, 13]}, {"x": Input((130, 130, 1)), "boxes": Input((30, 4))})
    inputs = {"in_x": random.normal(size=(1, 130, 130, 1)).astype(np.float32), "in_boxes": boxes}
    from nnspec.exporting.keras_reference import keras_reference

    exported = runner(serialized(to_onnx(case.graph(), {})))(inputs)["output"]
    np.testing.assert_array_equal(keras_reference(case.graph(), {})(inputs)["output"], exported)


# --- matching -----------------------------------------------------------------------------------------------------------


def matched(anchors, boxes, label, crowd, *, by, foreground=0.5, background=0.4, keep_best=True, scales=None, radius=None):
    """The row and the class of each anchor of one example."""
    count, most = len(anchors), len(boxes)
    kept = [m for m in range(most) if is_box(boxes[m]) and crowd[m] != 1]
    share = np.array([[iou(a, b) for b in boxes] for a in anchors]).reshape(count, most)
    row = np.full(count, -1)
    middle = np.stack([(anchors[:, 0] + anchors[:, 2]) / 2, (anchors[:, 1] + anchors[:, 3]) / 2], -1)
    if by == "iou":
        for a in range(count):
            if kept and (best := max(kept, key=lambda m: (share[a, m], -m))) is not None and share[a, best] >= foreground:
                row[a] = best
        wishes = {}
        for m in kept if keep_best else []:
            a = int(np.argmax(share[:, m]))
            if share[a, m] > 0:
                wishes.setdefault(a, []).append((-share[a, m], m))
        for a, claims in wishes.items():
            row[a] = min(claims)[1]
    elif by == "center":
        valid = [a for a in range(count) if is_box(anchors[a])]
        size = {a: np.sqrt((anchors[a, 2] - anchors[a, 0]) * (anchors[a, 3] - anchors[a, 1])) for a in valid}
        for a in valid:
            x, y = middle[a]
            fits = []
            for m in kept:
                x1, y1, x2, y2 = boxes[m]
                away = (x - x1, y - y1, x2 - x, y2 - y)
                low = 0 if size[a] <= min(size.values()) * 1.0001 else scales[0] * size[a] if scales else 0
                high = np.inf if not scales or size[a] * 1.0001 >= max(size.values()) else scales[1] * size[a]
                near = radius is None or max(abs(x - (x1 + x2) / 2), abs(y - (y1 + y2) / 2)) <= radius * size[a]
                if min(away) > 0 and low < max(away) <= high and near:
                    fits.append(((x2 - x1) * (y2 - y1), m))
            if fits:
                row[a] = min(fits)[1]
    else:
        wishes = {}
        for m in kept:
            shape = lambda box: np.array([0, 0, box[2] - box[0], box[3] - box[1]])  # noqa: E731
            alike = np.array([iou(shape(a), shape(boxes[m])) for a in anchors])
            center = (boxes[m, :2] + boxes[m, 2:]) / 2
            away = np.where(alike >= alike.max() - 1e-4, np.abs(middle - center).max(-1), np.inf)
            wishes.setdefault(int(np.argmin(away)), []).append((-alike.max(), m))
        for a, claims in wishes.items():
            row[a] = min(claims)[1]
    found = []
    for a in range(count):
        if not is_box(anchors[a]):
            row[a] = -1
        x1, y1, x2, y2 = anchors[a]
        in_crowd = any(
            max(min(x2, c[2]) - max(x1, c[0]), 0) * max(min(y2, c[3]) - max(y1, c[1]), 0) >= 0.5 * (x2 - x1) * (y2 - y1)
            for m, c in enumerate(boxes)
            if crowd[m] == 1
        )
        near = by != "center" and any(share[a, m] >= background for m in kept)
        ignored = not is_box(anchors[a]) or near or in_crowd
        found.append(label[row[a]] if row[a] >= 0 else -2 if ignored else -1)
    return row, np.array(found)


@pytest.mark.parametrize(
    "arguments",
    [
        {"by": "iou"},
        {"by": "iou", "foreground": 0.25, "background": 0.1},
        {"by": "iou", "foreground": 0.25, "background": 0.25, "keep_best": False},
        {"by": "center"},
        {"by": "center", "scales": [0.5, 1.25], "radius": 0.75},
        {"by": "grid", "background": 0.3},
    ],
    ids=str,
)
@pytest.mark.parametrize("where", [run, in_onnx])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_matching_is_that_of_one_anchor_after_another(where, arguments, seed):
    random = np.random.default_rng(seed)
    anchors, boxes = whole_boxes(random, 2, 10), whole_boxes(random, 2, 4)
    label, crowd = random.integers(0, 5, (2, 4)).astype(np.int32), (random.random((2, 4)) < 0.15).astype(np.int32)
    found = where("MatchBoxes", {"anchors": anchors, "boxes": boxes, "class": label, "crowd": crowd}, **arguments)
    for example in range(2):
        row, wanted = matched(anchors[example], boxes[example], label[example], crowd[example], **arguments)
        assert found["row"][example].tolist() == row.tolist()
        assert found["class"][example].tolist() == wanted.tolist()
        np.testing.assert_array_equal(found["boxes"][example], np.where(row[:, None] >= 0, boxes[example, row], -1))
        np.testing.assert_array_equal(found["weight"][example], wanted != -2)


def test_without_classes_every_box_is_of_class_0():
    boxes = np.float32([[[0, 0, 4, 4], [-1] * 4]])
    found = run("MatchBoxes", {"anchors": boxes, "boxes": boxes})
    assert found["class"].tolist() == [[0, -2]]


def test_matching_needs_memory_for_the_anchors_alone():
    """20,000 anchors and 100 boxes: a table of all pairs of a batch of 8 would have 16 million elements."""
    jax = pytest.importorskip("jax")
    if keras.backend.backend() != "jax":
        pytest.skip("JAX states the memory of a compiled function")
    from nnspec.keras_backend.layers import MatchBoxes

    made = MatchBoxes(dtype="float32")
    shapes = [jax.ShapeDtypeStruct((8, rows, 4), np.float32) for rows in (20_000, 100)]
    used = jax.jit(lambda a, b: made([a, b])).lower(*shapes).compile().memory_analysis().temp_size_in_bytes
    assert used < 8 * 20_000 * 4 * 40


# --- sampling -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True])
def test_sampled_rows_have_at_most_the_share_of_positive_ones_and_no_ignored_ones(training):
    random = np.random.default_rng(4)
    boxes, label = whole_boxes(random, 3, 40), random.integers(-2, 3, (3, 40)).astype(np.int32)
    label[2, 4:] = -2
    found = run("SampleProposals", {"boxes": boxes, "class": label}, count=12, share=0.25, training=training)
    for example in range(3):
        rows = found["rows"][example]
        chosen = rows[rows >= 0]
        assert len(set(chosen)) == len(chosen)
        assert (found["class"][example, : len(chosen)] == label[example, chosen]).all()
        assert (found["class"][example, len(chosen) :] == -2).all()
        assert (found["boxes"][example, : len(chosen)] == boxes[example, chosen]).all()
        positive = int((label[example, chosen] >= 0).sum())
        assert positive == min(3, (label[example] >= 0).sum())
        assert len(chosen) - positive == min(12 - positive, (label[example] == -1).sum())


def test_sampling_is_random_in_training_and_takes_the_first_rows_otherwise():
    boxes, label = np.zeros((1, 50, 4), np.float32), np.int32([[0, -1] * 25])
    inputs = {"boxes": boxes, "class": label}
    assert run("SampleProposals", inputs, count=8, share=0.25)["rows"].tolist() == [[0, 2, 1, 3, 5, 7, 9, 11]]
    drawn = run("SampleProposals", inputs, count=8, share=0.25, training=True)["rows"][0]
    assert drawn.tolist() != [0, 2, 1, 3, 5, 7, 9, 11]
    assert sorted(label[0, drawn].tolist(), reverse=True) == [0, 0, -1, -1, -1, -1, -1, -1]


def test_boxes_stay_in_float32_in_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        x = ops.zeros((1, 60, 80, 2), "float16")
        found = to_keras(Case("AnchorBoxes", {"sizes": [8], "stride": 8}, {"x": Input((60, 80, 2))}).graph(), seed=1)(
            {"in_x": x}
        )
    finally:
        keras.config.set_dtype_policy(before)
    assert keras.backend.standardize_dtype(found["output"].dtype) == "float32"
    assert float(found["output"][0, -1, 2]) == 640.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"foreground": 0.3}, "`background` must be at most `foreground`, 0.3; got 0.4"),
        ({"by": "center", "scales": [8, 4]}, "the first of `scales` must be smaller than the second"),
        ({"radius": 1.5}, "`radius` has no meaning with `by: iou`; remove it"),
        ({"by": "grid", "foreground": 0.7}, "`foreground` has no meaning with `by: grid`; remove it"),
    ],
)
def test_arguments_of_matching_that_contradict_each_other_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        LAYERS.get("MatchBoxes")(**arguments)
