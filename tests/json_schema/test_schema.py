import json
from pathlib import Path

import pytest

import nnspec
from nnspec.json_schema import as_text
from nnspec.layers import LAYERS
from nnspec.spec import read_text

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
SPECS = sorted(
    [
        *(ROOT / "specs").glob("*.nnspec.yaml"),
        *(ROOT / "tests/corpus").glob("*.yaml"),
        *(ROOT / "examples").glob("*.nnspec.yaml"),
    ]
)

GOOD = """\
nnspec: 1
name: small
params: {width: 6, sizes: [1, 2], act: {default: relu, type: str, one_of: [relu, tanh]}, other: {default: 3, a: 4}}
check:
  - {that: width > 3, message: too narrow}
blocks:
  pair: {check: [{that: filters > 1}], params: {filters: {type: int, at_least: 1}}, inputs: [x], layers: [Conv2D: {filters: $filters, kernel_size: 3}]}
inputs:
  image: [28, 28, 1]
  text: {shape: [T], dtype: int32}
layers:
  - Conv2D: {filters: "${2 * width}", kernel_size: [3, $width], padding: same, kernel_initializer: he_normal}
    from: image
  - pair: {filters: 4}
  - MaxPooling2D
  - Concatenate:
    from: [a, b]
  - Attention:
    from: {query: a, value: b}
  - Reshape: [1, -1]
  - Residual: {layers: [Dense: {units: 3, kernel_regularizer: {L2: 1e-4}}], shortcut: [Dropout: 0.5]}
  - Parallel: {branches: [[Flatten], [Flatten]], merge: Add}
  - layers: [ReLU]
    repeat: $width
    as: i
  - share: conv2d
    from: image
  - share: {layer: conv2d, use_causal_mask: true}
  - TimeDistributed: {layer: {pair: {filters: 4}}}
  - TimeDistributed: {layer: pair}
  - Bidirectional: {layer: {LSTM: {units: 4}}}
  - Dense: {units: 10, activation: softmax}
    name: digit
    freeze: true
outputs: [digit]
data:
  train: {csv: data/train.csv}
  validation: 0.1
  inputs: {image: pixels}
  targets: {digit: {column: label}}
train:
  epochs: 3
  optimizer: {Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 100}}}}
  loss: {digit: [SparseCategoricalCrossentropy, {own_loss: {smooth: 1}, weight: 0.5}]}
  loss_weights: {digit: {PolynomialDecay: {initial_learning_rate: 0, decay_steps: 10}}}
  metrics: {digit: [SparseCategoricalAccuracy, own_loss]}
  class_weight: {0: 1.0, 1: 2.0}
budget: {parameters: 100_000}
"""

MUTATIONS = [
    ("nnspec: 1", "nnspec: 2"),
    ("name: small", "name: Small"),
    ("name: small\n", ""),
    ("params: {width", "parms: {width"),
    ("outputs: [digit]", "outputs: []"),
    ("{that: width > 3, message: too narrow}", "{tat: width > 3, message: too narrow}"),
    ("[{that: filters > 1}]", "filters > 1"),
    ("type: str, one_of", "type: string, one_of"),
    ("one_of: [relu, tanh]", "one_of: []"),
    ("{type: int, at_least: 1}", "{type: int, at_least: one}"),
    ("[28, 28, 1]", "[28, 0, 1]"),
    ("[28, 28, 1]", "28"),
    ("weight: 0.5", "wight: 0.5"),
    ("weight: 0.5", "weight: high"),
    ("shape: [T]", "shape: [t]"),
    ("dtype: int32", "dtype: in32"),
    ("padding: same", "padding: sam"),
    ("kernel_initializer: he_normal", "kernel_initializer: he_norml"),
    ("kernel_size: 3}]", "kernel_sise: 3}]"),
    ("filters: $filters", "filters: -1"),
    ("filters: $filters", 'filters: "3"'),
    ("filters: $filters, ", ""),
    ("- MaxPooling2D", "- MaxPoling2D"),
    ("- MaxPooling2D", "- Dense"),
    ("{units: 10, activation: softmax}", "{units: 10.5, activation: softmax}"),
    ("activation: softmax", "activation: sofmax"),
    ("    freeze: true", "    freeze: maybe"),
    ("    name: digit", "    nam: digit"),
    ("    name: digit", "    Flatten: {}"),
    ("Dropout: 0.5", "Dropout: 1.5"),
    ("Dropout: 0.5", "Dropout"),
    ("merge: Add", "merge: Ad"),
    ("merge: Add", "mrge: Add"),
    ("[[Flatten], [Flatten]]", "[[Flatten]]"),
    ("{LSTM: {units: 4}}", "{LSTM: {unit: 4}}"),
    ("{LSTM: {units: 4}}", "{LSTM: {units: 4}, GRU: {units: 4}}"),
    ("L2: 1e-4", "L3: 1e-4"),
    ("repeat: $width", "repeat: -1"),
    ("from: {query: a, value: b}", "from: 3"),
    ("{csv: data/train.csv}", "{cvs: data/train.csv}"),
    ("validation: 0.1", "validation: 1.1"),
    ("column: label", "colum: label"),
    ("epochs: 3", "epochs: 0"),
    ("Adam:", "Adm:"),
    ("decay_steps: 100", "decay_steps: soon"),
    ("SparseCategoricalCrossentropy", "SparseCrossentropy"),
    ("[SparseCategoricalAccuracy, own_loss]", "[Acuracy]"),
    ("100_000", "none"),
]


@pytest.fixture(scope="module")
def schema():
    return nnspec.schema()


@pytest.fixture(scope="module")
def accepts(schema):
    validator = jsonschema.Draft202012Validator(schema)

    def check(text: str) -> list[str]:
        problems: list = []
        tree = read_text(text, "net.nnspec.yaml", problems)
        assert tree is not None
        assert not problems
        return [error.message for error in validator.iter_errors(json.loads(json.dumps(tree.plain())))]

    return check


def test_it_is_a_schema_of_draft_2020_12(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_committed_file_is_the_one_that_is_generated(schema):
    committed = (ROOT / "schemas" / "nnspec-v1.schema.json").read_text(encoding="utf-8")
    assert committed == as_text(schema), "run: nnspec schema -o schemas/nnspec-v1.schema.json"


def test_each_reference_in_it_leads_somewhere(schema):
    def references(part):
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            yield from references(inner)

    for reference in set(references(schema)):
        part = schema
        for key in reference.removeprefix("#/").split("/"):
            part = part[int(key) if isinstance(part, list) else key]
        assert isinstance(part, dict)


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.name)
def test_it_accepts_every_spec_of_the_gallery_and_the_corpus(accepts, file):
    assert accepts(file.read_text(encoding="utf-8")) == []


def test_it_accepts_what_the_mutations_begin_with(accepts):
    assert accepts(GOOD) == []


def test_there_are_48_mutations_it_must_see():
    assert len(set(MUTATIONS)) == 48


@pytest.mark.parametrize(("good", "bad"), MUTATIONS, ids=[f"{good.strip()} > {bad.strip()}" for good, bad in MUTATIONS])
def test_it_rejects_a_mutation_that_a_schema_can_see(accepts, good, bad):
    assert GOOD.count(good) == 1
    assert accepts(GOOD.replace(good, bad))


@pytest.mark.parametrize("name", LAYERS.names())
def test_every_layer_has_its_arguments_and_its_documentation_in_it(schema, name):
    [step] = [branch for branch in schema["$defs"]["step"]["anyOf"] if branch.get("title") == name]
    assert step["properties"][name]["description"]
    branches = schema["$defs"][f"layer.{name}"]["anyOf"]
    [arguments] = [branch for branch in branches if branch.get("type") == "object"]
    if name == "Compute":  # its keys are the names of results
        assert arguments["additionalProperties"]
        return
    assert arguments["additionalProperties"] is False
    assert set(arguments["properties"]) == set(LAYERS.get(name).arguments())  # type: ignore[attr-defined]


def test_the_command_writes_the_file(tmp_path):
    from click.testing import CliRunner

    from nnspec.cli import main

    out = tmp_path / "s.json"
    assert CliRunner().invoke(main, ["schema", "-o", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == CliRunner().invoke(main, ["schema"]).output
