"""Memory of activations."""

from __future__ import annotations

import nnspec
from nnspec.graph.memory import activation_bytes, peak_activation_bytes
from nnspec.types import symbol
from tests.conftest import CORPUS


def _main(checked, text):
    model, problems = checked(f"nnspec: 1\nname: net\n{text}")
    assert model is not None, problems
    return model.main


def test_the_peak_of_a_chain_is_the_largest_neighbours(checked):
    graph = _main(checked, "inputs: {x: [10]}\nlayers: [Dense: {units: 30}, Dense: {units: 20}, Dense: {units: 1}]\n")
    assert peak_activation_bytes(graph) == ((30 + 20) * 4,)


def test_a_skip_stays_alive_until_it_is_added(checked):
    chain = "inputs: {x: [10]}\nlayers:\n  - Dense: {units: 10}\n    name: a\n  - Dense: {units: 40}\n  - Dense: {units: 10}\n"
    without, skipping = _main(checked, chain), _main(checked, chain + "  - Add:\n    from: [dense_1, a]\n")
    assert peak_activation_bytes(without) == ((40 + 10) * 4,)
    assert peak_activation_bytes(skipping) == ((10 + 40 + 10) * 4,)


def test_an_output_stays_alive_to_the_end(checked):
    layers = "inputs: {x: [1]}\nlayers:\n  - Dense: {units: 50}\n    name: a\n  - Dense: {units: 5}\n    name: b\n"
    layers += "  - Dense: {units: 30}\n    name: c\n"
    assert peak_activation_bytes(_main(checked, layers)) == ((50 + 5) * 4,)
    assert peak_activation_bytes(_main(checked, layers + "outputs: [a, c]\n")) == ((50 + 5 + 30) * 4,)


def test_element_types_and_masks_have_their_own_sizes(checked):
    graph = _main(
        checked,
        "inputs: {tokens: {shape: [7], dtype: int64}}\nlayers:\n"
        "  - Embedding: {input_dim: 9, output_dim: 3, mask_zero: true}\n  - LSTM: {units: 2}\n",
    )
    assert activation_bytes(graph.nodes["embedding"]) == 7 * 3 * 4 + 7
    assert peak_activation_bytes(graph) == (7 * 8 + 7 * 3 * 4 + 7,)


def test_a_peak_that_depends_on_a_symbol_is_an_expression(checked):
    graph = _main(checked, "inputs: {x: [T, 4]}\nlayers: [Dense: {units: 8}, Dense: {units: 2}]\n")
    assert peak_activation_bytes(graph) == (symbol("T") * (4 + 8) * 4,)


def test_of_several_expressions_those_that_another_always_exceeds_are_left_out():
    # H is a multiple of 8, so that what stands at half the size is a quarter of what stands at the whole.
    peak = nnspec.inspect(CORPUS / "unet.nnspec.yaml")["networks"]["main"]["peak_activation_bytes"]
    assert peak == "256*H*W"


def test_where_neither_of_two_expressions_is_the_larger_both_are_given(checked):
    graph = _main(checked, "inputs: {x: [S, 4], y: [T, 4]}\nlayers:\n  - GlobalAveragePooling1D:\n    from: x\n    name: a\n"
                  "  - Dense: {units: 9}\n    from: y\n    name: b\noutputs: [a, b]\n")  # fmt: skip
    s, t = symbol("S"), symbol("T")
    assert set(peak_activation_bytes(graph)) == {16 * s + 16 * t + 16, 52 * t + 16}
