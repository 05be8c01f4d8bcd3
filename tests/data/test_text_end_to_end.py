"""Texts from a folder to an exported model that takes texts."""

from __future__ import annotations

import json

from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import evaluate, train

SPEC = """nnspec: 1
name: mood
inputs: {words: {shape: [6], dtype: int32}}
layers:
  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}
  - GlobalAveragePooling1D
  - Dense: {units: 2, activation: softmax}
    name: mood
  - Dense: {units: 1, activation: sigmoid}
    from: global_average_pooling1d
    name: poor
outputs: [mood, poor]
data:
  train: {text: mail}
  test: {text: mail}
  inputs: {words: {column: text, transform: [{tokenize: {lower: true}}, {pad: 6}]}}
  targets: {mood: &label {column: label, transform: [label_encode]}, poor: *label}
train: {epochs: 60, batch_size: 4, optimizer: {Adam: {learning_rate: 0.05}},
  loss: {mood: SparseCategoricalCrossentropy, poor: BinaryCrossentropy}, metrics: {mood: SparseCategoricalAccuracy}}
"""
MAIL = {
    "good": ["A fine day", "What a fine book!", "fine, and kind", "kind words", "A kind man", "so fine"],
    "poor": ["A dull day", "What a dull book!", "dull, and bad", "bad words", "A bad man", "so dull"],
}


def test_a_model_of_texts_is_exported_with_its_vocabulary_and_answers_texts(write, tmp_path):
    for mood, texts in MAIL.items():
        (tmp_path / "mail" / mood).mkdir(parents=True)
        for i, text in enumerate(texts):
            (tmp_path / "mail" / mood / f"{i}.txt").write_text(text)
    run = train(load(write(SPEC)), out=tmp_path / "run")
    assert evaluate(run)["mood_sparse_categorical_accuracy"] == 1
    export_run(run.path, tmp_path / "mood.onnx")
    steps = Predictor(tmp_path / "mood.onnx").recipe["inputs"]["words"]["transforms"]
    assert steps[0]["learned"]["vocabulary"][:4] == ["<PAD>", "<SOS>", "<EOS>", "<UNK>"]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in ("a FINE evening", "bad, dull!")))
    answers = predict_file(tmp_path / "mood.onnx", str(tmp_path / "new.jsonl"))
    assert [(row["mood_class"], row["poor_class"]) for row in answers.rows()] == [("good", "good"), ("poor", "poor")]
