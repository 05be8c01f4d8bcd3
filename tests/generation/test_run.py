"""A run whose data are texts decodes texts, and is exported in every form."""

from __future__ import annotations

import json

import onnx
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.run_models import RunGenerator
from nnspec.exporting.runs import export_run
from nnspec.spec import load
from nnspec.training import train

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

SPEC = """nnspec: 1
name: letters
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 8, output_dim: 8, mask_zero: true}
  - PositionEmbedding: {max_length: 8}
  - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}
  - Dense: {units: 8}
    name: next
data:
  train: {csv: words.csv}
  inputs: {words: {column: word, transform: [{tokenize: {by: character, start: true}}, {pad: 6}]}}
  targets: {next: {column: word, transform: [{tokenize: {by: character, end: true}}, {pad: 6}]}}
train: {epochs: 120, batch_size: 4, seed: 1, optimizer: {Adam: {learning_rate: 0.03}}, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}
generate: {token: {input: words, logits: next}, cache: true, start: "<SOS>", end: "<EOS>", max_length: 6}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("letters")
    (folder / "words.csv").write_text("word\n" + "abcd\nbcda\ncdab\ndabc\n" * 2)
    (folder / "net.nnspec.yaml").write_text(SPEC)
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run").path


def test_a_run_goes_on_with_a_text_as_it_has_learned(trained):
    assert [one.text for one in RunGenerator(trained).texts(["a", "c"])] == ["abcd", "cdab"]
    assert all(one.ended for one in RunGenerator(trained).texts(["a", "c"]))


def test_every_form_of_a_run_is_exported_and_decodes_alike(trained, tmp_path):
    parity = export_run(trained, tmp_path / "letters.onnx")
    assert parity.agrees
    export_run(trained, tmp_path / "parts", form="parts")
    assert {file.name for file in (tmp_path / "parts").iterdir()} == {"decoder.onnx"}
    export_run(trained, tmp_path / "network.onnx", form="network")
    assert [output.name for output in onnx.load(tmp_path / "network.onnx").graph.output] == ["next"]
    for path in (tmp_path / "letters.onnx", tmp_path / "parts"):
        assert [one.text for one in RunGenerator(path).texts(["a", "c"])] == ["abcd", "cdab"]


def test_the_file_carries_its_vocabulary_and_its_parity(trained, tmp_path):
    export_run(trained, tmp_path / "letters.onnx")
    reported = {entry.key: entry.value for entry in onnx.load(tmp_path / "letters.onnx").metadata_props}
    [step, _] = json.loads(reported["nnspec.data"])["inputs"]["words"]["transforms"]
    assert step["learned"]["vocabulary"] == ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b", "c", "d"]
    assert json.loads(reported["nnspec.parity"])["tokens"] > 0
    assert json.loads(reported["nnspec.generate"])["end"] == 2


def test_a_loop_is_not_written_over_a_folder(trained, tmp_path):
    with pytest.raises(NnspecError, match="--form parts"):
        export_run(trained, tmp_path)
