"""Boxes that move with their images, on every backend."""

from __future__ import annotations

from typing import Any

from keras import ops

from nnspec.keras_backend.box_maps import box_map


def moved(layer: Any, drawn: Any, boxes: Any, size: tuple[int, int], visible: float) -> tuple[Any, Any]:
    """Move boxes as a layer moves the images of a batch.

    Args:
        layer: The Keras layer.
        drawn: What it drew for the batch.
        boxes: The boxes, (N, M, 4).
        size: The height and width of the images.
        visible: The share of its area that a box must keep.

    Returns:
        The boxes, -1 for those that are not kept, and whether each is kept, (N, M).
    """
    height, width = size
    forward = _inverse(box_map(layer, drawn, height, width))
    regions = ops.tile(ops.convert_to_tensor([[0.0, 0.0, width, height]]), (ops.shape(boxes)[0], 1))
    return _kept(_enclosing(forward, boxes), is_box(boxes), regions, visible)


def mosaic(drawn: Any, boxes: Any, visible: float) -> tuple[Any, Any, Any]:
    """Compose the boxes of mosaics.

    Returns:
        The boxes, (N, M, 4), the row of ``together`` that each is, (N, M), -1 for rows without a box, and the number of boxes
        of each image, (N,), which may be more than M.
    """
    parts = []
    for quarter in range(4):
        own = ops.take(boxes, drawn["order"][quarter], axis=0)
        forward = _inverse(ops.cast(drawn["matrices"][quarter], "float32"))
        parts.append(_kept(_enclosing(forward, own), is_box(own), drawn["regions"][quarter], visible)[0])
    return _first(ops.concatenate(parts, axis=1), boxes.shape[1])


def mixed(drawn: Any, boxes: Any, visible: float) -> tuple[Any, Any, Any]:
    """Join the boxes of images that are mixed, if an image has at least the share `visible` in the mixture.

    Returns:
        As those of [`mosaic`][nnspec.training.batches.box_moves.mosaic].
    """
    share = ops.cast(drawn["mix_weight"], "float32")[:, None, None]
    other = ops.take(boxes, drawn["permutation_order"], axis=0)
    none = -ops.ones_like(boxes)
    parts = [ops.where(share >= visible, boxes, none), ops.where(1 - share >= visible, other, none)]
    # An image that is mixed with itself has its boxes once.
    itself = ops.cast(drawn["permutation_order"], "int32") == ops.arange(ops.shape(boxes)[0], dtype="int32")
    parts = [ops.where(itself[:, None, None], boxes, parts[0]), ops.where(itself[:, None, None], none, parts[1])]
    return _first(ops.concatenate(parts, axis=1), boxes.shape[1])


def together(drawn: Any, rows: Any) -> Any:
    """Join values of boxes, (N, M, …), of all images that are composed, (N, k · M, …)."""
    if "order" in drawn:
        return ops.concatenate([ops.take(rows, drawn["order"][quarter], axis=0) for quarter in range(4)], axis=1)
    return ops.concatenate([rows, ops.take(rows, drawn["permutation_order"], axis=0)], axis=1)


def chosen(rows: Any, places: Any) -> Any:
    """Return the values, (N, M), at places of joined ones; -1 where there is none."""
    found = ops.take_along_axis(rows, ops.maximum(places, 0), axis=1)
    return ops.where(places >= 0, found, -ops.ones_like(found))


def is_box(boxes: Any) -> Any:
    """Whether each row is a box, (N, M)."""
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def _inverse(matrix: Any) -> Any:
    """Return the maps of coordinates, (N, 3, 3), from the input to the output."""
    whole = ops.reshape(ops.concatenate([matrix, ops.ones_like(matrix[:, :1])], axis=1), (-1, 3, 3))
    return ops.linalg.inv(whole)


def _enclosing(forward: Any, boxes: Any) -> Any:
    """Return the boxes that enclose moved boxes."""
    x1, y1, x2, y2 = (boxes[..., i] - 0.5 for i in range(4))  # the center of pixel 0 is at 0.5
    points = ops.stack([ops.stack([x1, x2, x1, x2], -1), ops.stack([y1, y1, y2, y2], -1)], -1)
    whole = ops.concatenate([points, ops.ones_like(points[..., :1])], -1)
    there = ops.einsum("nij,nmkj->nmki", forward, whole)
    there = there[..., :2] / there[..., 2:] + 0.5
    return ops.concatenate([ops.min(there, axis=2), ops.max(there, axis=2)], axis=-1)


def _kept(boxes: Any, valid: Any, regions: Any, visible: float) -> tuple[Any, Any]:
    """Clip boxes to regions, (N, 4), and drop those of which less than a share of the area is left."""
    low, high = regions[:, None, :2], regions[:, None, 2:]
    clipped = ops.concatenate(
        [ops.clip(boxes[..., :2], low, high), ops.clip(boxes[..., 2:], low, high)],
        axis=-1,
    )
    kept = valid & is_box(clipped) & (_area(clipped) >= visible * _area(boxes))
    return ops.where(kept[..., None], clipped, -ops.ones_like(clipped)), kept


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _first(boxes: Any, count: int) -> tuple[Any, Any, Any]:
    """Return the first valid boxes of each image, their places, -1 for the others, and the number of all valid ones."""
    places = ops.arange(boxes.shape[1], dtype="int32")[None]
    order = ops.argsort(ops.where(is_box(boxes), places, places + boxes.shape[1]), axis=1)[:, :count]
    order = ops.cast(order, "int32")
    found = ops.take_along_axis(boxes, order[..., None], axis=1)
    valid = is_box(found)
    kept = ops.where(valid[..., None], found, -ops.ones_like(found)), ops.where(valid, order, -ops.ones_like(order))
    return *kept, ops.sum(ops.cast(is_box(boxes), "int32"), axis=1)
