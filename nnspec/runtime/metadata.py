"""The keys of the metadata of an exported model."""

from __future__ import annotations

VERSION = "nnspec.version"
"""The version of nnspec that wrote the file."""

SPEC_NAME = "nnspec.spec.name"
"""The spec's name."""

SPEC_HASH = "nnspec.spec.hash"
"""The spec's hash."""

TOKEN_OUTPUTS = "nnspec.spellings"
"""The vocabulary of each output that predicts a token at each position of an input, as JSON:
``{"german": {"by": "character", "vocabulary": ["<PAD>", …], "input": "plain"}}``."""

ANSWERS = "nnspec.answers"
"""How to interpret the values of each output, as JSON: ``{"spam": {"kind": "yes_or_no", "above": 0.5}}``."""

CLASSES = "nnspec.classes"
"""The class names of each output that has them, as JSON: ``{"digit": ["0", "1"]}``."""

CONDITIONS = "nnspec.conditions"
"""What free sizes must satisfy, as JSON (`Conditions.as_json`): ``{"H": {"multiple_of": 8, "at_least": 16}}``."""

DATA = "nnspec.data"
"""How the inputs are made from raw data, as JSON (`data.recipe`)."""

DETECTIONS = "nnspec.detections"
"""The outputs that are detections, as JSON (`runtime.detections.Detector`): ``{"boxes": "boxes", "scores": "scores",
"classes": "class", "image": "image", "more": ["count"]}``. Boxes are in pixels of the input ``image``."""

EXAMPLES = "nnspec.examples"
"""Rows of the data that the server's page offers as examples, as JSON: values by column, of an image a PNG in base64:
``[{"length": 5.1, "width": 3.5}, …]``, ``[{"image": "iVBORw0KGgo…"}]``."""

FIELDS = "nnspec.fields"
"""The receptive field of each output along each axis, as JSON: its size, the stride between neighboring output positions, the
start of the first one, and the period at whose multiples a crop of the input must start:
``{"mask": {"size": [32, 32], "stride": [4, 4], "start": [-2, -2], "period": [4, 4]}}``."""

GENERATE = "nnspec.generate"
"""The decoding procedure, as JSON (`runtime.decoding.procedure`)."""

MAPS = "nnspec.maps"
"""The output that each class activation map belongs to, as JSON: ``{"digit_map": "digit"}``."""

NEIGHBORS = "nnspec.neighbors"
"""The knowledge base whose nearest rows the model finds, as JSON: ``{"rows": 2, "output": "vector", "columns":
{"answer": ["yes", "no"]}}``. The vectors are a constant of the graph."""

OUTPUTS = "nnspec.outputs"
"""The spec's names of renamed outputs, as JSON: ``{"state_out": "state"}``."""

PARITY = "nnspec.parity"
"""The parity record, as JSON (`parity.Parity`)."""

PRECISION = "nnspec.precision"
"""What a file with smaller numbers than float32 loses and gains, as JSON (`exporting.precision.PrecisionRecord`)."""

ROWS = "nnspec.rows"
"""The number of rows of the table that an input indexes, as JSON: ``{"tokens": 5000}`` accepts 0 to 4999."""

RUNTIME = "nnspec.onnxruntime"
"""The oldest version of ONNX Runtime that loads the file: ``1.23``."""

SAMPLES = "nnspec.samples"
"""How a generator is sampled, as JSON (`runtime.samples.Samples`)."""

UNITS = "nnspec.units"
"""The conversion of outputs to the units of the data, if it differs between series, as JSON (`data.units`): a scale and an
offset for each label. Units that are equal for all rows are part of the graph."""
