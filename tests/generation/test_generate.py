"""``nnspec generate``, ``export`` and ``build`` of a document that decodes: texts in, texts out."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.decoder_models import decoder_models
from nnspec.runtime.generator import Generator
from nnspec.runtime.metadata import GENERATE
from nnspec.spec import load
from tests.conftest import CORPUS
from tests.generation.documents import TRANSFORMER, language_model, sources

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it saves

TOKENIZERS = {
    "inputs": {
        "source": {
            "columns": ["german"],
            "stacked": False,
            "transforms": [
                {
                    "transform": "tokenize",
                    "arguments": {"by": "word", "lower": True},
                    "learned": {
                        "vocabulary": ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "guten", "morgen", "abend", "ist", "es", ".", ","]
                    },
                },
            ],
        },
        "target": {
            "columns": ["english"],
            "stacked": False,
            "transforms": [
                {
                    "transform": "tokenize",
                    "arguments": {"by": "character", "start": True, "end": True},
                    "learned": {"vocabulary": ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b", "c", "d", "e"]},
                },
            ],
        },
    }
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The corpus's document, with initial weights."""
    folder = tmp_path_factory.mktemp("built")
    nnspec.build(load(CORPUS / "seq2seq.nnspec.yaml"), folder, seed=3)
    return folder


@pytest.fixture
def translator(tmp_path):
    """A folder of an encoder and a decoder, and a file with the loop, that know their texts."""
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(TRANSFORMER.replace("MASKED", "false") + "  cache: true\n")
    spec = load(file)
    model = nnspec.compile(spec)
    rng = np.random.default_rng(5)
    weights = {
        name: rng.normal(0, 0.9, w.shape).astype("float32") for g in model.networks.values() for name, w, _ in g.weights()
    }
    models = decoder_models(spec, model, weights, TOKENIZERS)
    (tmp_path / "parts").mkdir()
    for name, content in models.contents().items():
        (tmp_path / "parts" / f"{name}.onnx").write_bytes(content)
    (tmp_path / "translate.onnx").write_bytes(models.loop().SerializeToString())
    return tmp_path


def run(*arguments, **more):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **more)


def test_the_corpus_generates_the_same_tokens_in_both_forms(built):
    rng = np.random.default_rng(5)
    source = rng.integers(1, 800, (5, 9))
    source[2, 4:] = 0
    loop, parts = Generator(built / "generate.onnx"), Generator(built / "generate")
    first, second = loop.generate({"source": source}), parts.generate({"source": source}, way=None)
    assert [one.tokens for one in first] == [one.tokens for one in second]
    assert len({one.tokens for one in first}) > 1


def test_the_file_says_how_it_was_proven(built):
    parity = json.loads(nnspec.Predictor(built / "generate.onnx").metadata["nnspec.parity"])
    assert parity["tokens"] > 100
    assert set(parity["networks"]) == {"encoder", "decoder"}


def test_texts_go_in_and_texts_come_out(translator):
    loop, parts = Generator(translator / "translate.onnx"), Generator(translator / "parts")
    texts = ["Guten Morgen", "guten Abend, es ist."]
    found = loop.texts(texts)
    assert [one.text for one in found] == [one.text for one in parts.texts(texts)]
    assert all(set(one.text) <= set("abcde<UNK>") for one in found)
    assert any(one.text for one in found)
    assert found[0].tokens == loop.generate({"source": [[4, 5]]})[0].tokens


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        ({"sorce": [[1]]}, "did you mean `source`"),
        ({}, "the input `source` is missing"),
        ({"source": [[4, 99]]}, "from 0 to 10"),
        ({"source": [[0.5]]}, "does not accept float64"),
    ],
)
def test_what_is_no_source_is_refused(translator, given, reported):
    for path in ("parts", "translate.onnx"):
        with pytest.raises(NnspecError, match=reported):
            Generator(translator / path).generate(given)


def test_a_model_that_does_not_decode_is_refused(built):
    with pytest.raises(NnspecError, match="does not decode sequences"):
        Generator(built / "model.onnx")


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"memory": {"memory": "state"}}, "its encoder has no output `state`"),
        ({"carry": {"state": "states"}}, "its decoder has no output `states`"),
        ({"beam": {"width": "digit"}}, "damaged: `beam.width`"),
        ({"max_length": None}, "damaged: `max_length`"),
    ],
)
def test_a_decoder_that_says_nonsense_of_how_it_is_run_is_refused(translator, tmp_path, changed, reported):
    shutil.copy(translator / "parts" / "encoder.onnx", tmp_path)
    model = onnx.load(translator / "parts" / "decoder.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata[GENERATE] = json.dumps({**json.loads(metadata[GENERATE]), **changed})
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, tmp_path / "decoder.onnx")
    with pytest.raises(NnspecError, match=reported):
        Generator(tmp_path)


def test_a_language_model_goes_on_with_what_it_is_given(tmp_path):
    from tests.generation.documents import models_of

    models = models_of(language_model("  - GRU: {units: 8, return_sequences: true}\n"))
    (tmp_path / "decoder.onnx").write_bytes(models.contents()["decoder"])
    (tmp_path / "loop.onnx").write_bytes(models.loop().SerializeToString())
    _, prompt = sources(models, 3)
    for path in (tmp_path, tmp_path / "loop.onnx"):
        found = Generator(path).generate(prompt=prompt)
        for one, row in zip(found, prompt, strict=True):
            known = row[row >= 0].tolist()
            assert list(one.tokens[: len(known)]) == known
    assert Generator(tmp_path).texts(["4 5"])[0].tokens[:2] == (4, 5)


def test_rows_are_printed_as_a_table_or_as_lines_of_json(translator):
    table = run("generate", translator / "translate.onnx", "guten Morgen", "guten Abend")
    assert table.exit_code == 0
    assert table.stdout.splitlines()[0].split() == ["row", "text", "tokens"]
    lines = run("generate", translator / "parts", "--beam", "3", "--format", "json", input="guten Morgen\nguten Abend\n")
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [set(row) for row in rows] == [{"row", "text", "tokens", "score", "ended"}] * 2


def test_data_are_decoded_by_their_column(translator):
    (translator / "new.csv").write_text("german,other\nguten Morgen,1\nguten Abend,2\n")
    rows = run("generate", translator / "translate.onnx", "--data", translator / "new.csv", "--format", "json")
    wanted = [one.text for one in Generator(translator / "translate.onnx").texts(["guten Morgen", "guten Abend"])]
    assert [json.loads(line)["text"] for line in rows.stdout.splitlines()] == wanted


@pytest.mark.parametrize(
    ("options", "status", "reported"),
    [
        (("--beam", "3", "--top-k", "2"), 2, "choose one"),
        (("--length-penalty", "1"), 2, "requires --beam"),
        (("--data", "nowhere.csv"), 2, "cannot be combined"),
    ],
)
def test_options_that_do_not_go_together_are_refused(translator, options, status, reported):
    done = run("generate", translator / "parts", "guten", *options)
    assert done.exit_code == status
    assert reported in done.stderr


def test_a_file_with_the_loop_inside_is_not_searched_with(translator):
    done = run("generate", translator / "translate.onnx", "guten", "--beam", "3")
    assert done.exit_code == 1
    assert "--form parts" in done.stderr


def test_only_onnx_runtime_decodes(translator):
    import subprocess
    import sys

    program = (
        "import sys\nfrom nnspec.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as done:\n    assert not done.code\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\nassert not loaded & {'tensorflow', 'keras', 'onnx', 'torch'}, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "generate", str(translator / "parts"), "guten"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
