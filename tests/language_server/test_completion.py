import re

import pytest

from benchmarks.lsp import accepted
from benchmarks.lsp_client import position_of
from tests.language_server.conftest import LENET, URI


def complete(server, text):
    """The completions at the mark `|`, by label, and the text without the mark."""
    offset = text.index("|")
    text = text.replace("|", "", 1)
    server.write(URI, text)
    found = server.at("completion", URI, **position_of(text, offset))
    return {item["label"]: item for item in (found["items"] if found else [])}, text, offset


def labels(server, text):
    return set(complete(server, text)[0])


def take(server, text, label):
    """The text in which a completion was accepted."""
    items, text, offset = complete(server, text)
    return accepted(text, offset, items[label])


def test_keys_of_the_document_that_are_not_given_yet(opened):
    found = labels(opened, LENET + "|")
    assert {"data", "train", "export"} <= found
    assert not {"nnspec", "layers"} & found


def test_arguments_of_a_layer_that_are_not_given_yet(opened):
    found = labels(opened, LENET.replace("{units: 10,", "{units: 10, |,"))
    assert {"use_bias", "kernel_initializer"} <= found
    assert not {"units", "activation", "filters"} & found


def test_a_layer_is_completed_with_its_required_arguments(opened):
    items, *_ = complete(opened, LENET.replace("  - Flatten:", "  - Den|\n  - Flatten:"))
    assert items["Dense"]["textEdit"]["newText"] == "Dense: {units: ${1:3}}"
    assert items["MaxPooling2D"]["textEdit"]["newText"] == "MaxPooling2D"
    assert "fully connected" in items["Dense"]["documentation"]["value"]


def test_a_layer_in_brackets_is_completed_with_braces(opened):
    text = LENET.replace("outputs: [digit]", "  - Residual: {layers: [|]}\n")
    assert "Residual: {layers: [{Dense: {units: 3}}]}" in take(opened, text, "Dense")


def test_a_merge_layer_is_completed_with_what_it_merges(opened):
    text = take(opened, LENET.replace("  - Flatten:", "  - |\n  - Flatten:"), "Add")
    assert re.search(r"- Add:\n    from: \[\w+, deep\]", text)


def test_the_values_of_an_argument(opened):
    assert {"relu", "softmax", "tanh"} <= labels(opened, LENET.replace("activation: softmax", "activation: |"))
    assert {"same", "valid"} <= labels(opened, LENET.replace("padding: same", "padding: |"))
    assert {"true", "false"} <= labels(opened, LENET.replace("units: 10,", "units: 10, use_bias: |,"))


def test_a_param_is_offered_where_its_value_fits(opened):
    assert "$width" in labels(opened, LENET.replace("units: 10", "units: |"))
    assert "$width" not in labels(opened, LENET.replace("activation: softmax", "activation: |"))
    assert labels(opened, LENET.replace("units: 10", 'units: "${2 * wi|}"')) == {"width", "twice"}


def test_from_offers_inputs_and_earlier_steps_by_their_names(opened):
    found = labels(opened, LENET.replace("from: deep", "from: |"))
    assert found == {"image", "conv2d", "max_pooling2d", "deep"}


def test_outputs_offer_the_steps(opened):
    assert {"digit", "deep", "flatten"} <= labels(opened, LENET.replace("outputs: [digit]", "outputs: [|]"))


def test_losses_metrics_optimizers_and_their_arguments(opened):
    assert "SparseCategoricalCrossentropy" in labels(opened, LENET + "train: {loss: {digit: |}}\n")
    assert "SparseCategoricalAccuracy" in labels(opened, LENET + "train: {metrics: {digit: [|]}}\n")
    assert {"Adam", "SGD"} <= labels(opened, LENET + "train: {optimizer: |}\n")
    assert "learning_rate" in labels(opened, LENET + "train:\n  optimizer:\n    Adam:\n      |\n")


def test_names_and_functions_in_an_expression(opened):
    text = LENET.replace("  - Flatten:\n    from: deep\n", "  - Compute: deep + |\n  - Flatten\n")
    found = labels(opened, text)
    assert {"deep", "image", "width", "softmax"} <= found
    assert "flatten" not in found


def test_blocks_are_offered_with_their_required_params_and_not_inside_themselves(opened):
    text = LENET.replace(
        "inputs: {image", "blocks:\n  pair:\n    params: {size: int, rate: 0.5}\n    layers: [Dense: $size]\ninputs: {image"
    )
    opened.open(URI, text)
    items, *_ = complete(opened, text.replace("  - Flatten:", "  - |\n  - Flatten:"))
    assert items["pair"]["textEdit"]["newText"] == "pair: {size: ${1:1}}"
    assert "pair" not in labels(opened, text.replace("layers: [Dense: $size]", "layers: [|]"))


def test_a_key_that_has_a_value_is_replaced_alone(opened):
    assert "Dense: {use_bias: 10, activation" in take(opened, LENET.replace("{units: 10", "{|units: 10"), "use_bias")


@pytest.mark.parametrize("place", ["# a comm|ent\n", "description: any te|xt\n"])
def test_nothing_is_offered_in_comments_and_texts(opened, place):
    assert labels(opened, LENET + place) == set()


def test_completion_works_in_a_document_that_has_been_broken_since(opened):
    broken = LENET.replace("inputs: {image: [28, 28, 1]}", "inputs: {image: [28, 28")
    assert "use_bias" in labels(opened, broken.replace("{units: 10,", "{units: 10, |,"))


def test_a_completion_at_any_place_of_a_document_is_no_error_of_the_server(opened):
    for offset in range(0, len(LENET), 5):
        complete(opened, f"{LENET[:offset]}|{LENET[offset:]}")
        complete(opened, f"{LENET[:offset]}|")
