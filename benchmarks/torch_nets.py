"""The nets of `onnx_nets` in PyTorch, written as its users write them, and exported by its own exporter.

It runs in an environment that has torch, onnx and onnxscript, and nothing of nnspec's; `onnx_latency` starts it:

    PYTHON benchmarks/torch_nets.py FOLDER [NET…]

For each net and batch size it writes ``FOLDER/NET-BATCH.onnx``, sizes fixed. Weights are random: latency does not ask.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

BATCHES = (1, 32)


class ConvBn(nn.Sequential):
    def __init__(self, before: int, filters: int, size: int, strides: int = 1, groups: int = 1) -> None:
        conv = nn.Conv2d(before, filters, size, strides, size // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(filters))


def lenet() -> nn.Module:
    conv = [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
    dense = [nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10), nn.Softmax(1)]
    return nn.Sequential(*conv, *dense)


class Unit(nn.Module):
    def __init__(self, before: int, filters: int, strides: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvBn(before, filters, 3, strides), nn.ReLU(), ConvBn(filters, filters, 3))
        self.shortcut = ConvBn(before, filters, 1, strides) if strides > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet20() -> nn.Module:
    units = [Unit(16, 16, 1) for _ in range(3)]
    for filters in (32, 64):
        units += [Unit(filters // 2, filters, 2), Unit(filters, filters, 1), Unit(filters, filters, 1)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10), nn.Softmax(1)]
    return nn.Sequential(ConvBn(3, 16, 3), nn.ReLU(), *units, *head)


def mobilenet() -> nn.Module:
    layers: list[nn.Module] = [ConvBn(3, 16, 3, 2), nn.ReLU6()]
    before = 16
    plan = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), *[(256, 1)] * 5, (512, 2), (512, 1)]
    for filters, strides in plan:
        layers += [ConvBn(before, before, 3, strides, before), nn.ReLU6(), ConvBn(before, filters, 1), nn.ReLU6()]
        before = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000), nn.Softmax(1))


def double_conv(before: int, filters: int) -> nn.Module:
    return nn.Sequential(ConvBn(before, filters, 3), nn.ReLU(), ConvBn(filters, filters, 3), nn.ReLU())


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([double_conv(3, 16), double_conv(16, 32), double_conv(32, 64)])
        self.bottom = double_conv(64, 128)
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * f, f, 2, 2) for f in (64, 32, 16)])
        self.after = nn.ModuleList([double_conv(2 * f, f) for f in (64, 32, 16)])
        self.mask = nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = torch.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, after, skip in zip(self.up, self.after, reversed(skips), strict=True):
            x = after(torch.cat([up(x), skip], 1))
        return torch.softmax(self.mask(x), 1)


class SeriesFcn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        sizes = [(1, 128, 8), (128, 256, 5), (256, 128, 3)]
        convs = [nn.Conv1d(before, after, size, padding="same", bias=False) for before, after, size in sizes]
        parts = [part for conv in convs for part in (conv, nn.BatchNorm1d(conv.out_channels), nn.ReLU())]
        self.body, self.label = nn.Sequential(*parts), nn.Linear(128, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.label(self.body(x).mean(2)), 1)


class Last(nn.Module):
    """The last step of a stack of two recurrent layers."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.rnn = kind(128, 128, num_layers=2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0][:, -1]


class BiLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(1000, 128, padding_idx=0)
        self.rnn = nn.LSTM(128, 128, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != 0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.table(tokens), lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=tokens.shape[1])[0]


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(64, 4, 256, layer_norm_eps=1e-6, batch_first=True)
        self.table, self.body = nn.Embedding(8000, 64), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.label = nn.Linear(64, 2)
        place, rate = torch.arange(64.0)[:, None], 1e4 ** -(torch.arange(0, 64, 2) / 64)
        self.register_buffer("positions", torch.stack([(place * rate).sin(), (place * rate).cos()], 2).flatten(1))

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.softmax(self.label(self.body(self.table(tokens) + self.positions).mean(1)), 1)


def pictures(size: int, channels: int) -> object:
    return lambda batch: torch.randn(batch, channels, size, size)


def tokens(steps: int, words: int) -> object:
    return lambda batch: torch.randint(1, words, (batch, steps))


def series(batch: int) -> Tensor:
    return torch.randn(batch, 100, 128)


NETS = {
    "lenet": (lenet, pictures(28, 1)),
    "resnet20": (resnet20, pictures(32, 3)),
    "mobilenet": (mobilenet, pictures(128, 3)),
    "unet": (UNet, pictures(128, 3)),
    "conv1d": (SeriesFcn, lambda batch: torch.randn(batch, 1, 256)),
    "lstm": (lambda: Last(nn.LSTM), series),
    "bilstm": (BiLstm, tokens(100, 1000)),
    "gru": (lambda: Last(nn.GRU), series),
    "rnn": (lambda: Last(nn.RNN), series),
    "transformer": (Transformer, tokens(64, 8000)),
}

SCRIPTED = {"lstm", "bilstm", "gru", "rnn"}
"""Those that PyTorch's older exporter writes better: its newer one unrolls recurrent layers, or refuses packed sequences."""


def main(folder: Path, names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    for name in names or NETS:
        make, draw = NETS[name]
        net = make().eval()
        # Fused kernels of its own have no form in ONNX.
        torch.backends.mha.set_fastpath_enabled(False)
        for batch in BATCHES:
            newer = name not in SCRIPTED
            torch.onnx.export(net, (draw(batch),), folder / f"{name}-{batch}.onnx", dynamo=newer, external_data=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
