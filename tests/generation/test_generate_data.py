"""Sequences for rows of data that are no texts: images, numbers, and images beside texts."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import SpecError
from nnspec.exporting.run_models import RunGenerator
from nnspec.exporting.runs import export_run
from nnspec.runtime.generating import generate_rows
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

SPEC = """nnspec: 1
name: captioner
networks:
  encoder:
    inputs: {image: [4, 4, 1], facts: [2]}
    layers:
      - Flatten: {}
        from: image
      - Concatenate: {}
        from: [flatten, facts]
      - Dense: {units: 6, activation: tanh}
        name: state
    outputs: [state]
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, state: [6]}
    layers:
      - Embedding: {input_dim: 8, output_dim: 4}
        from: tokens
      - GRU: {units: 6, return_sequences: true, return_state: true}
        name: gru
        from: {x: embedding, state: state}
      - Dense: {units: 8}
        name: token
        from: gru.output
    outputs: {token: token, state: gru.state}
inputs: {image: [4, 4, 1], facts: [2], caption: {shape: [T], dtype: int32}}
layers:
  - encoder:
    from: {image: image, facts: facts}
  - decoder:
    from: {tokens: caption, state: encoder.state}
    name: said
outputs: {word: said.token}
data:
  train: {images: {csv: c.csv, column: file, folder: img, color_mode: grayscale}}
  inputs:
    image: {column: image, transform: [{rescale: 0.00392156862745098}]}
    facts: {columns: [a, b], transform: [standardize]}
    caption: {column: text, transform: [{tokenize: {by: word, start: true, end: true}}, pad]}
train: {objective: sequence_to_sequence, epochs: 8, batch_size: 4, seed: 1, optimizer: {Adam: {learning_rate: 0.05}},
  loss: {word: {SparseCategoricalCrossentropy: {from_logits: true}}}}
generate: {encode: encoder, decode: decoder, token: {input: tokens, logits: token}, begin: {state: state}, carry: {state: state},
  start: <SOS>, end: <EOS>, max_length: 5}
"""
DATA = "images: {csv: c.csv, column: file, folder: img, color_mode: grayscale}"


@pytest.fixture(scope="module")
def captions(tmp_path_factory):
    from PIL import Image

    folder = tmp_path_factory.mktemp("captions")
    (folder / "img").mkdir()
    rows = []
    for i in range(12):
        pixels = np.full((4, 4), 20 if i % 2 else 240, np.uint8)
        Image.fromarray(pixels).save(folder / "img" / f"{i}.png")
        rows.append(f"{i}.png,{i * 100},{-i},{'a dark one' if i % 2 else 'a bright one'}")
    (folder / "c.csv").write_text("\n".join(["file,a,b,text", *rows, ""]))
    (folder / "net.nnspec.yaml").write_text(SPEC)
    train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    return folder


def test_images_and_numbers_of_data_are_decoded_as_they_were_trained_on(captions, monkeypatch):
    monkeypatch.chdir(captions)
    generator = RunGenerator("run")
    found = generate_rows(generator, DATA)
    pixels = np.repeat(np.array([240, 20] * 6) / 255, 16).reshape(12, 4, 4, 1).astype(np.float32)
    numbers = np.stack([np.arange(12) * 100, -np.arange(12)], 1)
    facts = ((numbers - numbers.mean(0)) / numbers.std(0)).astype(np.float32)
    direct = generator.generate({"image": pixels, "facts": facts})
    assert [row["tokens"] for row in found] == [list(one.tokens) for one in direct]
    assert generate_rows(generator, DATA, limit=3) == found[:3]


@pytest.mark.parametrize("form", ["loop", "parts"])
def test_exported_decoders_take_the_same_data(captions, monkeypatch, tmp_path, form):
    monkeypatch.chdir(captions)
    export_run("run", tmp_path / "model", form=form)
    wanted = [row["tokens"] for row in generate_rows(RunGenerator("run"), DATA)]
    assert [row["tokens"] for row in generate_rows(RunGenerator(tmp_path / "model"), DATA)] == wanted


def test_images_of_another_size_are_refused(captions, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(captions)
    (captions / "other").mkdir(exist_ok=True)
    for i in range(12):
        Image.fromarray(np.zeros((5, 4), np.uint8)).save(captions / "other" / f"{i}.png")
    with pytest.raises(SpecError, match=r"the input `image` has shape \(4, 4, 1\)"):
        generate_rows(RunGenerator("run"), DATA.replace("img", "other"))
