"""The answers of a detector: the class, score and box of each object, in pixels of the image that was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.image_frames import ImageFrames, image_frames
from nnspec.data.readers.base import Table
from nnspec.data.recipe import steps_of
from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import DETECTIONS
from nnspec.runtime.ports import Port

_CORNERS = 4
_BOX_DIGITS = 2
_SCORE_DIGITS = 6


@dataclass(frozen=True)
class Detector:
    """The outputs of a model that are detections.

    Attributes:
        boxes: The output with the boxes `x1 y1 x2 y2`, in pixels of the model's input, (N, K, 4).
        scores: The output with their scores, (N, K).
        classes: The output with the indices of their classes, (N, K); −1 for rows without a detection.
        image: The input with the image; None if there are several.
        more: Further outputs of the same step, such as the number of detections, which an answer leaves out.
    """

    boxes: str
    scores: str
    classes: str
    image: str | None
    more: tuple[str, ...] = ()

    @property
    def outputs(self) -> frozenset[str]:
        """All its outputs."""
        return frozenset({self.boxes, self.scores, self.classes, *self.more})

    def as_json(self) -> dict[str, Any]:
        """The metadata of an exported file."""
        return {**asdict(self), "more": list(self.more)}

    def found(
        self,
        inputs: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[Any]],
        names: Sequence[Any] | None,
        frames: ImageFrames | None,
    ) -> Detections:
        """The detections of a batch.

        Args:
            inputs: The inputs of the model.
            outputs: Its outputs.
            names: The names of the classes, in order; None to use their indices.
            frames: The places of the images as sent in those of the model; None if the model reads them unchanged.
        """
        boxes = np.asarray(outputs[self.boxes], np.float64)
        if self.image is not None:
            if frames is None:
                seen = np.array(inputs[self.image].shape[1:3], np.int64)
                frames = ImageFrames.unchanged(np.broadcast_to(seen, (len(boxes), 2)))
            moved = frames.to_stored(boxes, np.arange(len(boxes))[:, None])
            corners = moved.reshape(*boxes.shape[:2], 2, 2)
            boxes = np.clip(corners, 0, frames.stored[:, None, None, ::-1]).reshape(boxes.shape)
        return Detections(boxes, outputs[self.scores], outputs[self.classes], names)


@dataclass(frozen=True)
class Detections:
    """The detections of some images.

    Attributes:
        boxes: The boxes, in pixels of the image that was sent, (N, K, 4).
        scores: Their scores, (N, K).
        classes: The indices of their classes, (N, K); −1 for rows without a detection.
        names: The names of the classes, in order; None to use their indices.
        least: The least score of an answer; None for no limit.
        most: The most detections of an answer; None for no limit.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[Any]
    classes: NDArray[Any]
    names: Sequence[Any] | None
    least: float | None = None
    most: int | None = None

    def limited(self, least: float | None, most: int | None) -> Detections:
        """The same detections with other limits."""
        return replace(self, least=least, most=most)

    def of(self, row: int) -> list[dict[str, Any]]:
        """The detections of an image, best first: ``[{"class": "cat", "score": 0.9, "box": [4.0, 10.5, 60.0, 80.25]}]``.

        Args:
            row: The image.
        """
        classes, scores = self.classes[row], np.asarray(self.scores[row], np.float64)
        there = np.nonzero(classes >= 0)[0]
        order = there[np.argsort(-scores[there], kind="stable")]
        if self.least is not None:
            order = order[scores[order] >= self.least]
        return [
            {
                "class": self._name(int(classes[at])),
                "score": round(float(scores[at]), _SCORE_DIGITS),
                "box": [round(float(edge), _BOX_DIGITS) for edge in self.boxes[row, at]],
            }
            for at in order[: self.most]
        ]

    def _name(self, index: int) -> Any:
        return self.names[index] if self.names is not None and index < len(self.names) else index


def require_detector(detector: Detector, inputs: Mapping[str, Port], outputs: Mapping[str, Port], name: str) -> None:
    """Require that a model has the outputs of a detector, since its file is untrusted.

    Args:
        detector: The detector.
        inputs: The inputs of the model.
        outputs: The outputs of the model.
        name: The file's name in error messages.

    Raises:
        NnspecError: If it has not.
    """
    ranks = {detector.boxes: 3, detector.scores: 2, detector.classes: 2}
    fits = all(part in outputs and len(outputs[part].shape) == rank for part, rank in ranks.items())
    image = inputs.get(detector.image) if detector.image is not None else None
    if not fits or outputs[detector.boxes].shape[2] != _CORNERS or (detector.image is not None and image is None):
        raise NnspecError(f"the metadata of {name} are not valid under `{DETECTIONS}`; export it again")
    if image is not None and len(image.shape) not in (3, 4):
        raise NnspecError(f"the metadata of {name} are not valid under `{DETECTIONS}`; export it again")


def frames_of(table: Table, recipe: Mapping[str, Any], image: str | None) -> ImageFrames | None:
    """The places of the images of a table, as stored or sent, in those that a model takes; None if they are not known.

    Args:
        table: The data.
        recipe: How the inputs are made from them.
        image: The input with the image.
    """
    if image is None:
        return None
    entry = recipe.get("inputs", {}).get(image, {"columns": [image], "transforms": []})
    [column, *others] = entry["columns"]
    if others or column not in table.columns:
        return None
    return image_frames(table, column, [step.transform for step in steps_of(entry)])
