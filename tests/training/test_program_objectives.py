"""Objectives that are files: each that comes with the package fits a network, and one of a document equals its program."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.api import validate
from nnspec.reference.objectives import objective_text
from nnspec.spec import load
from nnspec.spec.objectives import shipped_objectives
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

HEAD = "nnspec: 1\nname: net\n"
CLASSES = (
    "inputs: {image: [4, 4, 1], digit: {shape: [], dtype: int32}}\nlayers:\n  - Flatten:\n    from: image\n"
    "  - Dense: {units: 4}\n    name: logits\ndata: {train: {npz: a.npz}}\n"
)
TEACHER = "networks:\n  teacher:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, {Dense: {units: 4}}]\n"
DENOISER = (
    "networks:\n  denoiser:\n    inputs: {image: [4, 4, 1], t: {shape: [], dtype: int32}}\n    layers:\n"
    "      - Embedding: {input_dim: 10, output_dim: 16}\n        from: t\n      - Reshape: {target_shape: [4, 4, 1]}\n"
    "      - Add:\n        from: [image, reshape]\n      - Conv2D: {filters: 1, kernel_size: 3, padding: same}\n"
    "inputs: {image: [4, 4, 1]}\ndata: {train: {npz: a.npz}}\n"
)
WORDS = (
    "networks:\n  center:\n    inputs: {token: {shape: [], dtype: int32}}\n    layers: [{Embedding: {input_dim: 9, output_dim: 4}}]\n"
    "  around:\n    inputs: {tokens: {shape: [N], dtype: int32}}\n    layers: [{Embedding: {input_dim: 9, output_dim: 4}}]\n"
    "inputs: {words: {shape: [5], dtype: int32}}\ndata: {train: {npz: a.npz}}\nexport: {network: center}\n"
)
DETECTOR = (
    "networks:\n  detector:\n    inputs: {image: [H, W, 1]}\n    layers:\n"
    "      - {Conv2D: {filters: 8, kernel_size: 4, strides: 4, activation: relu}, name: map}\n"
    "      - {Conv2D: {filters: 4, kernel_size: 1, activation: softplus}, from: map, name: edges}\n"
    "      - {Reshape: [-1, 4], name: regression}\n"
    "      - {Conv2D: {filters: 3, kernel_size: 1}, from: map, name: scores}\n      - {Reshape: [-1, 3], name: logits}\n"
    "      - {AnchorBoxes: {sizes: [4], stride: 4}, from: map, name: anchors}\n"
    "    outputs: {anchors: anchors, regression: regression, logits: logits}\n"
    "inputs: {image: [16, 16, 1], boxes: [3, 4], class: {shape: [3], dtype: int32}}\nlayers:\n"
    "  - {detector: {}, from: image, name: found}\n"
    "  - {DecodeBoxes: distances, from: {x: found.regression, anchors: found.anchors}, name: decoded}\n"
    "  - {NonMaxSuppression: {keep: 5}, from: {boxes: decoded, scores: found.logits}, name: best}\n"
    "outputs: {boxes: best.boxes, scores: best.scores, class: best.class}\ndata: {train: {npz: boxes.npz}}\n"
)
SPECS = {
    "detection": DETECTOR
    + "train:\n  objective: {detection: {network: detector, input: image, boxes: boxes, label: class, match: center, by: distances}}\n"
    "  epochs: 1\n",
    "diffusion": DENOISER + "train: {objective: {diffusion: {network: denoiser, input: image, steps: 10}}, epochs: 1}\n",
    "distillation": TEACHER
    + CLASSES
    + "train: {objective: {distillation: {teacher: teacher, input: image, label: digit}}, epochs: 1}\n",
    "mean_teacher": CLASSES + "train: {objective: {mean_teacher: {input: image, label: digit}}, epochs: 1}\n",
    "skip_gram": WORDS
    + "train: {objective: {skip_gram: {center: center, around: around, words: words, reach: 2}}, epochs: 1}\n",
    "triplet": CLASSES + "train: {objective: {triplet: {input: image, label: digit}}, epochs: 1}\n",
}
"""A small training with each objective that comes with the package."""

_BODY = """    draw: {{noise: {{normal: {image}}}}}
    layers:
      - Compute: {read} + {deviation} * noise
        name: noisy
      - {network}:
        from: noisy
        name: restored
      - Compute: square(restored - {read})
        name: loss
    minimize: [{{loss: loss, of: {network}}}]
"""
NETWORK = (
    "networks:\n  restorer:\n    inputs: {x: [4, 4, 1]}\n    layers: [{Conv2D: {filters: 1, kernel_size: 3, padding: same}}]\n"
    "inputs: {image: [4, 4, 1]}\ndata: {train: {npz: a.npz}}\n"
)
PARAMS = "    params: {network: network, input: field, deviation: {default: 0.1, type: float}}\n"
OBJECTIVES = (
    "objectives:\n  denoising:\n"
    + PARAMS
    + _BODY.format(image="$input", read="${input}", deviation="deviation", network="$network")
)
USED = "train: {objective: {denoising: {network: restorer, input: image, deviation: 0.3}}, epochs: 2}\n"
WRITTEN = "train:\n  epochs: 2\n  objective:\n   program:\n" + _BODY.format(
    image="image", read="image", deviation="0.3", network="restorer"
)


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(0)
    arrays = {"image": draw.uniform(size=(40, 4, 4, 1)).astype(np.float32), "digit": draw.integers(0, 4, 40).astype(np.int32)}
    boxes, kind = np.full((40, 3, 4), -1, np.float32), np.full((40, 3), -1, np.int32)
    boxes[:, :2], kind[:, :2] = [[1, 2, 9, 10], [6, 3, 15, 15]], draw.integers(0, 3, (40, 2))
    images = draw.uniform(size=(40, 16, 16, 1)).astype(np.float32)
    np.savez(tmp_path / "boxes.npz", **{"image": images, "boxes": boxes, "class": kind})
    np.savez(tmp_path / "a.npz", words=draw.integers(1, 9, (40, 5)).astype(np.int32), **arrays)
    return tmp_path


def written(folder, text: str, name: str = "net"):
    file = folder / f"{name}.nnspec.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def test_each_objective_of_the_package_has_a_training_here():
    assert sorted(SPECS) == sorted(shipped_objectives())


@pytest.mark.parametrize("name", SPECS)
def test_each_objective_of_the_package_fits_its_networks_and_data(folder, name):
    assert [problem for problem in validate(written(folder, SPECS[name])) if problem.is_error] == []
    assert objective_text(name) is not None


def test_an_error_in_a_network_is_not_repeated_for_its_use_in_a_program(folder):
    text = SPECS["diffusion"].replace("{target_shape: [4, 4, 1]}", "{target_shape: [4, 5, 1]}")
    problems = validate(written(folder, text))
    assert [problem.code for problem in problems if problem.is_error] == ["NN301"]


@pytest.mark.parametrize(("match", "by"), [("iou", "offsets"), ("grid", "offsets")])
def test_a_detector_is_matched_in_three_ways(folder, match, by):
    text = SPECS["detection"].replace("match: center, by: distances", f"match: {match}, by: {by}, box_loss: CIoU")
    assert [problem for problem in validate(written(folder, text)) if problem.is_error] == []


def test_a_detection_loss_needs_outputs_of_four_numbers_for_each_anchor(folder):
    text = SPECS["detection"].replace("[-1, 4], name: regression", "[-1, 2], name: regression")
    [problem] = [problem for problem in validate(written(folder, text)) if problem.is_error][:1]
    assert "DecodeBoxes takes rows of 4 numbers, (rows, 4) or (rows, classes, 4), as `x`" in problem.message


def graded(text: str, arguments: str) -> str:
    """The detector with an output `quality`, all of whose convolutions are 0 at first, and with arguments of the objective."""
    head = "      - {Conv2D: {filters: 1, kernel_size: 1}, from: map, name: sure}\n      - {Reshape: [-1], name: quality}\n"
    text = text.replace("      - {AnchorBoxes", head + "      - {AnchorBoxes")
    text = text.replace("outputs: {anchors: anchors,", "outputs: {quality: quality, anchors: anchors,")
    text = text.replace("kernel_size: 1", "kernel_size: 1, kernel_initializer: zeros")
    text = text.replace(
        "class: {shape: [3], dtype: int32}}", "class: {shape: [3], dtype: int32}, crowd: {shape: [3], dtype: int32}}"
    )
    text = text.replace("epochs: 1\n", "epochs: 1\n  batch_size: 40\n  optimizer: {SGD: {learning_rate: 0.000001}}\n")
    return text.replace("by: distances}", f"by: distances, {arguments}}}")


def first_record(folder, text: str) -> dict:
    pytest.importorskip("keras")
    return train(load(written(folder, text)), out=folder / "run", progress=Quiet()).metrics()[0]


def giou(a, b) -> float:
    inner = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner
    hull = np.prod(np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2]))
    return inner / union - (hull - union) / hull


@pytest.mark.parametrize("quality", ["centerness", "iou"])
def test_the_quality_of_boxes_is_learned_and_centerness_weights_their_loss(folder, quality):
    box = np.array([1.0, 2, 15, 10])
    arrays = {"boxes": np.full((40, 3, 4), -1.0), "class": np.full((40, 3), -1), "crowd": np.zeros((40, 3))}
    arrays["boxes"][:, 0], arrays["class"][:, 0] = box, 1
    images = np.zeros((40, 16, 16, 1), np.float32)
    arrays = {name: array.astype("float32" if name == "boxes" else "int32") for name, array in arrays.items()}
    np.savez(folder / "boxes.npz", image=images, **arrays)
    text = graded(SPECS["detection"], f"quality: {quality}, radius: 3, scales: [0, 100]")
    record = first_record(folder, text)
    assert record["quality"] == pytest.approx(np.log(2), rel=1e-4)
    weights, losses = [], []
    for y, x in np.ndindex(4, 4):
        middle, half = np.array([4 * x + 2, 4 * y + 2]), 4 * np.log(2)
        before, after = middle - box[:2], box[2:] - middle
        if min(*before, *after) > 0 and np.abs(middle - [8, 6]).max() <= 12:
            near = np.minimum(before, after) / np.maximum(before, after)
            weights.append(np.sqrt(np.prod(near)) if quality == "centerness" else 1)
            losses.append(1 - giou(np.concatenate([middle - half, middle + half]), box))
    assert record["boxes"] == pytest.approx(np.average(losses, weights=weights), rel=1e-3)
    assert record["loss"] == pytest.approx(record["classes"] + record["boxes"] + record["quality"], rel=1e-5)


@pytest.mark.parametrize(("crowd", "is_learned"), [(0, True), (1, False)])
def test_a_crowd_matches_no_anchor_and_is_no_background(folder, crowd, is_learned):
    draw = np.random.default_rng(0)
    images = draw.uniform(size=(40, 16, 16, 1)).astype(np.float32)
    boxes, kind = np.full((40, 3, 4), -1, np.float32), np.full((40, 3), -1, np.int32)
    boxes[:, 0], kind[:, 0] = [0, 0, 16, 16], 1
    np.savez(
        folder / "boxes.npz", **{"image": images, "boxes": boxes, "class": kind, "crowd": np.full((40, 3), crowd, np.int32)}
    )
    record = first_record(folder, graded(SPECS["detection"], "crowd: crowd"))
    assert (record["loss"] > 0) == is_learned
    assert "quality" not in record


@pytest.mark.parametrize(
    ("arguments", "code", "message", "path"),
    [
        ("quality: centerness", "NN226", "`predicted` has no output `quality`", "objectives.detection"),
        ("quality: good", "NN105", "`quality` must be one of `centerness`, `iou`", "train.objective.detection.quality"),
        ("crowd: crowds", "NN105", "`crowd` names `crowds`, which is not a field", "train.objective.detection.crowd"),
        ("crowd: image", "NN301", "MatchBoxes takes integers as `crowd`, got float32", "objectives.detection"),
    ],
)
def test_a_wrong_crowd_or_quality_is_reported_with_the_place_of_its_use(folder, arguments, code, message, path):
    text = SPECS["detection"].replace("by: distances}", f"by: distances, {arguments}}}")
    [problem] = [problem for problem in validate(written(folder, text)) if problem.is_error]
    assert problem.code == code
    assert message in problem.message
    assert problem.path.startswith(path)
    assert any(note.span is not None and note.span.file.endswith("net.nnspec.yaml") for note in problem.notes) or (
        problem.span.file.endswith("net.nnspec.yaml")
    )


def test_a_null_param_with_the_default_null_is_not_given(folder):
    text = SPECS["detection"].replace("by: distances}", "by: distances, quality: null, crowd: null}")
    assert [problem for problem in validate(written(folder, text)) if problem.is_error] == []


@pytest.mark.parametrize("name", ["detection", "mean_teacher", "skip_gram"])
def test_an_objective_of_the_package_trains(folder, name):
    pytest.importorskip("keras")
    run = train(load(written(folder, SPECS[name])), out=folder / "run", progress=Quiet())
    assert all(np.isfinite(array).all() for array in run.weights().values())


@pytest.mark.parametrize(("predicts", "loss"), [("noise", 1.0), ("velocity", "signal")])
def test_diffusion_asks_for_the_noise_or_for_the_velocity(folder, predicts, loss):
    pytest.importorskip("keras")
    np.savez(folder / "a.npz", image=np.zeros((4000, 4, 4, 1), np.float32))  # its velocity is the scaled noise
    text = SPECS["diffusion"].replace("padding: same}", "padding: same, kernel_initializer: zeros}")
    text = text.replace("steps: 10}", f"steps: 10, last: 0.9, predicts: {predicts}}}").replace(
        "epochs: 1}", "epochs: 1, optimizer: {SGD: {learning_rate: 1e-9}}}"
    )
    signal = np.cumprod(1 - np.linspace(1e-4, 0.9, 10))
    run = train(load(written(folder, text)), out=folder / "run", progress=Quiet())
    assert run.metrics()[-1]["loss"] == pytest.approx(signal.mean() if loss == "signal" else loss, abs=0.02)


def test_an_objective_of_the_document_or_of_a_used_file_equals_the_program_that_it_stands_for(folder):
    pytest.importorskip("keras")
    written(folder, OBJECTIVES, "own")
    texts = {
        "program": NETWORK + WRITTEN,
        "own": NETWORK + OBJECTIVES + USED,
        "used": "use: [own.nnspec.yaml]\n" + NETWORK + USED,
    }
    weights = [
        train(load(written(folder, text, f"net_{name}")), out=folder / name, progress=Quiet()).weights()
        for name, text in texts.items()
    ]
    for other in weights[1:]:
        assert {name: (other[name] != array).any() for name, array in weights[0].items()} == dict.fromkeys(weights[0], False)


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("network: restorer", "network: restorr", "NN105", "train.objective.denoising.network"),
        ("input: image,", "input: imag,", "NN105", "train.objective.denoising.input"),
        ("input: image, ", "", "NN104", "train.objective"),
        ("deviation: 0.3", "deviation: much", "NN105", "train.objective.denoising.deviation"),
        ("deviation: 0.3", "deviaton: 0.3", "NN103", "train.objective.denoising.deviaton"),
    ],
)
def test_a_wrong_use_of_an_objective_is_reported_at_its_place(folder, old, new, code, path):
    text = NETWORK + OBJECTIVES + USED
    assert old in text
    found = [(problem.code, problem.path) for problem in validate(written(folder, text.replace(old, new))) if problem.is_error]
    assert (code, path) in found, found
    assert len(found) == 1, found


def test_an_input_for_one_token_takes_the_vocabulary_of_a_field_of_windows(folder):
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run
    from nnspec.runtime.predicting import predict_file

    (folder / "a.csv").write_text("text\n" + "the king and the queen walk\n" * 8, encoding="utf-8")
    (folder / "new.csv").write_text("text\nqueen\n", encoding="utf-8")
    text = SPECS["skip_gram"].replace(
        "data: {train: {npz: a.npz}}",
        "data: {train: {csv: a.csv}, inputs: {words: {column: text, transform: [tokenize]}}, window: {of: words, length: 5}}",
    )
    text = text.replace("{network: center}", "{network: center, inputs: {token: words}}")
    run = train(load(written(folder, text)), out=folder / "run", progress=Quiet())
    export_run(run.path, folder / "a.onnx")
    [vectors] = predict_file(folder / "a.onnx", str(folder / "new.csv")).outputs.values()
    vocabulary = run.recipe()["inputs"]["words"]["transforms"][0]["learned"]["vocabulary"]
    [table] = [array for name, array in run.weights().items() if name.startswith("center/")]
    np.testing.assert_allclose(vectors[0], table[vocabulary.index("queen")], atol=1e-6)
