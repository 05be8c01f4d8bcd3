"""The nets whose latency is measured, in nnspec's language; `torch_nets` has the same in PyTorch."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import nnspec
from nnspec.graph import Graph

__all__ = ["NETS", "Net"]

_ROOT = Path(__file__).parent.parent

_STACK = """
nnspec: 1
name: stack
inputs: {{x: [T, 128]}}
layers:
  - {cell}: {{units: 128, return_sequences: true}}
  - {cell}: {{units: 128}}
"""

_BILSTM = """
nnspec: 1
name: bilstm
inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 1000, output_dim: 128, mask_zero: true}
  - Bidirectional: {layer: {LSTM: {units: 128, return_sequences: true}}}
  - Bidirectional: {layer: {LSTM: {units: 128, return_sequences: true}}}
"""


@dataclass(frozen=True)
class Net:
    """One net.

    Attributes:
        name: What a row calls it, sizes and all.
        spec: Its document: a file of the repository, or its text.
        overrides: Values of the document that are replaced.
        steps: The size that free axes get.
    """

    name: str
    spec: str
    overrides: tuple[str, ...] = ()
    steps: int = 100

    def graph(self) -> Graph:
        if not self.spec.startswith("\n"):
            return nnspec.compile(nnspec.load(_ROOT / self.spec, self.overrides)).main
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "net.nnspec.yaml"
            file.write_text(self.spec, encoding="utf-8")
            return nnspec.compile(nnspec.load(file)).main


NETS = {
    "lenet": Net("LeNet-5, 28²", "specs/lenet5.nnspec.yaml"),
    "resnet20": Net("ResNet-20, 32²", "tests/corpus/resnet20.nnspec.yaml"),
    "mobilenet": Net("MobileNet, α 0.5, 128²", "specs/mobilenet.nnspec.yaml"),
    "unet": Net("U-Net, 16 filters, 3 deep, 128²", "tests/corpus/unet.nnspec.yaml", ("inputs.image=[128, 128, 3]",)),
    "conv1d": Net("Conv1D × 3, 256 steps", "specs/series_fcn.nnspec.yaml", steps=256),
    "lstm": Net("LSTM × 2, 128 units, 100 steps", _STACK.format(cell="LSTM")),
    "bilstm": Net("BiLSTM × 2, masked, 128 units, 100 steps", _BILSTM),
    "gru": Net("GRU × 2, 128 units, 100 steps", _STACK.format(cell="GRU")),
    "rnn": Net("SimpleRNN × 2, 128 units, 100 steps", _STACK.format(cell="SimpleRNN")),
    "transformer": Net("Transformer encoder × 2, 64 wide, 64 steps", "specs/transformer_encoder.nnspec.yaml", steps=64),
}
"""Every net by its short name."""
