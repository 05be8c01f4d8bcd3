"""Non-maximum suppression of fixed size, for which Keras has no layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.layers.boxes import OfBoxes, are_valid, overlap


@keras.saving.register_keras_serializable("nnspec")
class NonMaxSuppression(OfBoxes):
    """Keeps the best of the boxes that overlap, given ``[boxes, scores]``; see ``nnspec.layers.suppression``.

    Args:
        iou: The largest overlap.
        score: The score above which boxes are kept.
        keep: The number of rows.
        class_agnostic: Whether boxes of other classes are removed too.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self, iou: float = 0.5, score: float = 0.05, keep: int = 100, class_agnostic: bool = False, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.iou, self.score, self.keep, self.class_agnostic = iou, score, keep, class_agnostic

    def call(self, inputs: Any) -> tuple[Any, Any, Any, Any]:
        boxes, scores = inputs
        if len(scores.shape) == 2:
            scores = scores[..., None]
        classes = scores.shape[-1]
        of_classes = len(boxes.shape) == 4
        flat = ops.reshape(scores, (ops.shape(scores)[0], -1))
        chosen = self._chosen(ops.stop_gradient(boxes), ops.stop_gradient(scores))
        kept = chosen >= 0
        place = ops.maximum(chosen, 0)
        every = ops.reshape(boxes, (ops.shape(boxes)[0], -1, 4))
        best = ops.take_along_axis(every, ops.expand_dims(place if of_classes else place // classes, -1), axis=1)
        return (
            ops.where(kept[..., None], best, -1),
            ops.where(kept, ops.take_along_axis(flat, place, axis=1), -1),
            ops.where(kept, place % classes, -1),
            ops.sum(ops.cast(kept, "int32"), axis=1),
        )

    def _chosen(self, boxes: Any, scores: Any) -> Any:
        """The number of each kept row and class, best first, and −1 after the last one."""
        classes = scores.shape[-1]
        of_classes = len(boxes.shape) == 4
        lowest = -float("inf")
        valid = are_valid(boxes)
        left = ops.where(ops.logical_and(valid if of_classes else valid[..., None], scores > self.score), scores, lowest)
        examples, rows = ops.shape(scores)[0], ops.shape(scores)[1]
        flat_boxes = ops.reshape(boxes, (examples, -1, 4))
        every = ops.arange(rows * classes, dtype="int32")

        def step(turn: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
            left, chosen = state
            flat = ops.reshape(left, (examples, rows * classes))
            best = ops.cast(ops.argmax(flat, axis=1), "int32")[:, None]
            is_one = ops.take_along_axis(flat, best, axis=1) > lowest
            chosen = ops.where(ops.arange(self.keep, dtype="int32")[None] == turn, ops.where(is_one, best, -1), chosen)
            box = ops.take_along_axis(flat_boxes, (best if of_classes else best // classes)[..., None], axis=1)
            removed = overlap(box[:, None] if of_classes else box, boxes) > self.iou
            removed = removed if of_classes else removed[..., None]
            if not self.class_agnostic:
                removed = ops.logical_and(removed, ops.arange(classes, dtype="int32") == (best % classes)[..., None])
            removed = ops.logical_or(removed, ops.reshape(every[None] == best, (examples, rows, classes)))
            return ops.where(removed, lowest, left), chosen

        nothing = ops.full((examples, self.keep), -1, dtype="int32")
        return ops.fori_loop(0, self.keep, step, (left, nothing))[1]

    def compute_output_spec(self, inputs: Any) -> Any:
        boxes = inputs[0]
        shapes = ((self.keep, 4), (self.keep,), (self.keep,), ())
        dtypes = (self.compute_dtype, self.compute_dtype, "int32", "int32")
        return tuple(keras.KerasTensor((boxes.shape[0], *s), dtype=d) for s, d in zip(shapes, dtypes, strict=True))

    def get_config(self) -> dict[str, Any]:
        own = {"iou": self.iou, "score": self.score, "keep": self.keep, "class_agnostic": self.class_agnostic}
        return {**super().get_config(), **own}
