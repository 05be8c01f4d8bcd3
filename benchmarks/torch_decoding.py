"""Greedy decoding in PyTorch of the nets of `decoding`, written as its users write them: states, keys and values carried.

It runs in an environment that has torch, and nothing of nnspec's; `decoding` starts it:

    PYTHON benchmarks/torch_decoding.py '{"nets": ["gru"], "batches": [1], "steps": 32, "source": 20, "rounds": 7}'

It prints ``{"NET": {"BATCH": seconds}}``, medians. Weights are random: speed does not ask.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Recurrent(nn.Module):
    """The corpus's seq2seq: GRU cells of 96 units, attention over the encoder's states."""

    def __init__(self, source: int = 800, target: int = 1200, width: int = 96) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(source, width), nn.Embedding(target, width)
        self.encoder, self.decoder = nn.GRU(width, width, batch_first=True), nn.GRU(width, width, batch_first=True)
        self.join, self.logits = nn.Linear(2 * width, width), nn.Linear(width, target)

    def forward(self, tokens: Tensor, steps: int) -> Tensor:
        states, state = self.encoder(self.source(tokens))
        hidden = (tokens == 0)[:, None, :]
        token = torch.ones(len(tokens), 1, dtype=torch.long)
        found = []
        for _ in range(steps):
            y, state = self.decoder(self.target(token), state)
            shares = torch.softmax((y @ states.transpose(1, 2)).masked_fill(hidden, -1e9), -1)
            y = torch.tanh(self.join(torch.cat([y, shares @ states], -1)))
            token = self.logits(y).argmax(-1)
            found.append(token)
        return torch.cat(found, 1)


class Attend(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def split(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1, self.heads, x.shape[-1] // self.heads).transpose(1, 2)

    def keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.split(self.k(x)), self.split(self.v(x))

    def forward(self, x: Tensor, keys: tuple[Tensor, Tensor], mask: Tensor | None = None) -> Tensor:
        y = F.scaled_dot_product_attention(self.split(self.q(x)), *keys, attn_mask=mask)
        return self.o(y.transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, *, crosses: bool) -> None:
        super().__init__()
        self.own, self.across = Attend(width, heads), Attend(width, heads) if crosses else None
        self.inner = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))


class Transformer(nn.Module):
    """`specs/transformer.nnspec.yaml`: two layers each, width 128, four heads."""

    def __init__(self, vocabulary: int = 8000, width: int = 128, heads: int = 4, depth: int = 2) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.encoder = nn.ModuleList(Layer(width, heads, crosses=False) for _ in range(depth))
        self.decoder = nn.ModuleList(Layer(width, heads, crosses=True) for _ in range(depth))
        self.logits = nn.Linear(width, vocabulary)
        self.register_buffer("places", torch.randn(256, width))

    def forward(self, tokens: Tensor, steps: int) -> Tensor:
        mask = (tokens != 0)[:, None, None, :]
        x = self.source(tokens) + self.places[: tokens.shape[1]]
        for layer in self.encoder:
            x = layer.norms[0](x + layer.own(x, layer.own.keys(x), mask))
            x = layer.norms[1](x + layer.inner(x))
        memory = [layer.across.keys(x) for layer in self.decoder]
        seen: list[tuple[Tensor, Tensor] | None] = [None] * len(self.decoder)
        token = torch.ones(len(tokens), 1, dtype=torch.long)
        found = []
        for step in range(steps):
            y = self.target(token) + self.places[step]
            for place, layer in enumerate(self.decoder):
                now = layer.own.keys(y)
                before = seen[place]
                keys = now if before is None else tuple(torch.cat(pair, 2) for pair in zip(before, now, strict=True))
                seen[place] = keys
                y = layer.norms[0](y + layer.own(y, keys))
                y = layer.norms[1](y + layer.across(y, memory[place], mask))
                y = layer.norms[2](y + layer.inner(y))
            token = self.logits(y).argmax(-1)
            found.append(token)
        return torch.cat(found, 1)


NETS: dict[str, Callable[[], nn.Module]] = {"gru": Recurrent, "transformer": Transformer}


def main(wanted: dict) -> dict[str, dict[int, float]]:
    torch.manual_seed(0)
    found: dict[str, dict[int, float]] = {}
    for name in wanted["nets"]:
        net = NETS[name]().eval()
        for batch in wanted["batches"]:
            tokens = torch.randint(1, 800, (batch, wanted["source"]))
            taken = []
            with torch.inference_mode():
                for _ in range(wanted["rounds"] + 2):
                    start = time.perf_counter()
                    net(tokens, wanted["steps"])
                    taken.append(time.perf_counter() - start)
            found.setdefault(name, {})[batch] = statistics.median(taken[2:])
    return found


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
