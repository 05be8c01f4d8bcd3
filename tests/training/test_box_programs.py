"""Programs with matching, sampling and features of regions: what a gradient passes, and a detector of two stages."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.api import validate
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

FIELDS = "inputs: {image: [16, 16, 1], boxes: [3, 4], class: {shape: [3], dtype: int32}}\ndata: {train: {npz: a.npz}}\n"
TWO_STAGES = """
nnspec: 1
name: two
networks:
  proposer:
    inputs: {image: [H, W, 1]}
    layers:
      - {Conv2D: {filters: 8, kernel_size: 4, strides: 4, activation: relu}, name: map}
      - {Conv2D: {filters: 4, kernel_size: 1}, from: map, name: moved}
      - {Reshape: [-1, 4], name: offsets}
      - {Conv2D: {filters: 1, kernel_size: 1}, from: map, name: chance}
      - {Reshape: [-1], name: logits}
      - {AnchorBoxes: {sizes: [8], stride: 4}, from: map, name: anchors}
      - {DecodeBoxes: offsets, from: {x: offsets, anchors: anchors}, name: decoded}
      - {NonMaxSuppression: {keep: 6, score: -100.0, iou: 0.7}, from: {boxes: decoded, scores: logits}, name: best}
    outputs: {map: map, offsets: offsets, logits: logits, anchors: anchors, boxes: best.boxes}
  head:
    inputs: {regions: [N, 2, 2, 8]}
    layers: [{Reshape: [-1, 32]}, {Dense: {units: 4}}]
"""
PROGRAM = """train:
  epochs: 2
  batch_size: 8
  objective:
    program:
      layers:
        - proposer:
          from: image
          name: p
        - MatchBoxes: {foreground: 0.4, background: 0.2}
          from: {anchors: p.anchors, boxes: boxes}
          name: seen
        - EncodeBoxes:
          from: {boxes: seen.boxes, anchors: p.anchors}
          name: wanted
        - Huber: {delta: 0.1}
          from: {target: wanted, output: p.offsets}
          name: moved
        - Concatenate: {axis: 1}
          from: [p.boxes, boxes]
          name: candidates
        - MatchBoxes: {keep_best: false, background: 0.5}
          from: {anchors: candidates, boxes: boxes, class: class}
          name: assigned
        - SampleProposals: {count: 6, share: 0.5}
          from: {boxes: candidates, class: assigned.class}
          name: chosen
        - RoIAlign: {size: 2, stride: 4}
          from: {x: p.map, boxes: chosen.boxes}
          name: regions
        - head:
          from: regions
          name: classified
        - Compute:
            found: cast(seen.class >= 0, 'float32')
            proposals: mean(softplus(where(seen.class >= 0, -p.logits, p.logits)) * seen.weight) + mean(moved * found)
            kind: where(chosen.class >= 0, chosen.class, 3)
            right: sum(one_hot(kind, 4) * log_softmax(classified), axis=2)
            loss: proposals - mean(where(chosen.class == -2, 0.0, right))
          name: both
      minimize: [{loss: both.loss, of: [proposer, head]}]
"""


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    boxes, kind = np.full((24, 3, 4), -1, np.float32), np.full((24, 3), -1, np.int32)
    boxes[:, :2], kind[:, :2] = [[1, 2, 9, 10], [6, 3, 15, 15]], draw.integers(0, 3, (24, 2))
    image = draw.uniform(size=(24, 16, 16, 1)).astype(np.float32)
    np.savez(tmp_path / "a.npz", **{"image": image, "boxes": boxes, "class": kind})
    return tmp_path


def written(folder, text: str):
    file = folder / "a.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_detector_of_two_stages_trains(folder):
    pytest.importorskip("keras")
    file = written(folder, TWO_STAGES.lstrip() + FIELDS + PROGRAM)
    assert [problem for problem in validate(file) if problem.is_error] == []
    run = train(load(file), out=folder / "run", progress=Quiet())
    before, after = (row["loss"] for row in run.metrics())
    assert after < before


UNREAD = """nnspec: 1
name: unread
blocks:
  both:
    inputs: {x: [H, W, C]}
    layers:
      - {ZeroPadding2D: {padding: 1}, name: wide}
      - {AveragePooling2D: {pool_size: 2}, from: x, name: narrow}
    outputs: {wide: wide, narrow: narrow}
networks:
  net:
    inputs: {x: [8, 8, 1], other: [8, 8, 1]}
    layers:
      - {Conv2D: {filters: 1, kernel_size: 1}, from: x, name: first}
      - {Conv2D: {filters: 1, kernel_size: 1}, from: other, name: second}
    outputs: {first: first, second: second}
inputs: {image: [16, 16, 1]}
data: {train: {npz: a.npz}}
train:
  epochs: 1
  objective:
    program:
      layers:
        - both:
          from: image
          name: sizes
        - MaxPooling2D: {pool_size: 2}
          from: image
          name: only_for_the_unread_output
        - net:
          from: {x: sizes.narrow, other: only_for_the_unread_output}
          name: answer
        - Compute: square(answer.first)
          name: loss
      minimize: [{loss: loss, of: net}]
"""


def test_a_step_may_have_outputs_that_nothing_reads(folder):
    pytest.importorskip("keras")
    run = train(load(written(folder, UNREAD)), out=folder / "run", progress=Quiet())
    assert np.isfinite(run.metrics()[0]["loss"])


MATCHED_ALONE = """train:
  epochs: 1
  objective:
    program:
      layers:
        - proposer:
          from: image
          name: p
        - MatchBoxes:
          from: {anchors: p.boxes, boxes: boxes}
          name: seen
        - Compute: mean(seen.boxes)
          name: loss
      minimize: [{loss: loss, of: proposer}]
"""


def test_a_loss_of_matched_boxes_alone_trains_nothing_which_is_reported(folder):
    problems = validate(written(folder, TWO_STAGES.lstrip() + FIELDS + MATCHED_ALONE))
    assert "no gradient connects the loss `loss` to the weights of `proposer`" in [problem.message for problem in problems]


OF_CLASSES = """
nnspec: 1
name: of_classes
networks:
  head:
    inputs: {regions: [N, 2, 2, 1]}
    layers:
      - {Reshape: [-1, 4], name: flat}
      - {Dense: {units: 4}, name: logits, from: flat}
      - {Dense: {units: 12}, name: moves, from: flat}
      - {Reshape: [-1, 3, 4], name: offsets}
    outputs: {logits: logits, offsets: offsets}
inputs: {image: [16, 16, 1], proposals: [5, 4], boxes: [3, 4], class: {shape: [3], dtype: int32}}
layers:
  - {RoIAlign: {size: 2}, from: {x: image, boxes: proposals}, name: regions}
  - {head: {}, name: predicted}
  - {DecodeBoxes: {variance: [0.1, 0.1, 0.2, 0.2]}, from: {x: predicted.offsets, anchors: proposals}, name: decoded}
  - {ClipBoxes: {}, from: {boxes: decoded, image: image}, name: clipped}
  - {Compute: "softmax(predicted.logits, axis=2)[:, :, :-1]", name: scores}
  - {NonMaxSuppression: {keep: 8, iou: 0.3}, from: {boxes: clipped, scores: scores}, name: found}
outputs: {boxes: found.boxes, scores: found.scores, class: found.class, count: found.count}
data: {train: {npz: a.npz}}
train:
  epochs: 2
  batch_size: 8
  objective:
    program:
      layers:
        - MatchBoxes: {foreground: 0.3, background: 0.3, keep_best: false}
          from: {anchors: proposals, boxes: boxes, class: class}
          name: matched
        - EncodeBoxes: {variance: [0.1, 0.1, 0.2, 0.2]}
          from: {boxes: matched.boxes, anchors: proposals}
          name: wanted
        - RoIAlign: {size: 2}
          from: {x: image, boxes: proposals}
          name: regions
        - head:
          from: regions
          name: predicted
        - Compute:
            kind: where(matched.class == -1, 3, matched.class)
            own: sum(predicted.offsets * expand_dims(one_hot(matched.class, 3), 3), axis=2)
          name: of_class
        - Huber:
          from: {target: wanted, output: of_class.own}
          name: away
        - SparseCategoricalCrossentropy: {from_logits: true, ignore_class: -2}
          from: {target: of_class.kind, output: predicted.logits}
          name: confused
        - Compute: mean(confused) + sum(away * cast(matched.class >= 0, 'float32')) / B
          name: loss
      minimize: [{loss: loss, of: head}]
"""


@pytest.fixture
def proposed(tmp_path):
    draw = np.random.default_rng(0)
    low = draw.uniform(0, 8, (16, 5, 2))
    proposals = np.concatenate([low, low + draw.uniform(3, 8, low.shape)], -1)
    boxes = np.where(np.arange(3)[:, None] < 2, proposals[:, :3] + draw.normal(0, 0.3, (16, 3, 4)), -1)
    arrays = {"image": draw.uniform(size=(16, 16, 16, 1)), "proposals": proposals, "boxes": boxes}
    kind = np.where(np.arange(3) < 2, draw.integers(0, 3, (16, 3)), -1).astype(np.int32)
    np.savez(tmp_path / "a.npz", **{name: values.astype(np.float32) for name, values in arrays.items()}, **{"class": kind})
    return tmp_path


def test_a_detector_with_boxes_of_each_class_trains_and_is_exported(proposed):
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run

    (proposed / "net.nnspec.yaml").write_text(OF_CLASSES)
    assert validate(proposed / "net.nnspec.yaml") == []
    run = train(load(proposed / "net.nnspec.yaml"), out=proposed / "run", progress=Quiet())
    assert np.isfinite(run.metrics()[-1]["loss"])
    assert export_run(run, proposed / "a.onnx").agrees


@pytest.mark.parametrize("given", ["matched.class", "chosen.class"])
@pytest.mark.parametrize(("ignored", "rest"), [("", "−1 and −2"), (", ignore_class: -1", "−2"), (", ignore_class: -2", "−1")])
def test_classes_with_background_as_the_target_of_a_loss_of_classes_are_an_error(proposed, given, ignored, rest):
    sampled = "        - SampleProposals: {count: 5}\n          from: {boxes: proposals, class: matched.class}\n          name: chosen\n"
    text = OF_CLASSES.replace("from_logits: true, ignore_class: -2", f"from_logits: true{ignored}")
    text = text.replace("target: of_class.kind", f"target: {given}").replace(
        "        - EncodeBoxes", sampled + "        - EncodeBoxes"
    )
    (proposed / "net.nnspec.yaml").write_text(text)
    [problem] = [problem for problem in validate(proposed / "net.nnspec.yaml") if problem.is_error]
    assert problem.code == "NN567"
    assert f"reads `{given}`, whose {rest} are no classes of `SparseCategoricalCrossentropy`" in problem.message
    assert f"`Compute: maximum({given}, -1)` and `ignore_class: -1`" in problem.help
