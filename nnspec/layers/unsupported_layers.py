"""Keras layers that are not supported: the reason, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

_TEXT = "text is converted to integers before the network: prepare it in the data"
_CATEGORIES = "values are converted to classes before the network: write a transform under `data.inputs`, then an `Embedding`"
_SOUND = "spectrograms are computed before the network: prepare them in the data"
_CONV_LSTM = "write the convolutions of a step as a block, and run it as a cell: `RNN: {cell: …}` (docs/cells.md)"
_FOREIGN = "its code cannot be checked or exported to ONNX: write the layers, or a plug-in (docs/plugins.md)"
_BASE = "it is a base class, not an operation"
_MIXES = "it also mixes targets, so it is part of the data"

UNSUPPORTED: Mapping[str, str] = {
    "AugMix": "Keras draws its chains only once and ignores the seed; write `RandAugment`",
    "CategoryEncoding": _CATEGORIES,
    "ContrastLimitedAdaptiveHistogramEqualization": "ONNX has no equivalent of its histograms; see `AutoContrast`",
    "ConvLSTM1D": _CONV_LSTM,
    "ConvLSTM2D": _CONV_LSTM,
    "ConvLSTM3D": _CONV_LSTM,
    "CutMix": f"{_MIXES}: write it under `data`, `augment: [CutMix]`",
    "Discretization": _CATEGORIES,
    "Equalization": "Keras 3.15.1 cannot build a model with it; `AutoContrast` also increases the contrast",
    "FlaxLayer": _FOREIGN,
    "HashedCrossing": _CATEGORIES,
    "Hashing": _CATEGORIES,
    "InputLayer": "declare inputs under `inputs`",
    "InputSpec": "it is internal to Keras; declare inputs under `inputs`",
    "IntegerLookup": _CATEGORIES,
    "JaxLayer": _FOREIGN,
    "Lambda": "code in a spec cannot be checked, and running it would be unsafe: write layers, or a plug-in (docs/plugins.md)",
    "Layer": _BASE,
    "MaxNumBoundingBoxes": "it pads lists of boxes, not tensors, so it is part of the data",
    "MelSpectrogram": _SOUND,
    "MixUp": f"{_MIXES}: write it under `data`, `augment: [MixUp]`",
    "Pipeline": "write the layers one after the other, or a block",
    "STFTSpectrogram": _SOUND,
    "StackedRNNCells": "write the layers one after the other, all except the last with `return_sequences: true`",
    "StringLookup": _TEXT,
    "TFSMLayer": _FOREIGN,
    "TextVectorization": _TEXT,
    "TorchModuleWrapper": _FOREIGN,
    "Wrapper": _BASE,
}
"""The reason for each layer, by Keras's name."""
