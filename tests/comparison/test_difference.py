from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.comparison.difference import as_text
from nnspec.comparison.markdown import as_markdown
from tests.conftest import CORPUS

SPEC = """\
nnspec: 1
name: net
params: {width: 4}
inputs: {x: [6, 6, 1]}
layers:
  - Conv2D: {filters: $width, kernel_size: 3}
  - Flatten
  - Dense: {units: 8}
    name: hidden
  - Dense: {units: 3}
    name: y
data: {train: {builtin: digits}}
train: {epochs: 3, loss: MeanSquaredError, optimizer: {SGD: {learning_rate: 0.1}}}
"""


@pytest.fixture
def diff(write):
    def of(*changes: tuple[str, str], base: str = SPEC):
        text = base
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return nnspec.diff(write(base, "a.nnspec.yaml"), write(text, "b.nnspec.yaml"))

    return of


def triples(changes) -> list[tuple[str, object, object]]:
    return [(change.path, change.before, change.after) for change in changes]


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_spec_means_what_it_means(file):
    difference = nnspec.diff(file, nnspec.load(file))
    assert difference.is_empty
    assert not difference.weights.started_anew
    assert not difference.weights.left_behind
    model = nnspec.compile(nnspec.load(file))
    assert set(difference.weights.carried) == {name for graph in model.networks.values() for name, _, _ in graph.weights()}


def test_what_is_written_another_way_means_the_same(diff):
    difference = diff(
        ("params: {width: 4}\n", "# a comment\n"),
        ("filters: $width, kernel_size: 3", "kernel_size: [3, 3], filters: 4, padding: valid"),
        ("  - Flatten\n", "  - Flatten:\n    name: flatten\n    from: conv2d\n"),
        ("{SGD: {learning_rate: 0.1}}", "{SGD: {learning_rate: 0.1, momentum: 0.0}}, batch_size: 32"),
    )
    assert difference.is_empty, as_text(difference)


def test_an_argument_that_changed_is_named_with_the_shapes_that_follow(diff):
    difference = diff(("width: 4", "width: 5"))
    [network] = difference.networks
    conv, flatten = network.layers
    assert (conv.name, conv.kind) == ("conv2d", "changed")
    assert triples(conv.changes) == [("filters", 4, 5), ("shape", "(4, 4, 4)", "(4, 4, 5)")]
    assert triples(flatten.changes) == [("shape", "(64,)", "(80,)")]
    assert triples(network.figures) == [
        ("parameters", 587, 725),
        ("trainable_parameters", 587, 725),
        ("macs", 4 * 16 * 9 + 64 * 8 + 24, 5 * 16 * 9 + 80 * 8 + 24),
    ]


def test_layers_come_and_go(diff):
    difference = diff(("  - Flatten\n", "  - MaxPooling2D\n  - Flatten\n"), ("name: y", "name: z"))
    kinds = {layer.name: (layer.kind, layer.op) for layer in difference.networks[0].layers}
    assert kinds["max_pooling2d"] == ("added", "MaxPooling2D")
    assert kinds["z"] == ("added", "Dense")
    assert kinds["y"] == ("removed", "Dense")
    assert kinds["flatten"] == ("changed", "Flatten")


def test_ports_freezing_sources_and_operations_count(diff):
    difference = diff(
        ("x: [6, 6, 1]", "image: [6, 6, 1]"),
        ("  - Dense: {units: 8}\n    name: hidden", "  - Dense: {units: 8}\n    name: hidden\n    freeze: true"),
        ("  - Dense: {units: 3}\n    name: y", "  - ReLU:\n    name: y"),
    )
    [network] = difference.networks
    assert [change.path for change in network.ports] == ["inputs.x", "inputs.image", "outputs.y"]
    changes = {layer.name: triples(layer.changes) for layer in network.layers}
    assert changes["conv2d"] == [("from", ["x"], ["image"])]
    assert changes["hidden"] == [("freeze", False, True)]
    assert changes["y"][0] == ("op", "Dense", "ReLU")


def test_sections_are_compared_by_value_with_their_defaults(diff):
    difference = diff(
        ("epochs: 3", "epochs: 4, batch_size: 8"),
        ("learning_rate: 0.1", "learning_rate: 0.2, nesterov: true"),
        ("{builtin: digits}", "{builtin: iris}"),
    )
    assert not difference.networks
    assert triples(difference.sections["train"]) == [
        ("epochs", 3, 4),
        ("batch_size", 32, 8),
        ("optimizer.learning_rate", 0.1, 0.2),
        ("optimizer.nesterov", False, True),
    ]
    assert [change.path for change in difference.sections["data"]] == ["train.set"]


def test_another_optimizer_is_one_change(diff):
    [change] = diff(("{SGD: {learning_rate: 0.1}}", "Adam")).sections["train"]
    assert triples([change]) == [("optimizer", {"SGD": {"learning_rate": 0.1}}, "Adam")]


def test_a_section_that_is_gone_is_reported_as_it_was_written(diff):
    difference = diff(("data: {train: {builtin: digits}}\n", ""))
    assert triples(difference.sections["data"]) == [("train", {"builtin": "digits"}, None)]


def test_weights_carry_over_by_name_and_shape(diff):
    weights = diff(("width: 4", "width: 5")).weights
    assert dict(weights.carried) == {"hidden/bias": (8,), "y/kernel": (8, 3), "y/bias": (3,)}
    assert weights.parameters == 35
    assert weights.started_anew == {
        "conv2d/kernel": "its shape changed from 3 × 3 × 1 × 4 to 3 × 3 × 1 × 5",
        "conv2d/bias": "its shape changed from 4 to 5",
        "hidden/kernel": "its shape changed from 64 × 8 to 80 × 8",
    }
    assert weights.left_behind == ()


def test_a_renamed_layer_is_recognized(diff):
    weights = diff(("name: hidden", "name: code")).weights
    assert (
        weights.started_anew["code/kernel"]
        == "new; `hidden/kernel` has the same shape and would carry over under the same name"
    )
    assert weights.left_behind == ("hidden/kernel", "hidden/bias")


def test_a_name_is_not_guessed_where_two_layers_are_alike(diff):
    two = SPEC.replace(
        "  - Dense: {units: 3}",
        "  - Dense: {units: 8}\n    name: again\n  - Dense: {units: 8}\n    name: third\n  - Dense: {units: 3}",
    )
    weights = diff(("name: again", "name: a"), ("name: third", "name: b"), base=two).weights
    assert weights.started_anew["a/kernel"] == "new"


def test_networks_come_and_go():
    difference = nnspec.diff(CORPUS / "seq2seq.nnspec.yaml", CORPUS / "siamese.nnspec.yaml")
    assert {(n.name, n.kind) for n in difference.networks} == {
        ("main", "changed"), ("tower", "added"), ("encoder", "removed"), ("decoder", "removed")
    }  # fmt: skip
    assert difference.names == ("seq2seq", "siamese")
    assert not difference.weights.carried


def test_there_and_back_is_the_same_with_sides_exchanged(write):
    a, b = write(SPEC, "a.yaml"), write(SPEC.replace("width: 4", "width: 5").replace("epochs: 3", "epochs: 9"), "b.yaml")
    there, back = nnspec.diff(a, b), nnspec.diff(b, a)
    assert triples(there.sections["train"]) == [(path, new, old) for path, old, new in triples(back.sections["train"])]
    assert set(there.weights.carried) == set(back.weights.carried)


def test_the_command_prints_text_and_json(write):
    a, b = str(write(SPEC, "a.yaml")), str(write(SPEC.replace("width: 4", "width: 5"), "b.yaml"))
    text = CliRunner().invoke(main, ["diff", a, b]).stdout
    assert "  ~ conv2d  Conv2D\n      filters: 4 → 5\n      shape: (4, 4, 4) → (4, 4, 5)\n" in text
    assert "  3 of 6 carry over, 35 parameters\n" in text
    reported = json.loads(CliRunner().invoke(main, ["diff", a, b, "--format", "json"]).stdout)
    assert reported["networks"][0]["layers"][0]["changes"][0] == {"path": "filters", "before": 4, "after": 5}
    assert reported["weights"]["carried"] == ["hidden/bias", "y/kernel", "y/bias"]
    assert CliRunner().invoke(main, ["diff", a, a]).stdout == "no differences; all weights carry over\n"


def test_a_spec_with_errors_is_reported(write):
    bad = write(SPEC.replace("Flatten", "Flaten"))
    result = CliRunner().invoke(main, ["diff", str(bad), str(bad)])
    assert result.exit_code == 1
    assert "NN204" in result.stderr


def test_markdown_has_sizes_layers_sections_and_weights_in_tables(diff):
    difference = diff(("units: 8", "units: 10"), ("epochs: 3", "epochs: 5"), ("  - Flatten\n", "  - Flatten\n  - ReLU\n"))
    text = as_markdown(difference)
    assert text.startswith("### `net`\n\n**layers**\n\n|  | before | after |\n| --- | --- | --- |\n")
    assert "| parameters | `587` | `723` (+23.2%) |" in text
    assert "| + | `relu` | ReLU |  |" in text
    assert "| ~ | `hidden` | Dense | units: `8` → `10`; " in text
    assert "**train**\n\n| key | before | after |\n| --- | --- | --- |\n| epochs | `3` | `5` (+66.7%) |" in text
    assert "**weights**: 3 of 6 carry over" in text


def test_markdown_of_equal_specs_says_so(diff):
    assert as_markdown(diff()) == "### `net`\n\nNo differences in meaning; all weights carry over.\n"


def test_markdown_of_hostile_names_is_text(diff):
    text = as_markdown(diff(("builtin: digits", 'csv: "<img src=x>|`.csv"')))
    [row] = [line for line in text.splitlines() if "<img" in line]
    assert '| ``{"csv": "<img src=x>\\x7c`.csv"}`` |' in row
    assert row.count("|") == 4


def test_a_long_table_of_markdown_is_folded(diff):
    layers = "".join(f"  - ReLU:\n    name: r{number}\n" for number in range(30))
    text = as_markdown(diff(("  - Flatten\n", f"{layers}  - Flatten\n")))
    assert "<details>\n<summary>31 rows</summary>\n\n|  | layer |" in text


def test_the_command_prints_markdown(write):
    a, b = write(SPEC, "a.nnspec.yaml"), write(SPEC.replace("units: 8", "units: 9"), "b.nnspec.yaml")
    result = CliRunner().invoke(main, ["diff", str(a), str(b), "--format", "markdown"])
    assert result.exit_code == 0
    assert result.output.startswith("### `net`\n")
