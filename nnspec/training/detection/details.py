"""What a report shows of the detections of a split."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.training.detection.average_precision import AveragePrecision
from nnspec.training.detection.errors import DetectionErrors


@dataclass(frozen=True)
class DetectionDetails:
    """The detections of a split.

    Attributes:
        average: The average precisions.
        errors: The errors, with boxes in pixels of the network's input.
        in_stored_pixels: Whether areas are in pixels of the images as stored, otherwise of the network's input.
    """

    average: AveragePrecision
    errors: DetectionErrors
    in_stored_pixels: bool
