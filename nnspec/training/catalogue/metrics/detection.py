"""Metrics of detectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, Strict, model_validator

from nnspec.graph import Graph
from nnspec.graph.detections import BOXES, CLASS, PARTS, detections_of, unfit
from nnspec.layers.scalars import PositiveNumber
from nnspec.training.catalogue.metrics.base import FRAMES, Accumulator, MetricError, Reads, Rising, SplitMetric
from nnspec.types import TensorType, did_you_mean, listed

if TYPE_CHECKING:
    from nnspec.training.catalogue.metrics.base import Arrays
    from nnspec.training.detection.average_precision import AveragePrecision, AveragePrecisions
    from nnspec.training.detection.details import DetectionDetails

CROWD = "crowd"
_NAME = "mean_average_precision"
_RECALL = "mean_average_recall"
_Text = Annotated[str, Strict()]


class MeanAveragePrecision(SplitMetric, Rising):
    """The mean average precision of detections: COCO's twelve numbers (Lin et al. 2014), equal to those of pycocotools.

    It compares the outputs ``boxes``, ``scores`` and ``class`` of a detector with the fields ``boxes``, ``class`` and, if any,
    ``crowd``, over the whole validation or test split. ``mean_average_precision`` is the mean over ten overlaps from 0.5 to
    0.95 and over the classes; ``…_50`` and ``…_75`` are of one overlap; ``…_small``, ``…_medium`` and ``…_large`` of areas.
    ``mean_average_recall`` is of 100 detections of an image and class, ``…_1`` and ``…_10`` of that many. A number is −1 if
    there are no such boxes. Boxes and their areas are in pixels of the images as stored, or of the network's input if the
    places of the images are not known.
    """

    small: PositiveNumber = Field(32.0, description="Boxes are small up to the area of a square with this side, in pixels.")
    large: PositiveNumber = Field(96.0, description="Boxes are large from the area of a square with this side, in pixels.")
    outputs: dict[Literal["boxes", "scores", "class"], _Text] = Field(
        {},
        description="The outputs with the detections; by default those of a `NonMaxSuppression`, else those with these names.",
        examples=[{"boxes": "found", "scores": "confidence", "class": "kind"}],
    )
    fields: dict[Literal["boxes", "class", "crowd"], _Text] = Field(
        {},
        description="The fields with the annotations; by default those that are read as boxes, else those with these names.",
        examples=[{"class": "species"}],
    )

    @model_validator(mode="after")
    def _rising(self) -> MeanAveragePrecision:
        if self.small >= self.large:
            raise ValueError("`small` must be less than `large`")
        return self

    def logged(self) -> Mapping[str, Literal["max", "min"]]:
        precisions = ("", "_50", "_75", "_small", "_medium", "_large")
        recalls = ("_1", "_10", "", "_small", "_medium", "_large")
        return dict.fromkeys([*(_NAME + end for end in precisions), *(_RECALL + end for end in recalls)], "max")

    def found(self, fields: Iterable[str], annotations: Mapping[str, str]) -> dict[str, str]:
        names: dict[str, str] = {part: part for part in (BOXES, CLASS, CROWD) if part in fields}
        return names | dict(annotations) | {str(part): name for part, name in self.fields.items()}

    def reads(self, graph: Graph, fields: Mapping[str, TensorType], annotations: Mapping[str, str]) -> Reads:
        outputs, names = self._outputs(graph), self._fields(fields, annotations)
        return Reads(outputs, names, frames=names[BOXES])

    def _outputs(self, graph: Graph) -> dict[str, str]:
        found = detections_of(graph)
        names: dict[str, str] = {} if found is None else dict(found.outputs)
        names |= {str(part): name for part, name in self.outputs.items()}
        for part, name in self.outputs.items():
            if name not in graph.outputs:
                help = did_you_mean(name, graph.outputs, f"its outputs are {listed(graph.outputs)}")
                raise MetricError(
                    f"reads the output `{name}`, which the network has not", help=help, argument=f"outputs.{part}"
                )
        if not set(PARTS) <= names.keys():
            help = (
                "return those of a `NonMaxSuppression`, `outputs: {boxes: nms.boxes, scores: nms.scores, class: nms.class}`, "
                f"or name them: `{type(self).__name__}: {{outputs: {{boxes: …, scores: …, class: …}}}}`"
            )
            got = f"`{graph.name}` returns {listed(graph.outputs)}"
            raise MetricError(f"needs a detector, with the outputs `boxes`, `scores` and `class`, and {got}", help=help)
        if (reason := unfit(graph.output_types, names)) is not None:
            raise MetricError(reason, help="return boxes (K, 4), scores (K) and integer classes (K)", argument="outputs")
        return names

    def _fields(self, fields: Mapping[str, TensorType], annotations: Mapping[str, str]) -> dict[str, str]:
        names = self.found(fields, annotations)
        for part, name in self.fields.items():
            if name not in fields:
                help = did_you_mean(name, fields, f"the fields are {listed(fields)}")
                raise MetricError(f"reads the field `{name}`, which the data have not", help=help, argument=f"fields.{part}")
        missing = [part for part in (BOXES, CLASS) if part not in names]
        if missing:
            shapes = {BOXES: "boxes: [50, 4]", CLASS: "class: {shape: [50], dtype: int32}"}
            help = f"declare {listed([shapes[part] for part in missing])} under `inputs`, or name the fields: "
            help += f"`{type(self).__name__}: {{fields: {{{', '.join(f'{part}: …' for part in missing)}}}}}`"
            raise MetricError(f"needs the annotated boxes, and there is no field {listed(missing)}", help=help)
        if (reason := unfit(fields, names)) is not None:
            help = "read rows of boxes and a class for each, padded to the same length with −1"
            raise MetricError(reason, help=help, argument="fields" if self.fields else None)
        return names

    def accumulator(self) -> Accumulator:
        from nnspec.training.detection.average_precision import AveragePrecisions

        return _Accumulator(AveragePrecisions(self.small, self.large), list(self.logged()))

    def details(self, outputs: Arrays, fields: Arrays) -> DetectionDetails:
        from nnspec.training.detection.average_precision import AveragePrecisions
        from nnspec.training.detection.details import DetectionDetails
        from nnspec.training.detection.errors import detection_errors

        found = _Accumulator(AveragePrecisions(self.small, self.large), [])
        found.add(outputs, fields)
        boxes, scores, classes = (outputs[part] for part in PARTS)
        errors = detection_errors(boxes, scores, classes, fields[BOXES], fields[CLASS], fields.get(CROWD))
        return DetectionDetails(found.result(), errors, in_stored_pixels=FRAMES in fields)


class _Accumulator:
    """Accumulates the detections of batches."""

    def __init__(self, found: AveragePrecisions, names: list[str]) -> None:
        self._found, self._names = found, names

    def add(self, outputs: Arrays, fields: Arrays) -> None:
        from nnspec.training.detection.average_precision import in_stored_images

        boxes, scores, classes = (outputs[part] for part in PARTS)
        true = fields[BOXES]
        if FRAMES in fields:
            boxes, true = in_stored_images(boxes, true, fields[FRAMES])
        self._found.add(boxes, scores, classes, true, fields[CLASS], fields.get(CROWD))

    def result(self) -> AveragePrecision:
        """The average precisions."""
        return self._found.result()

    def results(self) -> dict[str, float]:
        return dict(zip(self._names, self._found.result().numbers.values(), strict=True))

    def report(self, classes: Mapping[str, list[Any]]) -> dict[str, Any]:
        return self._found.result().report(classes.get(CLASS))
