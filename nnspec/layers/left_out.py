"""Layers that Keras has and the catalogue has not: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LEFT_OUT"]

_TEXT = "text becomes numbers before the network, where both lowerings see the same: prepare it in the data"
_CATEGORIES = "values become classes before the network: write a transform under `data.inputs`, then an `Embedding`"
_SOUND = "sound becomes a spectrogram before the network: prepare it in the data"
_CELL = "a cell is half a layer: write the layer"
_CONV_LSTM = "ONNX has no operator for it: write `TimeDistributed` convolutions, then an `LSTM`, or a plug-in (docs/plugins.md)"
_FOREIGN = "what it runs cannot be read, checked or written in ONNX: write the layers, or a plug-in (docs/plugins.md)"
_BASE = "it is a base class, no operation"
_MIXES = "it mixes targets too, so it belongs to the data"

LEFT_OUT: Mapping[str, str] = {
    "AugMix": "Keras draws its chains once, by Python's own random numbers; `RandAugment` follows the seed",
    "CategoryEncoding": _CATEGORIES,
    "ContrastLimitedAdaptiveHistogramEqualization": "its histograms have no like in ONNX; see `AutoContrast`",
    "ConvLSTM1D": _CONV_LSTM,
    "ConvLSTM2D": _CONV_LSTM,
    "ConvLSTM3D": _CONV_LSTM,
    "CutMix": f"{_MIXES}: write it under `data`, `augment: [CutMix]`",
    "Discretization": _CATEGORIES,
    "Equalization": "Keras 3.15.1 cannot build a model with it; `AutoContrast` stretches the contrast too",
    "FlaxLayer": _FOREIGN,
    "GRUCell": f"{_CELL} `GRU`",
    "HashedCrossing": _CATEGORIES,
    "Hashing": _CATEGORIES,
    "InputLayer": "inputs stand under `inputs`",
    "InputSpec": "it describes an input inside Keras; inputs stand under `inputs`",
    "IntegerLookup": _CATEGORIES,
    "JaxLayer": _FOREIGN,
    "LSTMCell": f"{_CELL} `LSTM`",
    "Lambda": "code in a spec cannot be checked, and runs at whoever opens it: write layers, or a plug-in (docs/plugins.md)",
    "Layer": _BASE,
    "MaxNumBoundingBoxes": "it pads lists of boxes, not tensors, so it belongs to the data",
    "MelSpectrogram": _SOUND,
    "MixUp": f"{_MIXES}: write it under `data`, `augment: [MixUp]`",
    "Pipeline": "a list of steps is one already: write the layers one after the other, or a block",
    "RNN": "it loops over a cell of Python code: write `SimpleRNN`, `LSTM` or `GRU`, or a plug-in (docs/plugins.md)",
    "STFTSpectrogram": _SOUND,
    "SimpleRNNCell": f"{_CELL} `SimpleRNN`",
    "StackedRNNCells": "write the layers one after the other, all but the last with `return_sequences: true`",
    "StringLookup": _TEXT,
    "TFSMLayer": _FOREIGN,
    "TextVectorization": _TEXT,
    "TorchModuleWrapper": _FOREIGN,
    "Wrapper": _BASE,
}
"""By Keras's name; where a spec names one, this is the answer."""
