"""Boxes move with their images under ``data.augment``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.data.augmentations import AUGMENTATIONS
from nnspec.data.plan import AugmentPlan, BoxField

HEIGHT, WIDTH, ROWS, COUNT = 40, 48, 3, 4
NEAREST = {"interpolation": "nearest", "fill_mode": "constant"}
MOVES: dict[str, tuple[str, dict[str, Any]]] = {
    "flip": ("RandomFlip", {}),
    "flip left and right": ("RandomFlip", {"mode": "horizontal"}),
    "crop": ("RandomResizedCrop", {"interpolation": "nearest"}),
    "zoom": ("RandomZoom", {"height_factor": 0.4, "width_factor": 0.4, **NEAREST}),
    "translation": ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.4, **NEAREST}),
    "rotation": ("RandomRotation", {"factor": 0.5, **NEAREST}),
    "shear": ("RandomShear", {"x_factor": 0.4, "y_factor": 0.3, **NEAREST}),
    "perspective": ("RandomPerspective", {"scale": 0.5, "interpolation": "nearest"}),
}


def augmenter(name: str, arguments: dict[str, Any], seed: int, visible: float = 0.0) -> Any:
    from nnspec.training.batches.augmenter import Augmenter

    field = BoxField("inputs.boxes", "image", ("inputs.class",))
    layer: Any = AUGMENTATIONS.get(name)(**arguments)
    return Augmenter((AugmentPlan(layer, ("image",), (), frozenset(), (field,), visible),), {}, seed)


def drawn(boxes: np.ndarray) -> np.ndarray:
    """An image with a channel for each box, 1 in the box."""
    image = np.zeros((len(boxes), HEIGHT, WIDTH, boxes.shape[1]), np.float32)
    for i, rows in enumerate(boxes.astype(int)):
        for j, (x1, y1, x2, y2) in enumerate(rows):
            if x2 > x1:
                image[i, y1:y2, x1:x2, j] = 1
    return image


def enclosing(mask: np.ndarray) -> np.ndarray | None:
    ys, xs = np.nonzero(mask > 0.5)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) if len(xs) else None


def changed(made: Any, boxes: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inputs, _, _ = made({"image": drawn(boxes), "boxes": boxes, "class": classes}, {}, {})
    return tuple(np.asarray(inputs[name]) for name in ("image", "boxes", "class"))  # type: ignore[return-value]


@st.composite
def some_boxes(draw: st.DrawFn) -> np.ndarray:
    boxes = np.full((COUNT, ROWS, 4), -1, np.float32)
    for i in range(COUNT):
        for j in range(draw(st.integers(0, ROWS))):
            x1, y1 = draw(st.integers(0, WIDTH - 8)), draw(st.integers(0, HEIGHT - 8))
            boxes[i, j] = x1, y1, draw(st.integers(x1 + 6, WIDTH)), draw(st.integers(y1 + 6, HEIGHT))
    return boxes


@pytest.mark.parametrize("name", MOVES)
@settings(max_examples=6, deadline=None)
@given(boxes=some_boxes(), seed=st.integers(0, 2**16))
def test_boxes_move_as_a_mask_of_the_same_region_does(name: str, boxes: np.ndarray, seed: int) -> None:
    classes = np.where(boxes[..., 2] > boxes[..., 0], 5, -1).astype("int32")
    image, moved, kinds = changed(augmenter(*MOVES[name], seed), boxes, classes)
    for i in range(COUNT):
        for j in range(ROWS):
            found = enclosing(image[i, ..., j])
            if boxes[i, j, 2] <= boxes[i, j, 0]:
                assert (moved[i, j] == -1).all() and kinds[i, j] == -1
            elif found is None:  # a sliver between the centers of pixels
                assert (moved[i, j] == -1).all() or min(moved[i, j, 2:] - moved[i, j, :2]) <= 1.5
            else:
                assert kinds[i, j] == 5
                if name in ("flip", "flip left and right"):
                    np.testing.assert_array_equal(moved[i, j], found)
                elif name in ("rotation", "shear", "perspective"):
                    # The enclosing box of a slanted region may exceed the region's clipped part.
                    assert (moved[i, j, :2] <= found[:2] + 1.6).all() and (moved[i, j, 2:] >= found[2:] - 1.6).all()
                    inside = (found[:2] > 1).all() and (found[2:] < (WIDTH - 1, HEIGHT - 1)).all()
                    assert not inside or np.abs(moved[i, j] - found).max() <= 1.6
                else:
                    assert np.abs(moved[i, j] - found).max() <= 1.1


def test_a_box_that_keeps_less_than_the_visible_share_is_left_out_with_its_class() -> None:
    boxes = np.array([[[0, 10, 20, 20], [30, 10, 40, 20]]], np.float32)
    shift = {"height_factor": [0.0, 0.0], "width_factor": [-0.25, -0.25], "fill_mode": "constant"}  # 12 pixels to the left
    for visible, kept in ((0.3, True), (0.5, False)):
        _, moved, kinds = changed(augmenter("RandomTranslation", shift, 0, visible), boxes, np.array([[3, 4]], "int32"))
        assert kinds.tolist() == [[3 if kept else -1, 4]]
        np.testing.assert_allclose(moved[0, 0], [0, 10, 8, 20] if kept else [-1] * 4, atol=1e-4)
        np.testing.assert_allclose(moved[0, 1], [18, 10, 28, 20], atol=1e-4)


def test_colors_leave_boxes_alone() -> None:
    boxes = np.array([[[0, 10, 20, 20]]], np.float32)
    _, moved, kinds = changed(augmenter("RandomBrightness", {"factor": 0.5}, 0), boxes, np.array([[3]], "int32"))
    assert moved.tolist() == boxes.tolist() and kinds.tolist() == [[3]]


@settings(max_examples=10, deadline=None)
@given(boxes=some_boxes(), seed=st.integers(0, 2**16))
def test_a_mosaic_has_the_boxes_of_its_four_images_where_they_are_seen(boxes: np.ndarray, seed: int) -> None:
    """Each image has one value, and each box its class, so that the pixels of a box tell whose it is."""
    from nnspec.training.batches.augmenter import Augmenter

    boxes = np.concatenate([boxes, np.full((COUNT, 9, 4), -1, np.float32)], axis=1)
    owner = np.arange(1, COUNT + 1)
    classes = np.where(boxes[..., 2] > boxes[..., 0], owner[:, None], -1).astype("int32")
    image = np.broadcast_to(owner.astype("float32")[:, None, None, None], (COUNT, HEIGHT, WIDTH, 1)).copy()
    layer: Any = AUGMENTATIONS.get("RandomMosaic")()
    plan = AugmentPlan(layer, ("image",), (), frozenset(), (BoxField("inputs.boxes", "image", ("inputs.class",)),), 0.0)
    inputs, _, _ = Augmenter((plan,), {}, seed)({"image": image, "boxes": boxes, "class": classes}, {}, {})
    pixels, made, kinds = (np.asarray(inputs[name]) for name in ("image", "boxes", "class"))
    for i in range(COUNT):
        valid = made[i, :, 2] > made[i, :, 0]
        assert (kinds[i] > 0).tolist() == valid.tolist()
        assert valid.tolist() == sorted(valid.tolist(), reverse=True)  # boxes first
        for box, kind in zip(made[i][valid], kinds[i][valid], strict=True):
            (x1, y1), (x2, y2) = np.ceil(box[:2] + 0.5).astype(int), np.floor(box[2:] - 0.5).astype(int)
            part = pixels[i, max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
            assert x2 <= x1 or y2 <= y1 or np.allclose(part, kind, atol=1e-3)


@pytest.mark.parametrize("name", ["RandomMosaic", "MixUp"])
def test_the_boxes_of_composed_images_that_have_no_row_are_counted(name: str) -> None:
    boxes = np.full((COUNT, 12, 4), -1, np.float32)
    boxes[:, :3] = [[2, 2, 30, 30], [4, 4, 40, 36], [1, 1, 20, 20]]
    classes = np.where(boxes[..., 2] > 0, 1, -1).astype("int32")
    wide, narrow = (augmenter(name, {}, 5) for _ in range(2))
    image = np.zeros((COUNT, HEIGHT, WIDTH, 1), np.float32)
    for _ in range(3):
        every, _, _ = wide({"image": image, "boxes": boxes, "class": classes}, {}, {})
        some, _, _ = narrow({"image": image, "boxes": boxes[:, :3], "class": classes[:, :3]}, {}, {})
    counts = [int((np.asarray(made["class"]) > 0).sum()) for made in (every, some)]
    assert (wide.boxes.lost, wide.boxes.whole) == (0, narrow.boxes.whole)
    assert narrow.boxes.lost > 0
    assert 3 < wide.boxes.most == narrow.boxes.most <= 12
    assert counts[0] - counts[1] <= narrow.boxes.lost < wide.boxes.whole


def test_mixed_images_have_the_boxes_of_both_if_both_are_visible() -> None:
    boxes = np.full((COUNT, 4, 4), -1, np.float32)
    boxes[:, 0] = [[i, i, i + 10, i + 10] for i in range(COUNT)]
    classes = np.where(boxes[..., 2] > 0, np.arange(COUNT)[:, None], -1).astype("int32")
    image = np.broadcast_to(np.arange(COUNT, dtype="float32")[:, None, None, None], (COUNT, 8, 8, 1)).copy()
    from nnspec.training.batches.augmenter import Augmenter

    layer: Any = AUGMENTATIONS.get("MixUp")(alpha=1.0)
    plan = AugmentPlan(layer, ("image",), (), frozenset(), (BoxField("inputs.boxes", "image", ("inputs.class",)),), 0.25)
    seen = set()
    for seed in range(8):
        inputs, _, _ = Augmenter((plan,), {}, seed)({"image": image, "boxes": boxes, "class": classes}, {}, {})
        pixels, made, kinds = (np.asarray(inputs[name]) for name in ("image", "boxes", "class"))
        for i in range(COUNT):
            own = [int(kind) for kind in kinds[i] if kind >= 0]
            assert [[kind, kind, kind + 10, kind + 10] for kind in own] == made[i][: len(own)].tolist()
            assert (made[i][len(own) :] == -1).all()
            value = float(pixels[i].mean())
            assert min(own) - 1e-4 <= value <= max(own) + 1e-4 or len(own) == 1
            seen.add(len(own))
    assert seen == {1, 2}


@pytest.mark.parametrize("name", [*MOVES, "mosaic", "mixed"])
def test_a_compiled_step_moves_boxes_as_an_eager_one(name: str) -> None:
    import tensorflow as tf

    boxes = np.array([[[4, 6, 20, 18], [25, 20, 40, 33], [-1] * 4]] * COUNT, np.float32)
    values = {"image": drawn(boxes), "boxes": boxes, "class": np.full((COUNT, ROWS), 1, "int32")}
    kind = {"mosaic": ("RandomMosaic", {}), "mixed": ("MixUp", {"alpha": 1.0}), **MOVES}[name]
    compiled = augmenter(*kind, 3)
    step = tf.function(lambda values: compiled(values, {}, {})[0])
    ours, theirs = step({key: tf.constant(value) for key, value in values.items()}), augmenter(*kind, 3)(values, {}, {})[0]
    for key in values:
        np.testing.assert_allclose(ours[key].numpy(), np.asarray(theirs[key]), atol=1e-3)


JAX = """
import numpy as np
from tests.training.test_box_augment import MOVES, augmenter, changed
boxes = np.array([[[4, 6, 20, 18], [25, 20, 40, 33]]] * 4, np.float32)
for name, (kind, arguments) in [*MOVES.items(), ("mosaic", ("RandomMosaic", {})), ("mix", ("MixUp", {"alpha": 1.0}))]:
    image, moved, kinds = changed(augmenter(kind, arguments, 3), boxes, np.full((4, 2), 1, "int32"))
    assert image.shape == (4, 40, 48, 2) and moved.shape == (4, 2, 4)
    for i in range(4 if name in ("flip", "translation", "zoom", "crop") else 0):
        for j in range(2):
            ys, xs = np.nonzero(image[i, ..., j] > 0.5)
            if len(xs):
                assert np.abs(moved[i, j] - [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]).max() < 1.1, (name, i, j)
print("moved")
"""


def test_boxes_move_alike_on_jax() -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", JAX], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("moved"), done.stderr[-2000:]
