"""A value of the wrong type is reported with the literal that was meant, if the argument accepts it."""

from __future__ import annotations

import re

import pytest

from nnspec.api import validate

HEAD = "nnspec: 1\nname: net\n"
CLASSIFIER = HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 3, activation: softmax}\n    name: y\n"
LOSS = "loss: SparseCategoricalCrossentropy"


@pytest.fixture
def advice(write):
    """What to write, of the only error."""

    def only(text, code="NN105"):
        [found] = [d for d in validate(write(text)) if d.is_error]
        assert found.code == code
        return found.help

    return only


@pytest.mark.parametrize(
    ("layer", "help"),
    [
        ("Dense: {units: 10.0}", "write `10`"),
        ("Dense: {units: 1e2}", "write `100`"),
        ("Dense: {units: '10'}", "write it without quotes: `10`"),
        ("Dense: {units: [10]}", "write `10`"),
        ("Dense: {units: 2**4}", 'write `"${2**4}"`'),
        ("Dense: {units: 2^4}", 'write `"${2**4}"`'),
        ("Dense: {units: 4, use_bias: 1}", "write `true`"),
        ("Dense: {units: 4, use_bias: 'false'}", "write it without quotes: `false`"),
        ("Dense: {units: 4, use_bias: off}", "write `false`: in YAML 1.2 `off` is a string"),
        ("Dense: {units: 4, activation: None}", "write `null`"),
        ("Dropout: {rate: 50%}", "write `0.5`"),
        ("Dropout: {rate: 1/2}", 'write `"${1/2}"`'),
        ("Dropout: {rate: '0,5'}", "write `0.5`"),
        ("Dropout: {rate: 50}", "write 1.0 or less: `0.5` for 50%"),
        ("Reshape: {target_shape: 4}", "write `[4]`"),
    ],
)
def test_an_argument_of_a_layer_is_reported_with_the_literal_that_was_meant(advice, layer, help):
    found = advice(f"{HEAD}inputs: {{x: [4]}}\nlayers:\n  - {layer}\n")
    assert found.replace("a number below 1.0", "1.0 or less") == help


@pytest.mark.parametrize(
    ("size", "help"),
    [
        ("3x3", "write `[3, 3]`"),
        ("(3)", "write `[3, 3]`"),
        ("'(3,)'", "write `[3, 3]`"),
        ("[3 3]", "write `[3, 3]`"),
        ("'3, 3'", "write `[3, 3]`"),
        ("'(3, 3)'", "write `[3, 3]`"),
        ("3.0", "write `3`"),
        ("[3.0, 3]", "write `3`"),
        ("['3', 3]", "write it without quotes: `3`"),
        ("[3, 3, 3, 3]", ""),
        ("0", ""),
    ],
)
def test_a_size_of_a_kernel_is_suggested_only_where_it_would_be_accepted(advice, size, help):
    assert advice(f"{HEAD}inputs: {{x: [8, 8, 1]}}\nlayers:\n  - Conv2D: {{filters: 2, kernel_size: {size}}}\n") == help


@pytest.mark.parametrize(
    ("layer", "help"),
    [
        ("BatchNormalization: relu", "write `BatchNormalization` alone, or write `BatchNormalization: {axis: …}`"),
    ],
)
def test_numbers_given_in_place_of_arguments_are_written_as_the_argument(advice, layer, help):
    assert advice(f"{HEAD}inputs: {{x: [8, 8, 1]}}\nlayers:\n  - {layer}\n", code="NN101") == help


@pytest.mark.parametrize(
    ("train", "help"),
    [
        (f"epochs: 1e2, {LOSS}", "write `100`"),
        (f"epochs: '100', {LOSS}", "write it without quotes: `100`"),
        (f"epochs: 1, batch_size: 32.0, {LOSS}", "write `32`"),
        (f"epochs: 1, batch_size: '1,024', {LOSS}", "write `1024`"),
        (f"epochs: 1, {LOSS}, optimizer: {{Adam: {{learning_rate: '1e-3'}}}}", "write it without quotes: `1e-3`"),
        (f"epochs: 1, {LOSS}, optimizer: {{Adam: {{learning_rate: 1/1000}}}}", 'write `"${1/1000}"`'),
        (f"epochs: 1, {LOSS}, freeze: dense", "write `[dense]`"),
        (f"{LOSS}, phases: {{epochs: 1}}", "write it as a list: `[{epochs: 1}]`, or with `- ` before it"),
    ],
)
def test_a_key_of_train_is_reported_with_the_literal_that_was_meant(advice, train, help):
    assert advice(f"{CLASSIFIER}train: {{{train}}}\n") == help


@pytest.mark.parametrize(
    ("data", "help"),
    [
        ("validation: 10%", "write `0.1`"),
        ("validation: '0.1'", "write it without quotes: `0.1`"),
        ("validation: 20", "write a number below 1.0: `0.2` for 20%"),
        ("inputs: {x: {columns: [a, b, c, d], transform: [{rescale: 1/255}]}}", 'write `"${1/255}"`'),
        ("inputs: {x: {columns: [a, b, c, d], transform: [{resize: 28}]}}", "write `[28, 28]`"),
        ("inputs: {x: {columns: [a, b, c, d], transform: [{resize: 28x28}]}}", "write `[28, 28]`"),
        ("inputs: {x: [a, b, c, d]}", "write `x: {columns: [a, b, c, d]}`"),
        ("inputs: {x: {columns: [1, b, c, d]}}", 'write `"1"`'),
    ],
)
def test_a_key_of_data_is_reported_with_the_literal_that_was_meant(advice, data, help):
    assert advice(f"{CLASSIFIER}data: {{train: {{csv: no.csv}}, {data}}}\n") == help


@pytest.mark.parametrize(
    ("reader", "help"),
    [
        ('missing: "?"', 'write `["?"]`'),
        ("delimiter: tab", r'write `"\t"`'),
        ("delimiter: semicolon", 'write `";"`'),
        ("sep: ';'", 'the argument is `delimiter`, one character: `delimiter: ";"`'),
        ("na_values: ['?']", 'the argument is `missing`, a list of texts: `missing: ["?"]`'),
    ],
)
def test_a_key_of_a_csv_reader_is_reported_with_what_to_write(write, reader, help):
    text = f"{CLASSIFIER}data: {{train: {{csv: {{file: no.csv, {reader}}}}}}}\n"
    [found] = [d for d in validate(write(text)) if d.is_error]
    assert found.help == help


def test_following_the_advice_leaves_no_error(write):
    text = f"{HEAD}inputs: {{x: [4]}}\nlayers:\n  - Dropout: {{rate: 1/4}}\n"
    [found] = [d for d in validate(write(text)) if d.is_error]
    literal = re.search("`(.*)`", found.help)[1]
    assert [d for d in validate(write(text.replace("1/4", literal))) if d.is_error] == []


def test_a_value_that_a_param_gives_is_not_reported_as_a_literal(write):
    text = f"{HEAD}params: {{width: 8}}\ninputs: {{x: [4]}}\nlayers:\n  - Dense: {{units: '${{width / 2}}'}}\n"
    assert [d.help for d in validate(write(text))] == ["use `//` for integer division, or `round`"]


def test_a_bare_value_is_called_by_the_key_that_was_written(write):
    text = HEAD + "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 9, output_dim: 4}\n"
    text += "  - Dense: {units: 9}\n    name: logits\ngenerate: {token: {input: tokens, logits: logits}, start: 1, beam: 0}\n"
    assert [d.message for d in validate(write(text)) if d.is_error] == ["`beam` must be greater than 0, not 0"]


@pytest.mark.parametrize(
    ("declared", "help"),
    [
        ("integer", "write `n: int`"),
        ("Int", "write `n: int`"),
        ("number", "write `n: float`"),
        ("boolean", "write `n: bool`"),
        ("string", "write `n: str`"),
        ("{type: integer}", "write `type: int`"),
        ("list", "write a list type as `[int, int]`"),
    ],
)
def test_a_type_of_another_language_is_no_default_of_a_param(write, declared, help):
    text = f"{HEAD}blocks:\n  unit:\n    params: {{n: {declared}}}\n    layers:\n      - Dense: {{units: $n}}\n"
    found = [d for d in validate(write(text + "inputs: {x: [4]}\nlayers:\n  - unit: {n: 3}\n")) if d.is_error]
    assert found[0].path.startswith("blocks.unit.params.n")
    assert help in found[0].help


def test_a_word_in_quotes_is_a_default_whatever_it_says(write):
    text = (
        f'{HEAD}blocks:\n  unit:\n    params: {{n: "string"}}\n    layers:\n      - Dense: {{units: 3}}\n        name: ${{n}}\n'
    )
    assert [d for d in validate(write(text + "inputs: {x: [4]}\nlayers:\n  - unit\n")) if d.is_error] == []
