"""The section ``train`` against the graph, nothing run. What each code says exactly stands in tests/golden."""

from __future__ import annotations

import pytest

from nnspec.api import validate
from nnspec.training.catalogue.losses.base import Value
from nnspec.training.catalogue.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from nnspec.training.plan import Monitor

NET = "inputs: {{x: [4]}}\nlayers:\n  - Dense: {{units: {units}, activation: {activation}}}\n    name: y\n"
TWO = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: kind\n  - Dense: {units: 1}\n    name: size\n    from: x\noutputs: [kind, size]\n"


def net(units: int = 3, activation: str = "softmax") -> str:
    return NET.format(units=units, activation=activation)


def reported(project, text: str) -> set[str]:
    return {problem.code for problem in project.plan(text, require_data=False)[1]}


def planned(project, text: str):
    plan, problems = project.plan(text, require_data=False)
    assert plan is not None, problems
    return plan


@pytest.mark.parametrize(
    "loss",
    [
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        "{SparseCategoricalCrossentropy: {}}",
        "{y: SparseCategoricalCrossentropy}",
        "{y: {SparseCategoricalCrossentropy: {ignore_class: 2}}}",
    ],
)
def test_the_loss_of_one_output_may_be_written_bare_or_by_output(project, loss):
    plan = planned(project, f"{net()}train: {{epochs: 2, loss: {loss}}}\n")
    assert type(plan.outputs["y"].loss).__name__ == "SparseCategoricalCrossentropy"
    assert plan.monitor == Monitor("loss", "min")


@pytest.mark.parametrize(
    ("units", "activation", "loss", "codes"),
    [
        (3, "softmax", "SparseCategoricalCrossentropy", set()),
        (3, "softmax", "{SparseCategoricalCrossentropy: {from_logits: true}}", {"NN505"}),
        (3, "linear", "{SparseCategoricalCrossentropy: {from_logits: true}}", set()),
        (3, "null", "SparseCategoricalCrossentropy", {"NN505"}),
        (3, "sigmoid", "CategoricalCrossentropy", {"NN505"}),
        (1, "sigmoid", "CategoricalCrossentropy", {"NN504"}),
        (1, "linear", "CategoricalHinge", {"NN504"}),
        (1, "sigmoid", "BinaryCrossentropy", set()),
        (1, "tanh", "BinaryCrossentropy", {"NN505"}),
        (2, "softmax", "BinaryCrossentropy", {"NN505"}),
        (2, "softmax", "BinaryFocalCrossentropy", {"NN505"}),
        (2, "softmax", "Dice", set()),
        (1, "tanh", "Hinge", set()),
        (1, "relu", "MeanSquaredError", set()),
        (3, "linear", "CTC", {"NN504"}),
        (3, "linear", "Circle", set()),
    ],
)  # fmt: skip
def test_a_loss_fits_the_outputs_shape_and_activation_or_is_reported_not_to(project, units, activation, loss, codes):
    assert reported(project, f"{net(units, activation)}train: {{epochs: 2, loss: {loss}}}\n") == codes


@pytest.mark.parametrize(
    ("loss", "units", "metric", "meant"),
    [
        ("SparseCategoricalCrossentropy", 3, "accuracy", SparseCategoricalAccuracy()),
        ("CategoricalCrossentropy", 3, "acc", CategoricalAccuracy()),
        ("BinaryCrossentropy", 1, "Accuracy", BinaryAccuracy()),
        ("{BinaryCrossentropy: {from_logits: true}}", 1, "accuracy", BinaryAccuracy(threshold=0.0)),
    ],
)
def test_accuracy_means_what_it_means_in_keras(project, loss, units, metric, meant):
    activation = "linear" if "logits" in loss else "softmax" if units > 1 else "sigmoid"
    plan = planned(project, f"{net(units, activation)}train: {{epochs: 2, loss: {loss}, metrics: [{metric}]}}\n")
    assert plan.outputs["y"].metrics == {"y_accuracy": meant} or list(plan.outputs["y"].metrics.values()) == [meant]


@pytest.mark.parametrize(
    ("loss", "metric", "codes"),
    [
        ("SparseCategoricalCrossentropy", "CategoricalAccuracy", {"NN506"}),
        ("SparseCategoricalCrossentropy", "Precision", {"NN506"}),
        ("SparseCategoricalCrossentropy", "{SparseTopKCategoricalAccuracy: {k: 2}}", set()),
        ("SparseCategoricalCrossentropy", "{MeanIoU: {num_classes: 3}}", {"NN504"}),
        ("SparseCategoricalCrossentropy", "{MeanIoU: {num_classes: 3, sparse_y_pred: false}}", set()),
        ("SparseCategoricalCrossentropy", "MeanDice", set()),
        ("SparseCategoricalCrossentropy", "BinaryDice", {"NN506"}),
        ("CategoricalCrossentropy", "MeanDice", {"NN506"}),
        ("CategoricalCrossentropy", "{MeanDice: {sparse_y_true: false}}", set()),
        ("CategoricalCrossentropy", "AUC", set()),
        ("CategoricalCrossentropy", "SparseCategoricalAccuracy", {"NN506"}),
        ("MeanSquaredError", "accuracy", {"NN506"}),
        ("MeanSquaredError", "R2Score", set()),
        ("Value", "MeanSquaredError", set()),
        ("Value", "Accuracy", {"NN507"}),
    ],
)
def test_a_metric_takes_the_target_that_its_loss_takes(project, loss, metric, codes):
    assert reported(project, f"{net()}train: {{epochs: 2, loss: {loss}, metrics: [{metric}]}}\n") == codes


SOFT_DICE = """blocks:
  soft_dice:
    inputs: [target, output]
    layers: [{Compute: "1 - 2 * sum(target * output, axis=1) / (sum(target, axis=1) + sum(output, axis=1) + 1)"}]
"""


@pytest.mark.parametrize(
    ("metrics", "codes", "kind"),
    [
        ("[BinaryDice]", set(), "probability"),
        ("[MeanAbsoluteError, BinaryIoU]", set(), "probability"),
        ("[CategoricalAccuracy, AUC]", set(), "distribution"),
        ("[MeanAbsoluteError]", set(), "number"),
        ("[SparseCategoricalAccuracy]", {"NN506"}, None),
        ("[BinaryDice, SparseCategoricalAccuracy]", {"NN506"}, None),
    ],
)
def test_a_block_as_the_only_loss_takes_the_kind_of_numbers_that_a_metric_takes(project, metrics, codes, kind):
    text = f"{SOFT_DICE}{net(3, 'sigmoid')}train: {{epochs: 2, loss: soft_dice, metrics: {metrics}}}\n"
    plan, problems = project.plan(text, require_data=False)
    assert {problem.code for problem in problems} == codes, problems
    assert codes or plan.outputs["y"].need.kind == kind


def test_a_metric_for_targets_of_another_shape_is_reported_with_both_shapes(project):
    text = net(3) + "train: {epochs: 2, loss: {Quantile: {quantiles: [0.1, 0.5, 0.9]}}, metrics: [MeanAbsoluteError]}\n"
    [problem] = project.plan(text, require_data=False)[1]
    reported = "`MeanAbsoluteError` takes numbers of shape (3,) as the target of `y`, and the loss `Quantile` takes numbers of shape ()"
    assert (problem.code, problem.message) == ("NN506", reported)
    assert problem.help.startswith("write the metric as a block, such as `inputs: {target: [], output: [Q]}`")


def test_a_metric_of_probabilities_is_reported_when_the_output_is_logits(project):
    text = net(1, "linear") + "train: {epochs: 2, loss: {BinaryCrossentropy: {from_logits: true}}, metrics: [AUC]}\n"
    [problem] = project.plan(text, require_data=False)[1]
    assert (problem.code, problem.help) == ("NN505", "write `from_logits: true`")


def test_metrics_are_logged_under_the_outputs_name_and_a_second_of_a_kind_is_counted(project):
    metrics = "[SparseCategoricalAccuracy, {SparseTopKCategoricalAccuracy: {k: 2}}, {SparseTopKCategoricalAccuracy: {k: 3}}]"
    plan = planned(project, f"{net()}train: {{epochs: 2, loss: SparseCategoricalCrossentropy, metrics: {metrics}}}\n")
    top = "y_sparse_top_k_categorical_accuracy"
    assert list(plan.outputs["y"].metrics) == ["y_sparse_categorical_accuracy", top, f"{top}_1"]


def test_several_outputs_have_their_own_losses_weights_and_metrics(project):
    train = "train: {epochs: 2, loss: {kind: SparseCategoricalCrossentropy, size: mse}, loss_weights: {size: 0.5}, metrics: {size: mae}}\n"
    plan = planned(project, TWO + train)
    assert plan.outputs["size"].weight == 0.5
    assert list(plan.outputs["size"].metrics) == ["size_mean_absolute_error"]


def test_every_key_is_checked_in_one_pass(project):
    train = "train: {epoch: 2, loss: {knd: mse, size: msee}, loss_weights: {sze: 1}, metrics: {kind: [Acuracy]}, optimizer: {Adam: {lr: 1}}}\n"
    problems = project.plan(TWO + train, require_data=False)[1]
    assert sorted((x.code, x.path) for x in problems) == [
        ("NN103", "train.epoch"),
        ("NN103", "train.optimizer.Adam.lr"),
        ("NN109", "train.loss.size"),
        ("NN109", "train.metrics.kind[0]"),
        ("NN501", "train.loss.knd"),
        ("NN501", "train.loss_weights.sze"),
    ]


def test_a_value_loss_needs_no_target(project):
    plan = planned(
        project, f"{net()}data: {{train: {{builtin: iris}}}}\ntrain: {{epochs: 2, loss: Value}}\n".replace("x: [4]", "x: [5]")
    )
    assert plan.outputs["y"].loss == Value()
    assert list(plan.data.feeds) == ["inputs.x"]


@pytest.mark.parametrize(
    ("stopping", "data", "monitor"),
    [
        ("{patience: 2}", ", validation: 0.1", Monitor("val_loss", "min")),
        ("{monitor: loss}", "", Monitor("loss", "min")),
        (
            "{monitor: val_y_sparse_categorical_accuracy}",
            ", validation: 0.1",
            Monitor("val_y_sparse_categorical_accuracy", "max"),
        ),
        ("{monitor: y_sparse_categorical_accuracy, mode: min}", "", Monitor("y_sparse_categorical_accuracy", "min")),
    ],
)
def test_the_best_weights_are_those_of_the_figure_that_is_monitored(project, stopping, data, monitor):
    text = f"{net()}data: {{train: {{builtin: iris}}{data}}}\ntrain: {{epochs: 2, loss: SparseCategoricalCrossentropy, metrics: [SparseCategoricalAccuracy], early_stopping: {stopping}}}\n"
    assert planned(project, text).monitor == monitor


def test_frozen_weights_alone_cannot_be_trained(project):
    text = (
        net().replace("    name: y", "    name: y\n    freeze: true")
        + "data: {train: {builtin: iris}}\ntrain: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
    )
    assert [x.code for x in project.plan(text)[1] if x.is_error] == ["NN513"]


def test_a_document_without_a_training_cannot_be_trained(project):
    codes = [x.code for x in project.plan(net())[1]]
    assert codes == ["NN514", "NN432"]


@pytest.mark.parametrize(
    ("monitor", "help"),
    [
        (
            "val_los",
            "did you mean `val_loss`? it needs `validation: 0.1` under `data`; without validation data there is `loss`",
        ),
        ("val_auc", "use `loss`, `val_loss`; those that begin with `val_` need `validation: 0.1` under `data`"),
        ("los", "did you mean `loss`?"),
    ],
)
def test_a_misspelt_figure_of_validation_is_reported_with_what_it_needs(write, monitor, help):
    text = (
        "nnspec: 1\nname: net\ninputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n"
    )
    text += "data: {train: {builtin: digits}}\n"
    text += f"train: {{epochs: 1, loss: SparseCategoricalCrossentropy, early_stopping: {{monitor: {monitor}}}}}\n"
    assert [d.help for d in validate(write(text)) if d.is_error] == [help]


def test_noise_on_an_input_that_is_masked_by_value_is_an_error(project):
    text = (
        "inputs: {x: [6, 2]}\nlayers:\n  - Masking\n  - GRU: 3\n  - Dense: {units: 1}\n    name: y\n"
        "train: {epochs: 1, loss: mse, input_noise: NOISE}\n"
    )
    assert reported(project, text.replace("NOISE", "0.1")) == {"NN519"}
    assert reported(project, text.replace("NOISE", "{x: 0.1}")) == {"NN519"}
    assert reported(project, text.replace("  - Masking\n", "").replace("NOISE", "0.1")) == set()
