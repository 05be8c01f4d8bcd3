"""Networks of torchvision, with the names of its modules, for state dicts; torchvision itself is not needed.

Sources: ``torchvision/models/resnet.py`` and ``torchvision/models/mobilenetv2.py`` of pytorch/vision.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn


class Block(nn.Module):
    """`BasicBlock`, or `Bottleneck` if it is deep."""

    def __init__(self, before: int, channels: int, stride: int, *, deep: bool) -> None:
        super().__init__()
        after = 4 * channels if deep else channels
        sizes = [(before, channels, 1, 1), (channels, channels, 3, stride), (channels, after, 1, 1)]
        self.count = 3 if deep else 2
        if not deep:
            sizes = [(before, channels, 3, stride), (channels, channels, 3, 1)]
        for number, (inputs, outputs, size, step) in enumerate(sizes, 1):
            setattr(self, f"conv{number}", nn.Conv2d(inputs, outputs, size, step, (size - 1) // 2, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(outputs))
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = torch.relu(y) if number < self.count else y
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """ResNet-18 and ResNet-50."""

    def __init__(self, counts: Sequence[int], *, deep: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        before = 64
        for stage, count in enumerate(counts):
            blocks = []
            for index in range(count):
                blocks.append(Block(before, 64 * 2**stage, 2 if stage and not index else 1, deep=deep))
                before = 64 * 2**stage * (4 if deep else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(before, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(x.mean([2, 3]))


def conv_bn(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())


class InvertedResidual(nn.Module):
    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        layers: list[nn.Module] = [conv_bn(before, wide, 1)] if expansion != 1 else []
        layers += [conv_bn(wide, wide, 3, stride, wide), nn.Conv2d(wide, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv_bn(3, 32, stride=2)]
        before = 32
        stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
        for expansion, channels, count, stride in stages:
            for index in range(count):
                layers.append(InvertedResidual(before, channels, 1 if index else stride, expansion))
                before = channels
        self.features = nn.Sequential(*layers, conv_bn(before, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).mean([2, 3]))


def randomized(model: nn.Module) -> nn.Module:
    """Return a model in inference mode with random weights and statistics."""
    random = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 1:
            low = 0.5 if name.endswith(("weight", "running_var")) else -0.5
            tensor.copy_(torch.rand(tensor.shape, generator=random) + low)
        elif tensor.ndim:
            tensor.copy_(torch.randn(tensor.shape, generator=random) / tensor[0].numel() ** 0.5)
    return model.eval()
