"""`MeanAveragePrecision` in a training: after each epoch, as the monitored metric, and in an evaluation."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from nnspec.api import validate
from nnspec.data.examples import Examples
from nnspec.spec import load
from nnspec.training import Run, evaluate, evaluation_text, train
from nnspec.training.catalogue.metrics.base import Reads
from nnspec.training.catalogue.metrics.detection import MeanAveragePrecision
from nnspec.training.loop.progress import Quiet
from nnspec.training.plan import SplitMetricPlan

from .conftest import SQUARES

pytest.importorskip("keras")

NAMES = list(MeanAveragePrecision.model_validate({}).logged())


def records(run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]


def reported(folder, text: str) -> list[tuple[str, str, str]]:
    (folder / "changed.nnspec.yaml").write_text(text)
    found = validate(folder / "changed.nnspec.yaml")
    return [(problem.code, problem.message, problem.help) for problem in found]


def test_each_epoch_has_the_twelve_numbers_of_the_validation_data(run):
    assert len(NAMES) == 12
    assert all(f"val_{name}" in record for record in records(run) for name in NAMES)
    assert not any(name in record for record in records(run) for name in NAMES)


def test_the_best_weights_are_those_of_the_monitored_precision(run):
    values = [record["val_mean_average_precision"] for record in records(run)]
    assert run.info["best"]["value"] == max(values) > 0.02
    assert run.info["best"]["epoch"] == 1 + int(np.argmax(values))


def test_an_evaluation_has_the_numbers_of_the_best_epoch(run):
    found = evaluate(run)
    assert found["mean_average_precision"] == pytest.approx(run.info["best"]["value"], abs=1e-6)
    rows = found["splits"]["mean_average_precision"]["classes"]
    assert [row["class"] for row in rows] == ["red", "green"]
    assert sum(row["boxes"] for row in rows) == 15
    text = evaluation_text(found)
    assert "mean_average_recall_10" in text
    assert "average_precision_50" in text


def test_boxes_and_their_areas_are_in_pixels_of_the_images_as_stored(run, folder):
    from nnspec.training.detection.average_precision import AveragePrecisions
    from nnspec.training.evaluation.split_details import split_details

    [found] = split_details(run, part="validation")
    assert found.details.in_stored_pixels
    written = json.loads((folder / "squares.json").read_text())
    rows = found.examples.rows
    corners = np.full((len(rows), 2, 4), -1.0)
    for place, row in enumerate(rows):
        x, y, w, h = written["annotations"][row]["bbox"]
        corners[place, 0] = x, y, x + w, y + h
    sizes = np.array([[image["width"], image["height"]] * 2 for image in written["images"]])[rows, None]
    average = AveragePrecisions(4, 8)
    seen = found.outputs["boxes"].astype(np.float64) / (16 / sizes)
    average.add(seen, found.outputs["scores"], found.outputs["class"], corners, found.fields["class"], found.fields["crowd"])
    assert found.details.average.numbers == average.result().numbers
    assert average.result().numbers["mean_average_precision_small"] == -1  # no box is as small in its image
    assert evaluate(run)["mean_average_precision"] == average.result().numbers["mean_average_precision"]


def test_the_table_of_epochs_shows_the_main_numbers_only():
    from nnspec.training.loop.metrics_table import short_names
    from nnspec.training.loop.progress import _shown

    shown = _shown({"loss": 1.0, "val_loss": 1.0, **dict.fromkeys([f"val_{name}" for name in NAMES], 0.5)})
    assert list(short_names(list(shown)).values()) == ["loss", "val_loss", "val_map", "val_mar"]


@pytest.mark.parametrize(
    ("old", "new", "message", "help"),
    [
        ("[boxes, scores, class, count]", "[boxes, scores, class, count]", "", ""),
        (
            "boxes: nms.boxes, scores: nms.scores, class: nms.class, count: nms.count}",
            "found: nms.boxes, scores: nms.scores, class: nms.class}",
            "",
            "",
        ),
        (
            ", scores: nms.scores, class: nms.class, count: nms.count}",
            "}",
            "needs a detector, with the outputs `boxes`, `scores` and `class`, and `main` returns `corners`, `kinds`",
            "return those of a `NonMaxSuppression`",
        ),
        ("small: 4, large: 8", "fields: {class: kind}", "reads the field `kind`, which the data have not", "the fields are"),
        (
            "small: 4, large: 8",
            "outputs: {boxes: corner}",
            "reads the output `corner`, which the network has not",
            "did you mean `corners`?",
        ),
        (
            "small: 4, large: 8",
            "outputs: {class: scores}",
            "needs integer classes, and `scores` is (3,)",
            "return boxes (K, 4)",
        ),
        (
            "small: 4, large: 8",
            "fields: {boxes: image}",
            "needs float boxes of shape (K, 4), and `image` is (16, 16, 3)",
            "read rows of boxes",
        ),
    ],
)
def test_what_the_metric_lacks_is_named_with_the_fix(folder, old, new, message, help):
    text = SQUARES.replace(old, new)
    if "found: nms" in new or new == "}":
        text = text.replace("export: {outputs: [boxes, scores, class, count]}\n", "")
    own = [(m, h) for code, m, h in reported(folder, text) if code == "NN525"]
    assert bool(own) == bool(message), own
    if message:
        assert message in own[0][0]
        assert help in own[0][1]


def test_fields_without_boxes_are_reported_with_the_declaration(folder):
    text = SQUARES.replace("  boxes: [2, 4]\n", "  corners: [2, 4]\n").replace("boxes[:, :1]", "corners[:, :1]")
    text = text.replace("    boxes: {column", "    corners: {column")
    text = text.replace("{coco: {annotations: squares.json, images: squares, image_size: [16, 16]}}", "{npz: none.npz}")
    [(_, message, help)] = [each for each in reported(folder, text) if each[0] == "NN525"]
    assert "there is no field `boxes`" in message
    assert "fields: {boxes: …}" in help


def test_without_validation_data_the_metric_is_a_warning(folder):
    text = SQUARES.replace("  validation: 0.25\n", "").replace(
        "  early_stopping: {monitor: val_mean_average_precision, patience: 40}\n", ""
    )
    [(_, message, help)] = [each for each in reported(folder, text) if each[0] == "NN526"]
    assert "computed on validation data" in message
    assert "validation: 0.1" in help


def test_other_metrics_are_errors_in_a_program(folder):
    text = SQUARES.replace("metrics: [{MeanAverage", "metrics: [SparseCategoricalAccuracy, {MeanAverage")
    [(_, _, help)] = [each for each in reported(folder, text) if "metrics" in each[1]]
    assert "`MeanAveragePrecision`" in help


def test_fields_that_only_the_metric_reads_are_used(folder):
    assert not [message for _, message, _ in reported(folder, SQUARES) if "unused" in message]


SUPERVISED = """nnspec: 1
name: supervised
inputs: {image: [4]}
layers:
  - Dense: {units: 8}
    name: corners
  - Reshape: {target_shape: [2, 4]}
    name: boxes
  - Compute: sigmoid(sum(boxes, axis=2, keepdims=true))
    name: sure
  - NonMaxSuppression: {keep: 2}
    from: {boxes: boxes, scores: sure}
    name: nms
outputs: {near: boxes, found: nms.boxes, scores: nms.scores, kind: nms.class}
data:
  train: {npz: a.npz}
  validation: 0.25
  inputs:
    image: {column: image}
  targets:
    near: {column: near}
train:
  epochs: 1
  loss: {near: MeanSquaredError}
  metrics: {found: [MeanAveragePrecision], near: [MeanAbsoluteError]}
"""


def composed(text: str = SQUARES) -> str:
    """The detector whose numbers come from a network of their own, which is what the program trains."""
    layers = text[text.index("  - Flatten:") : text.index("  - Compute:\n      corners")]
    finder = "networks:\n  finder:\n    inputs: {image: [16, 16, 3]}\n    layers:\n" + "".join(
        f"    {line}\n" for line in layers.splitlines()
    )
    text = text.replace(layers, "  - finder:\n    name: numbers\n    from: image\n").replace(
        "inputs:\n", finder + "inputs:\n", 1
    )
    text = text.replace("        - main:\n", "        - finder:\n").replace("of: main", "of: finder")
    corners = "mean(square(reshape(16 * found[:, :4], [B, 1, 4]) - boxes[:, :1]) / 256)"
    text = text.replace("mean(square((found.corners - boxes[:, :1]) / 16))", corners)
    return text.replace("found.kinds[:, 4:]", "found[:, 4:]")


def test_a_detector_that_is_composed_of_trained_networks_is_measured(folder):
    (folder / "composed.nnspec.yaml").write_text(composed())
    run = train(load(folder / "composed.nnspec.yaml"), out=folder / "composed", progress=Quiet())
    assert isinstance(run, Run)
    values = [record["val_mean_average_precision"] for record in records(run)]
    assert run.info["best"]["value"] == max(values) > 0.02
    found = evaluate(run)
    assert found["mean_average_precision"] == pytest.approx(max(values), abs=1e-6)


def test_a_supervised_training_reads_inputs_and_targets(tmp_path):
    random = np.random.default_rng(0)
    columns = {"image": random.random((16, 4)), "near": random.random((16, 2, 4)), "class": np.zeros((16, 2))}
    np.savez(tmp_path / "a.npz", **{name: values.astype(np.float32) for name, values in columns.items()})
    text = SUPERVISED.replace("[MeanAveragePrecision]", "[{MeanAveragePrecision: {fields: {boxes: near, class: class}}}]")
    text = text.replace("inputs: {image: [4]}", "inputs: {image: [4], class: {shape: [2], dtype: int32}}")
    text = text.replace("  - Dense: {units: 8}\n", "  - Dense: {units: 8}\n    from: image\n")
    text = text.replace("outputs: {near", "outputs: {seen: class, near")
    (tmp_path / "a.nnspec.yaml").write_text(text)
    run = train(load(tmp_path / "a.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    [record] = records(run)
    assert record["val_mean_average_precision"] >= 0
    assert "val_near_mean_absolute_error" in record
    assert "mean_average_recall" in evaluate(run)


@dataclass
class Exchange:
    """Processes in threads, which exchange arrays."""

    count: int
    index: int
    barrier: threading.Barrier
    given: list[Any] = field(default_factory=list)

    def gathered(self, array):
        self.given[self.index] = array
        self.barrier.wait()
        found = np.stack(self.given)
        self.barrier.wait()
        return found


class Copies:
    """A network that returns the boxes that it is given."""

    def predict_on_batch(self, inputs):
        boxes = inputs["image"]
        return {"boxes": boxes, "scores": boxes[..., 0] / 100, "class": np.zeros(boxes.shape[:2], np.int32)}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_several_processes_have_the_numbers_of_one(monkeypatch, count):
    from nnspec.training.loop import split_metrics

    random = np.random.default_rng(0)
    start = random.uniform(0, 50, (11, 2, 2))
    true = np.concatenate([start, start + random.uniform(5, 50, start.shape)], -1).astype(np.float32)
    seen = true + random.normal(0, 3, true.shape).astype(np.float32)
    arrays = {"image": seen, "boxes": true, "class": np.zeros((11, 2), np.int32)}
    examples = Examples(arrays, {}, {}, np.arange(11))
    reads = Reads({name: name for name in ("boxes", "scores", "class")}, {"boxes": "boxes", "class": "class"})
    plan = SplitMetricPlan(MeanAveragePrecision.model_validate({}), "main", {"image": "image"}, reads)
    barrier, given, results, local = threading.Barrier(count), [None] * count, {}, threading.local()
    monkeypatch.setattr(split_metrics, "current", lambda: local.group)

    def process(index):
        local.group = Exchange(count, index, barrier, given)
        results[index] = split_metrics.SplitMetrics([plan], lambda: {"main": Copies()}).results(examples, 4)

    threads = [threading.Thread(target=process, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    from nnspec.training.detection.average_precision import AveragePrecisions

    whole = AveragePrecisions()
    whole.add(seen, seen[..., 0] / 100, np.zeros((11, 2), int), true, arrays["class"])
    wanted = list(whole.result().numbers.values())
    assert [list(result.values()) for result in results.values()] == [wanted] * count


def test_batches_that_are_read_on_access_are_read_once_and_ahead():
    from nnspec.data.lazy import LazyArray
    from nnspec.training.loop import split_metrics

    boxes = np.tile(np.array([1.0, 1, 9, 9], np.float32), (11, 2, 1))
    read, predicted = [], []

    def made(rows):
        read.append(rows.tolist())
        return boxes[rows]

    class Watching(Copies):
        def predict_on_batch(self, inputs):
            predicted.append(len(inputs["image"]))
            return super().predict_on_batch(inputs)

    arrays = {"image": LazyArray(11, made), "boxes": boxes, "class": np.zeros((11, 2), np.int32)}
    reads = Reads({name: name for name in ("boxes", "scores", "class")}, {"boxes": "boxes", "class": "class"})
    plan = SplitMetricPlan(MeanAveragePrecision.model_validate({}), "main", {"image": "image"}, reads)
    examples = Examples(arrays, {}, {}, np.arange(11))
    assert examples.is_read_on_access
    found = split_metrics.SplitMetrics([plan], lambda: {"main": Watching()}).results(examples, 4)
    assert found["mean_average_precision"] == pytest.approx(1.0)
    assert predicted == [4, 4, 3]
    assert sorted(row for rows in read[1:] for row in rows) == list(range(11))


def test_fields_of_boxes_have_any_names(folder):
    text = SQUARES.replace("  boxes: [2, 4]\n", "  places: [2, 4]\n").replace("boxes[:, :1]", "places[:, :1]")
    text = text.replace("    boxes: {column", "    places: {column")
    text = text.replace("  class: {shape", "  kind: {shape").replace("    class: {column", "    kind: {column")
    text = (
        text.replace("class[:, 0]", "kind[:, 0]")
        .replace("  crowd: {shape", "  group: {shape")
        .replace("    crowd: {", "    group: {")
    )
    assert reported(folder, text) == []
