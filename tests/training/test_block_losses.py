"""Lists of losses, blocks of the document as losses and metrics, and loss weights that change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.spec import load
from nnspec.training import evaluate, resume, train
from nnspec.training.loop.progress import Quiet

keras = pytest.importorskip("keras")

MASKS = """nnspec: 1
name: masks
blocks:
  soft_dice:
    params: {smooth: 1.0}
    inputs: [target, output]
    layers:
      - Compute:
          both: sum(target * output, axis=[1, 2, 3])
          loss: 1 - (2 * both + smooth) / (sum(target, axis=[1, 2, 3]) + sum(output, axis=[1, 2, 3]) + smooth)
        name: dice
    outputs: {loss: dice.loss}
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu}
  - Conv2D: {filters: 1, kernel_size: 1, activation: sigmoid}
    name: mask
data: {train: {npz: masks.npz}, validation: 0.25}
train:
  epochs: 3
  batch_size: 8
  optimizer: {Adam: {learning_rate: 3e-2}}
  loss: {mask: [BinaryCrossentropy, {soft_dice: {smooth: 2}, weight: 0.5}]}
  metrics: {mask: [BinaryCrossentropy, {soft_dice: {smooth: 2}}]}
"""


def masks(folder: Path) -> None:
    mask = (np.random.default_rng(0).random((32, 8, 8, 1)) > 0.7).astype(np.float32)
    image = mask + np.random.default_rng(1).normal(0, 0.3, mask.shape).astype(np.float32)
    np.savez(folder / "masks.npz", image=image, mask=mask)


def trained(folder: Path, text: str, *overrides: str, out: str = "run"):
    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    return train(load(folder / "net.nnspec.yaml", overrides), out=folder / out, progress=Quiet())


def test_a_list_of_losses_is_their_weighted_sum_and_a_block_is_a_loss_and_a_metric(tmp_path):
    masks(tmp_path)
    run = trained(tmp_path, MASKS)
    losses = [record["loss"] for record in run.metrics()]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    for record in run.metrics():
        whole = record["mask_binary_crossentropy"] + 0.5 * record["mask_soft_dice"]
        assert record["loss"] == pytest.approx(whole, rel=1e-4)
        assert {"val_loss", "val_mask_soft_dice"} <= record.keys()
    assert evaluate(run)["mask_soft_dice"] == pytest.approx(min(r["val_mask_soft_dice"] for r in run.metrics()), rel=0.05)


VAE = """nnspec: 1
name: vae
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 4}
    name: mean
  - Dense: {units: 4}
    name: log_variance
    from: flatten
  - Sampling: {return_divergence: true}
    name: code
    from: {mean: mean, log_variance: log_variance}
  - Dense: {units: 64, activation: sigmoid}
    from: code.output
  - Reshape: {target_shape: [8, 8, 1]}
    name: restored
outputs: {image: restored, divergence: code.divergence}
data: {train: {builtin: digits}, validation: 0.5}
train:
  objective: {autoencoder: {restores: {image: image}}}
  batch_size: 128
  steps: 20
  loss: {image: BinaryCrossentropy, divergence: Value}
  loss_weights:
    image: 64
    divergence: {PolynomialDecay: {initial_learning_rate: 0, end_learning_rate: 1, decay_steps: 16}}
"""


def test_a_loss_weight_follows_a_schedule_by_step_and_is_logged_and_resumed(tmp_path):
    whole = trained(tmp_path, VAE)
    records = whole.metrics()
    assert [record["divergence_loss_weight"] for record in records] == pytest.approx([8 / 16, 1, 1])
    for record in records:  # validation has the weight of the last step
        assert record["val_loss"] == pytest.approx(64 * record["val_image_loss"] + record["val_divergence_loss"], rel=1e-4)
    assert records[0]["loss"] < 64 * records[0]["image_loss"] + records[0]["divergence_loss"]
    spec = load(tmp_path / "net.nnspec.yaml")
    count = iter(range(100))
    half = train(spec, out=tmp_path / "half", progress=Quiet(), stop=lambda: next(count) >= 0)
    assert half.info["status"] == "interrupted"
    again = resume(half.path, progress=Quiet())
    for name, value in whole.weights().items():
        assert np.array_equal(again.weights()[name], value), name


WEIGHTED = """nnspec: 1
name: weighted
blocks:
  squared:
    inputs: {target: {shape: [T, 1]}, output: [T, 1], scale: [T]}
    layers:
      - Compute: scale * square(squeeze(target - output, 2))
    outputs: [compute]
inputs: {x: [T], scale: [T]}
layers:
  - Reshape: {target_shape: [-1, 1]}
    from: x
  - Masking
  - LSTM: {units: 3, return_sequences: true}
  - Dense: {units: 1}
    name: y
outputs: [y]
data:
  train: {npz: rows.npz}
  targets: {y: {column: y, weight: importance}}
train: {epochs: 1, batch_size: 6, loss: {y: [MeanSquaredError, squared]}, metrics: {y: [squared]}}
"""


def test_weights_of_positions_multiply_the_values_and_masked_positions_do_not_count(tmp_path):
    draw = np.random.default_rng(3)
    x, y, importance = draw.normal(size=(3, 6, 5)).astype(np.float32)
    x[:, 3:] = np.where(draw.random((6, 2)) > 0.5, x[:, 3:], 0)
    importance = np.abs(importance)
    scale = draw.random((6, 5)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=x, y=y, importance=importance, scale=scale)
    run = trained(tmp_path, WEIGHTED)
    metrics = evaluate(run)
    from nnspec.training.evaluation.evaluate import trained_model

    predicted = np.asarray(trained_model(run)({"x": x, "scale": scale})["y"])[..., 0]
    valid = (x != 0).astype(np.float32)
    squared = (y - predicted) ** 2
    expected = (valid * importance * squared * (1 + scale)).sum() / valid.sum()
    assert metrics["loss"] == pytest.approx(expected, rel=1e-4)
    assert metrics["y_squared"] == pytest.approx((valid * squared * scale).sum() / valid.sum(), rel=1e-4)


LABELS = """nnspec: 1
name: rule
blocks:
  perceptron:                                   # the gradient of this loss is the perceptron's update
    inputs: {target: {shape: [], dtype: int32}, output: [3]}
    layers:
      - Compute:
          wrong: cast(argmax(output, axis=1) != target, 'float32')
          scores: sum(one_hot(target, 3) * output, axis=1)
          loss: stop_gradient(wrong) * (max(output, axis=1) - scores)
        name: criterion
    outputs: {loss: criterion.loss}
inputs: {facts: [4]}
layers:
  - Dense: {units: 3}
    name: kind
  - Dense: {units: 3, activation: softmax}
    name: other
outputs: [kind, other]
data:
  train: {builtin: iris}
  inputs: {facts: {columns: [sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)]}}
  targets: {kind: {column: target}, other: {column: target}}
train:
  epochs: 4
  batch_size: 10
  optimizer: {SGD: {learning_rate: 0.02}}
  loss: {kind: perceptron}
  metrics: {kind: [SparseCategoricalAccuracy, perceptron], other: [SparseCategoricalAccuracy]}
  early_stopping: {monitor: kind_perceptron, mode: min, patience: 9}
"""


def test_a_block_states_the_type_of_its_target_and_an_output_without_a_loss_has_metrics(tmp_path):
    run = trained(tmp_path, LABELS)
    records = run.metrics()
    assert records[-1]["loss"] < records[0]["loss"]
    assert records[-1]["kind_perceptron"] == pytest.approx(records[-1]["loss"], rel=1e-4)
    assert {"kind_sparse_categorical_accuracy", "other_sparse_categorical_accuracy"} <= records[0].keys()
    assert "other_loss" not in records[0]


NET = """inputs: {x: [T, 4], z: [2]}
layers:
  - Dense: {units: 3}
    name: y
    from: x
  - Dense: {units: 2}
    name: z2
    from: z
outputs: {y: y, z2: z2}
"""


@pytest.mark.parametrize(
    ("block", "loss", "code", "words"),
    [
        ("inputs: [target, output], layers: [{Compute: 'square(target - output)'}]", "own", None, ""),
        ("inputs: [target, output, z], layers: [{Compute: 'mean(square(target - output), axis=[1, 2]) + sum(z, axis=1)'}]",
         "own", None, ""),
        ("inputs: [output, target, w], layers: [{Compute: 'square(target - output)'}]", "own", "NN520", "reads `w`"),
        ("inputs: [output], layers: [{Compute: 'square(output)'}]", "own", None, ""),
        ("inputs: [output], layers: [{Compute: 'square(output)'}]", "[MeanSquaredError, own]", None, ""),
        ("inputs: [target], layers: [{Compute: 'square(target)'}]", "own", "NN520", "no input `output`"),
        ("inputs: [target, output], layers: [{Dense: {units: 3}, from: output}]", "own", "NN520", "has weights"),
        ("inputs: [target, output], layers: [{Compute: 'sum(target - output, axis=1)'}]", "own", "NN520", "leading axes"),
        ("inputs: [target, output], layers: [{Compute: 'target > output'}]", "own", "NN520", "no gradient"),
        ("inputs: [target, output], layers: [{Compute: 'target - outputs'}]", "own", "NN221", "undefined"),
        ("inputs: {target: {shape: [T], dtype: int32}, output: [T, 3]}, layers: [{Compute: 'mean(output, axis=2)'}]",
         "[MeanSquaredError, own]", "NN520", "int32"),
        ("inputs: [target, output], layers: [{Compute: 'square(target - output)'}]", "onw", "NN109", "unknown loss"),
        ("inputs: [target, output], params: {a: float}, layers: [{Compute: 'a * (target - output)'}]", "own", "NN104",
         "a"),
    ],
)  # fmt: skip
def test_a_block_that_is_no_loss_is_reported_where_it_is_used(tmp_path, block, loss, code, words):
    from nnspec.api import validate

    file = tmp_path / "a.nnspec.yaml"
    text = f"nnspec: 1\nname: a\nblocks: {{own: {{{block}}}}}\n{NET}train: {{epochs: 1, loss: {{y: {loss}, z2: Value}}}}\n"
    file.write_text(text, encoding="utf-8")
    found = [problem for problem in validate(file) if problem.is_error]
    assert [problem.code for problem in found] == ([code] if code else []), found
    assert all(words in f"{problem.message} {problem.help}" for problem in found), found


DENSITY = """nnspec: 1
name: density
blocks:
  standard_normal: {inputs: [output, log_det], layers: [{Compute: '0.5 * sum(square(output), axis=1) - log_det'}]}
inputs: {point: [2]}
layers:
  - Parameter: {shape: [2], initializer: zeros}
    name: log_scale
  - Compute: point * exp(log_scale)
    name: z
  - Compute: sum(log_scale, axis=1)
    name: log_det
outputs: [z, log_det]
data: {train: {npz: points.npz}}
train:
  epochs: 20
  batch_size: 64
  optimizer: {Adam: {learning_rate: 5e-2}}
  loss: {z: standard_normal}
  metrics: {z: [standard_normal]}
"""


def test_a_loss_without_a_target_fits_a_density_to_the_inputs_alone(tmp_path):
    points = np.random.default_rng(0).normal(0, [0.5, 4], (512, 2)).astype(np.float32)
    np.savez(tmp_path / "points.npz", point=points)
    run = trained(tmp_path, DENSITY)
    np.testing.assert_allclose(np.exp(run.weights()["log_scale/value"]), 1 / points.std(0), rtol=0.05)
    last = run.metrics()[-1]
    assert last["loss"] == pytest.approx(last["z_standard_normal"], rel=1e-4)


def test_an_output_that_only_the_loss_of_another_reads_is_not_warned_of(tmp_path):
    from nnspec.api import validate

    file = tmp_path / "density.nnspec.yaml"
    file.write_text(DENSITY.replace("data: {train: {npz: points.npz}}\n", ""), encoding="utf-8")
    assert not list(validate(file))


SPECS = Path(__file__).parents[2] / "specs"

QUANTILES = """nnspec: 1
name: quantiles
inputs: {past: [12, 1]}
layers:
  - LSTM: {units: 8}
  - Dense: {units: 12}
  - Reshape: {target_shape: [4, 3]}
    name: load
data: {train: {npz: series.npz}, targets: {load: {column: future}}}
train:
  epochs: 4
  batch_size: 16
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: {Quantile: {quantiles: [0.1, 0.5, 0.9]}}
"""

COUNTS = """nnspec: 1
name: deep_ar
inputs: {past: [12, 1]}
layers:
  - LSTM: {units: 8}
  - Dense: {units: 8, activation: softplus}
    name: demand
data: {train: {npz: series.npz}, targets: {demand: {column: counts}}}
train: {epochs: 4, batch_size: 16, precision: mixed_bfloat16, optimizer: {Adam: {learning_rate: 1e-2}}, loss: NegativeBinomial}
"""

RESTORES = """nnspec: 1
name: restores
blocks:
  charbonnier: {params: {small: 1e-3}, layers: [{Compute: sqrt(square(target - output) + small)}], inputs: [target, output]}
inputs: {past: [12, 1]}
layers:
  - Conv1D: {filters: 1, kernel_size: 3, padding: same}
    name: again
data: {train: {npz: series.npz}, validation: 0.25}
train:
  objective: autoencoder
  epochs: 4
  batch_size: 16
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: charbonnier
  metrics: [MeanAbsoluteError]
"""


@pytest.mark.parametrize("text", [QUANTILES, COUNTS, RESTORES], ids=["quantiles", "counts", "restores"])
def test_forecasts_of_quantiles_and_counts_and_a_robust_autoencoder_learn(tmp_path, text):
    time = np.arange(16) + np.random.default_rng(0).uniform(0, 6, (64, 1))
    values = (np.sin(time) + 1.5).astype(np.float32)
    counts = np.random.default_rng(1).poisson(4 * values[:, 12:]).astype(np.float32)
    np.savez(tmp_path / "series.npz", past=values[:, :12, None], future=values[:, 12:], counts=counts)
    losses = [record["loss"] for record in trained(tmp_path, text).metrics()]
    assert losses[-1] < 0.9 * losses[0]


def test_a_mixture_density_network_learns_the_inverse_of_a_function(tmp_path):
    y = np.random.default_rng(0).random(512)
    x = y + 0.3 * np.sin(2 * np.pi * y)
    np.savetxt(tmp_path / "inverse.csv", np.stack([x, y], 1), delimiter=",", header="x,y", comments="")
    text = (SPECS / "mixture_density.nnspec.yaml").read_text(encoding="utf-8").partition("data:")[0]
    text += "data: {train: {csv: inverse.csv}, targets: {mixture: {columns: [y]}}}\n"
    text += "train: {epochs: 8, batch_size: 64, optimizer: {Adam: {learning_rate: 5e-3}}, loss: mixture_likelihood}\n"
    losses = [record["loss"] for record in trained(tmp_path, text, "params.horizon=1").metrics()]
    assert losses[-1] < losses[0] - 0.5


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("z2: ", "z: ", "NN520"),
        (
            "loss: {y: own, z2: Value}",
            "loss: {y: own, z2: Value}, metrics: {y: own}, early_stopping: {monitor: y_own}",
            "NN510",
        ),
        (
            "loss: {y: own, z2: Value}",
            "loss: {y: own, z2: Value}, metrics: {y: own}, early_stopping: {monitor: y_own, mode: max}",
            None,
        ),
        ("loss: {y: own, z2: Value}", "loss: {y: own, z2: Value}, class_weight: balanced", "NN512"),
        ("loss: {y: own,", "loss: {y: [own, SparseCategoricalCrossentropy],", "NN520"),
    ],
)
def test_names_of_tensors_and_metrics_are_unambiguous(tmp_path, old, new, code):
    from nnspec.api import validate

    result = "mean(square(target - output), axis=2) + sum(z, axis=1, keepdims=true)"
    block = f"own: {{inputs: [target, output, z], layers: [{{Compute: '{result}'}}]}}"
    text = f"nnspec: 1\nname: a\nblocks: {{{block}}}\n{NET}train: {{epochs: 1, loss: {{y: own, z2: Value}}}}\n"
    file = tmp_path / "a.nnspec.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    found = [problem for problem in validate(file) if problem.is_error]
    assert [problem.code for problem in found] == ([code] if code else []), found


TAGS = """nnspec: 1
name: tags
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 5, output_dim: 4, mask_zero: true}
  - Dense: {units: 3, activation: softmax}
    name: tag
data:
  train: {jsonl: rows.jsonl}
  inputs: {words: {column: words, transform: [{pad: {buckets: [3, 6]}}]}}
  targets: {tag: {column: tags, weight: sure, transform: [pad]}}
train: {epochs: 1, batch_size: 4, loss: SparseCategoricalCrossentropy}
"""


def test_weights_of_positions_of_rows_of_any_length_are_padded_with_the_target(tmp_path):
    import json

    draw = np.random.default_rng(0)
    rows = []
    for length in draw.integers(1, 7, 12).tolist():
        words, tags = draw.integers(1, 5, length).tolist(), draw.integers(0, 3, length).tolist()
        rows.append({"words": words, "tags": tags, "sure": draw.random(length).round(2).tolist()})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run = trained(tmp_path, TAGS)
    from nnspec.training.evaluation.evaluate import trained_model

    total = count = 0.0
    longest = max(len(row["words"]) for row in rows)
    for row in rows:
        words = np.zeros((1, longest), np.int32)
        words[0, : len(row["words"])] = row["words"]
        scores = np.asarray(trained_model(run)({"words": words})["tag"])[0, range(len(row["tags"])), row["tags"]]
        total, count = total - (np.log(scores) * row["sure"]).sum(), count + len(row["tags"])
    # Batches of four rows, each with its own number of valid positions.
    assert evaluate(run)["loss"] == pytest.approx(total / count, rel=0.25)


def test_the_only_loss_with_a_weight_is_written_as_a_list(tmp_path):
    from nnspec.api import validate

    text = "nnspec: 1\nname: net\ninputs: {x: [4]}\nlayers: [{Dense: 3}]\ntrain: {epochs: 1, loss: {MSE: {}, weight: 2}}\n"
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(text)
    [found] = [each for each in validate(file) if each.is_error]
    assert found.help == "write a list with one item: `[{MSE: {}, weight: 2}]`"
    file.write_text(text.replace("{MSE: {}, weight: 2}", "[{MSE: {}, weight: 2}]"))
    assert not any("must be an item" in each.message for each in validate(file))
