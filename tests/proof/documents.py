"""Whole documents drawn at random: chains and merges, residuals and branches, blocks, networks used twice, shared layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, cast

import yaml

from nnspec.layers import LAYERS
from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Layer
from nnspec.layers.interfaces import TakesBoxes
from nnspec.types import TensorType, symbol

from ..layers.arguments import spatial_axes
from .cells import declared
from .kinds import draw_plain, fill, plain
from .steps import Drawer, Env, Misfit, Part, Steps, run

__all__ = ["FEWEST_LAYERS", "MOST_LAYERS", "Document", "draw_document", "numbered"]

FEWEST_LAYERS, MOST_LAYERS = 2, 30


@dataclass(frozen=True)
class Document:
    """A drawn document.

    Attributes:
        text: What a file of it says.
        outputs: What its own outputs must come to.
        favourite: The layer it was drawn around.
    """

    text: str
    outputs: dict[str, TensorType]
    favourite: str


@dataclass(frozen=True)
class DrawnNetwork:
    """A network of the document, of one input ``x``."""

    declared: TensorType
    steps: Steps

    def takes(self, x: TensorType) -> bool:
        if x.rank != self.declared.rank or x.dtype != self.declared.dtype:
            return False
        fixed = [(size, actual) for size, actual in zip(self.declared.shape, x.shape, strict=True) if isinstance(size, int)]
        return all(size == actual for size, actual in fixed)

    def through(self, x: TensorType) -> TensorType:
        if not self.takes(x):
            raise Misfit
        last = run(self.steps.parts, Env({"x": x}, self.steps.params))
        if last is None:
            raise Misfit
        return last


def numbered(seed: int, number: int, least: int = FEWEST_LAYERS, expressions: int = 0, recurrences: int = 0) -> Document:
    """The document of a number; the layers of the catalogue take turns as the favourite.

    Args:
        seed: Other documents.
        number: Which.
        least: How many layers to try for at the least.
        expressions: How often a step is a `Compute`, against 12 for a layer.
        recurrences: How often a step is a recurrence of a cell, against 12 for a layer.
    """
    names = _layers()
    favourite = names[number % len(names)]
    return draw_document(Random(f"{seed} {number}"), favourite, least=least, expressions=expressions, recurrences=recurrences)


def _layers() -> list[str]:
    """All but those that take positions or boxes: a picture that is put together again needs the very positions of one that was
    taken apart, and room for them, and boxes need their image. ``test_drawn_layers`` proves those alone.
    """
    # Expressions and recurrences of cells are drawn apart.
    names = [name for name in LAYERS.names() if name not in ("Compute", "RNN")]
    layers = {name: cast(type[Layer], LAYERS.get(name)) for name in names}
    return [name for name, of in layers.items() if "indices" not in of.ports.required and not issubclass(of, TakesBoxes)]


def draw_document(
    random: Random,
    favourite: str,
    most: int = MOST_LAYERS,
    least: int = FEWEST_LAYERS,
    expressions: int = 0,
    recurrences: int = 0,
) -> Document:
    """A document of up to so many layers.

    Args:
        random: What decides.
        favourite: A layer that comes first and often, so that each has its turn.
        most: The most layers, those of blocks and networks counted at each use.
        least: How many to try for at the least.
        expressions: How often a step is a `Compute`, against 12 for a layer.
        recurrences: How often a step is a recurrence of a cell, against 12 for a layer.
    """
    for _ in range(50):
        document = _try(random, favourite, most, least, expressions, recurrences)
        if document is not None:
            return document
    raise AssertionError(f"no document around {favourite} was found")


def _try(random: Random, favourite: str, most: int, least: int, expressions: int, recurrences: int) -> Document | None:
    inputs = _inputs(random, favourite)
    if recurrences and random.random() < 0.5:  # series with a mask, which no layer of the catalogue makes of other inputs
        inputs[f"in{len(inputs)}"] = TensorType((symbol("T"),), "int32")
    around = _around(random, inputs)
    params = {"units": random.randint(1, 4)} if random.random() < 0.3 else {}
    drawer = Drawer(random, min(most, least + int(random.expovariate(1 / 10))), [*[favourite] * 4, *around], params)
    drawer.expressions, drawer.recurrences = expressions, recurrences
    for number in range(random.choice([0, 0, 0, 1, 2])):
        _draw_network(drawer, f"net{number}", random.choice(list(inputs.values())))
    steps = Steps(drawer, dict(inputs))
    embedded = _embed(steps)
    for _ in range(12):
        try:
            draw_plain(steps, favourite)
            break
        except Misfit:
            continue
    else:
        if not embedded or favourite != "Embedding":
            return None
    fill(steps, drawer.left + steps.size)
    return _document(random, steps, inputs, favourite)


def _around(random: Random, inputs: dict[str, TensorType]) -> list[str]:
    """The layers that can stand on what comes in: those that slide over other numbers of axes are left out."""
    ranks = {type.rank - (not type.is_integer) for type in inputs.values()}
    names = [name for name in _layers() if name[-2:] not in {f"{rank}D" for rank in (1, 2, 3)} - {f"{rank}D" for rank in ranks}]
    return random.sample(names, min(len(names), 14))


def _inputs(random: Random, favourite: str) -> dict[str, TensorType]:
    """One input mostly; pictures, series, tokens, volumes or plain features, of fixed and of free sizes."""
    layer: Any = LAYERS.get(favourite)
    wanted = spatial_axes(layer)
    channels = (issubclass(layer, Augmentation) and layer.channels) or (1, 2, 3, 4, 8)
    found: dict[str, TensorType] = {}
    for number in range(random.choice([1, 1, 1, 2])):
        spatial = wanted if wanted is not None and not number else random.choice([0, 1, 1, 1, 2])
        if spatial == 1 and (favourite == "Embedding" or random.random() < 0.5) and (number or not wanted):
            found[f"in{number}"] = TensorType((symbol("T") if random.random() < 0.7 else 6,), "int32")
            continue
        names = {1: ["T"], 2: ["H", "W"], 3: ["D", "H", "W"]}.get(spatial, [])
        sizes = [symbol(name) if random.random() < 0.4 else random.randint(5, 9) for name in names]
        found[f"in{number}"] = TensorType((*sizes, random.choice(channels)))
    if favourite == "Embedding":
        found["in0"] = TensorType((symbol("T"),), "int32")
    return found


def _embed(steps: Steps) -> bool:
    """Each input of tokens gets its table first; mostly with a mask."""
    tokens = [name for name, type in steps.inputs.items() if type.is_integer]
    for number, name in enumerate(tokens):
        arguments: dict[str, Any] = {
            "input_dim": steps.random.randint(4, 11),
            "output_dim": steps.random.choice([1, 2, 3, 4, 8]),
        }
        if steps.drawer.chance(0.75):
            arguments["mask_zero"] = True
        table = f"table{number}"
        entry = {"Embedding": arguments, "name": table, "from": name}
        steps.add(Part(table, entry, 1, partial(plain, table, "Embedding", arguments, {"x": name})), [name])
    return bool(tokens)


def _draw_network(drawer: Drawer, name: str, like: TensorType) -> None:
    """A network of one input like one of the document's, its symbols its own."""
    shape = tuple(size if isinstance(size, int) else symbol(f"N{axis}") for axis, size in enumerate(like.shape))
    if like.is_integer:  # What comes in is embedded by then.
        shape = (*shape, drawer.random.choice([1, 2, 3, 4, 8]))
    declared = TensorType(shape)
    steps = Steps(drawer, {"x": declared})
    left = drawer.left
    fill(steps, drawer.random.randint(1, 4), {"plain": 8, "keep": 4, "residual": 1, "block": 1, "share": 1})
    drawer.left = left
    if steps.parts and steps.parts[-1].name in steps.env.types:
        drawer.networks[name] = DrawnNetwork(declared, steps)


def _document(random: Random, steps: Steps, inputs: dict[str, TensorType], favourite: str) -> Document | None:
    names = [name for name in steps.env.types if name not in inputs]
    if not names:
        return None
    unread = [name for name in names if name.partition(".")[0] not in steps.read]
    chosen = [*unread[-2:], *random.sample(names, min(len(names), random.randint(0, 2)))] or names[-1:]
    last = steps.parts[-1].name
    outputs: Any = {f"y{number}": name for number, name in enumerate(dict.fromkeys(chosen))}
    given = {output: steps.env.types[name] for output, name in outputs.items()}
    if list(outputs.values()) == [last] and random.random() < 0.5:
        outputs, given = None, {last: given["y0"]}
    drawer = steps.drawer
    text: dict[str, Any] = {"nnspec": 1, "name": "drawn", "params": drawer.params}
    text["blocks"] = {name: _block(*block) for name, block in drawer.blocks.items()}
    text["networks"] = {
        name: {"inputs": {"x": declared(net.declared)}, "layers": [part.entry for part in net.steps.parts]}
        for name, net in drawer.networks.items()
    }
    text["blocks"] |= {name: cell.entry for name, cell in drawer.cells.items() if not cell.is_network}
    text["networks"] |= {name: cell.entry for name, cell in drawer.cells.items() if cell.is_network}
    text["inputs"] = {name: declared(type) for name, type in inputs.items()}
    text["layers"] = [part.entry for part in steps.parts]
    text["outputs"] = outputs
    kept = {key: value for key, value in text.items() if value}
    return Document(yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, width=120), given, favourite)


def _block(inner: Steps, defaults: dict[str, Any], required: bool) -> dict[str, Any]:
    params = {**defaults, "width": "int"} if required else defaults
    return {"params": params, "layers": [part.entry for part in inner.parts]}
