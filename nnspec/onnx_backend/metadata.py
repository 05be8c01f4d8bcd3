"""The keys of what an exported model says of itself."""

from __future__ import annotations

__all__ = [
    "ANSWERS",
    "CLASSES",
    "CONDITIONS",
    "DATA",
    "FIELDS",
    "GENERATE",
    "MAPS",
    "OUTPUTS",
    "PARITY",
    "ROWS",
    "SAMPLES",
    "SPEC_HASH",
    "SPEC_NAME",
    "SPELLINGS",
    "UNITS",
    "VERSION",
]

VERSION = "nnspec.version"
"""The version of nnspec that wrote it."""

SPEC_NAME = "nnspec.spec.name"
"""The spec's name."""

SPEC_HASH = "nnspec.spec.hash"
"""The spec's hash."""

SPELLINGS = "nnspec.spellings"
"""What the tokens mean that an output says at each position of an input, as JSON:
``{"german": {"by": "character", "vocabulary": ["<PAD>", …], "input": "plain"}}``."""

ANSWERS = "nnspec.answers"
"""How the values of each output are to be read, as JSON: ``{"spam": {"kind": "yes_or_no", "above": 0.5}}``."""

CLASSES = "nnspec.classes"
"""The names of the classes of each output that has them, as JSON: ``{"digit": ["0", "1"]}``."""

CONDITIONS = "nnspec.conditions"
"""What free sizes must satisfy, as JSON (`Conditions.as_json`): ``{"H": {"multiple_of": 8, "at_least": 16}}``."""

DATA = "nnspec.data"
"""How its inputs are made from raw data, as JSON (`data.recipe`)."""

FIELDS = "nnspec.fields"
"""What the places of each output see of the input along each axis, as JSON: how many positions, how many lie between two
neighbouring places, where the first place sees from, and of what a part of the input must begin at a multiple:
``{"mask": {"size": [32, 32], "stride": [4, 4], "start": [-2, -2], "period": [4, 4]}}``."""

GENERATE = "nnspec.generate"
"""How it is run to decode sequences, as JSON (`runtime.decoding.procedure`)."""

MAPS = "nnspec.maps"
"""Of which output each class activation map is, as JSON: ``{"digit_map": "digit"}``."""

OUTPUTS = "nnspec.outputs"
"""The spec's names of those outputs that bear another one in the file, as JSON: ``{"state_out": "state"}``."""

PARITY = "nnspec.parity"
"""How far it is from the model it was made of, as JSON (`parity.Parity`)."""

ROWS = "nnspec.rows"
"""How many rows the table has that an input's numbers choose from, as JSON: ``{"tokens": 5000}`` takes 0 to 4999."""

SAMPLES = "nnspec.samples"
"""How a generator is sampled, as JSON (`training.samples.Samples`)."""

UNITS = "nnspec.units"
"""How outputs come back to the units of the data, if that differs between series, as JSON (`data.units`): one scale and offset
for each label. Units that are the same for all rows are part of the graph."""
