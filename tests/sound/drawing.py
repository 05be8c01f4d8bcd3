"""Random specs about sizes: free, fixed and unknown ones that meet in merges, reshapes, strides, attention and networks.

Unlike the documents of ``tests.proof``, nothing here avoids sizes that fit only sometimes: those are the point. Types are
tracked with the layers' own inference, only so that most steps make sense; about half of the specs are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import yaml
from pydantic import ValidationError

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, LayerError
from nnspec.types import Dim, TensorType, symbol, unknown

from ..layers.arguments import draw_arguments, spatial_axes
from ..proof.expressions import drawn_expressions, tensors_of

__all__ = ["drawn_spec", "numbered"]

Shape = list[Any]
Types = dict[str, TensorType]

_WEIGHTS = {
    "Add": 8, "Multiply": 3, "Subtract": 2, "Maximum": 2, "Average": 1, "Concatenate": 7, "Dot": 5,
    "Attention": 4, "AdditiveAttention": 1, "MultiHeadAttention": 1, "EinsumDense": 3,
    "Conv1D": 5, "Conv2D": 3, "SeparableConv1D": 1, "DepthwiseConv1D": 1, "Conv1DTranspose": 3, "Conv2DTranspose": 1,
    "MaxPooling1D": 5, "AveragePooling1D": 2, "MaxPooling2D": 3, "AveragePooling2D": 1,
    "UpSampling1D": 5, "UpSampling2D": 2, "Cropping1D": 4, "Cropping2D": 1, "ZeroPadding1D": 4, "ZeroPadding2D": 1,
    "Reshape": 7, "Flatten": 5, "Dense": 5, "Permute": 3, "RepeatVector": 2, "Slice": 4,
    "PositionEmbedding": 3, "SinusoidalPositionEncoding": 1, "Resizing": 1, "CenterCrop": 1, "AdaptiveAveragePooling1D": 1,
    "LSTM": 2, "GRU": 1, "SimpleRNN": 1, "Bidirectional": 2, "TimeDistributed": 2, "Masking": 2,
    "Softmax": 2, "LayerNormalization": 3, "BatchNormalization": 2, "GroupNormalization": 1, "RMSNormalization": 1,
    "UnitNormalization": 1, "PReLU": 1, "Dropout": 1, "ReLU": 1, "Sum": 1, "Mean": 1,
    "GlobalAveragePooling1D": 2, "GlobalMaxPooling1D": 1, "GlobalAveragePooling2D": 1, "GlobalMaxPooling2D": 1,
}  # fmt: skip

_ARGUMENTS = ("initializer", "regularizer", "constraint")
_LARGEST = 4_000


class _Refused(Exception):
    """The layers' own inference does not take this step."""


def numbered(seed: int, number: int, expressions: float = 0) -> str:
    """The text of the spec of a number.

    Args:
        seed: Other specs.
        number: Which.
        expressions: How often a step is a `Compute`, against 20 for a layer.
    """
    spec = drawn_spec(Random(f"{seed} {number}"), expressions)
    return yaml.safe_dump(spec, sort_keys=False, default_flow_style=None, width=120)


def drawn_spec(random: Random, expressions: float = 0) -> dict[str, Any]:
    """A spec as plain data."""
    while True:
        spec = _Drawing(random, expressions).spec()
        if spec["layers"]:
            return spec


class _Drawing:
    def __init__(self, random: Random, expressions: float) -> None:
        self.random, self.expressions = random, expressions
        # Half of the specs follow the layers' inference; in the others some steps are kept although it refuses them.
        self.kept = random.choice([0.0, 0.1, 0.4, 0.8])
        self.types: Types = {}
        self.entries: list[Any] = []
        self.read: set[str] = set()
        self.spec_: dict[str, Any] = {"nnspec": 1, "name": "drawn"}

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    # --- inputs -----------------------------------------------------------------------------------------------------

    def inputs(self) -> dict[str, Any]:
        random = self.random
        kind = random.choices(["sequence", "image", "vector", "tokens"], [6, 3, 1, 2])[0]
        first = self._shape(kind)
        declared: dict[str, Any] = {}
        for name in ("a", "b", "c")[: random.choice([1, 1, 2, 2, 2, 3])]:
            shape = first if name == "a" else [self._other(size, place == len(first) - 1) for place, size in enumerate(first)]
            if name != "a" and self.chance(0.15):
                kind = random.choice(["sequence", "image", "vector"])
                shape = self._shape(kind)
            integer = kind == "tokens" and (name == "a" or self.chance(0.5))
            if kind == "tokens" and not integer:
                shape = [*shape, random.choice([1, 3, 4])]
            declared[name] = {"shape": shape, "dtype": "int32"} if integer else shape
            sizes = tuple(unknown() if s is None else symbol(s) if isinstance(s, str) else s for s in shape)
            self.types[name] = TensorType(sizes, "int32" if integer else "float32")
        return declared

    def _shape(self, kind: str) -> Shape:
        channels = "C" if self.chance(0.07) else self.random.choice([1, 2, 3, 4, 4, 6, 8])
        free = {"sequence": 1, "image": 2, "vector": 0, "tokens": 1}[kind]
        sizes = [self._size("TS" if free == 1 else "HWT") for _ in range(free)]
        if kind == "vector" and self.chance(0.3):
            channels = "T"
        return sizes if kind == "tokens" else [*sizes, channels]

    def _size(self, symbols: str) -> Any:
        return self.random.choices(
            [self.random.choice(symbols), self.random.choice([1, 2, 3, 4, 5, 6, 7, 8, 12]), None], [7, 3, 0.7]
        )[0]

    def _other(self, size: Any, last: bool) -> Any:
        if self.chance(0.85 if last else 0.45):
            return size
        return self.random.choice([4, 6, 8]) if last else self._size("TSHW")

    # --- steps ------------------------------------------------------------------------------------------------------

    def spec(self) -> dict[str, Any]:
        self.spec_["inputs"] = self.inputs()
        steps = min(9, 1 + int(self.random.expovariate(1 / 3)))
        for name in [name for name, type in self.types.items() if type.is_integer]:
            self.plain("Embedding", [name])
        for _ in range(steps):
            for _ in range(10):
                try:
                    self.step()
                    break
                except _Refused:
                    continue
        self.outputs()
        self.spec_["layers"] = self.entries
        return self.spec_

    def outputs(self) -> None:
        steps = [name for name in self.types if name not in self.spec_["inputs"]]
        unread = [name for name in steps if name not in self.read]
        if len(unread) > 1 or (steps and self.chance(0.2)):
            chosen = [*unread, *self.random.sample(steps, min(len(steps), self.random.choice([0, 0, 1])))]
            plain = [name for name in dict.fromkeys(chosen) if "." not in name or self.expressions]
            named = {f"o{place}": name for place, name in enumerate(plain)}
            self.spec_["outputs"] = named if any("." in name for name in plain) else plain

    def step(self) -> None:
        kinds = {"plain": 20, "residual": 1.5, "parallel": 1.5, "network": 1.5, "block": 1, "repeat": 0.7}
        kinds |= {"compute": self.expressions} if self.expressions else {}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        if kind == "plain":
            self.plain(self._op(self.types[self.pick()]))
        else:
            getattr(self, kind)()

    def pick(self) -> str:
        names = list(self.types)
        return names[-1] if self.chance(0.5) else self.random.choice(names)

    def _op(self, x: TensorType) -> str:
        for _ in range(30):
            op = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            axes = spatial_axes(LAYERS.get(op))  # type: ignore[arg-type]
            if axes is None or axes + 1 == x.rank or self.chance(0.01):
                return op
        return "Flatten"

    def plain(self, op: str, reads: Sequence[str] = ()) -> None:
        """One layer under a name of its own."""
        layer = LAYERS.get(op)
        assert issubclass(layer, Layer)
        reads = list(reads) or self._reads(layer)
        ports = _ports(layer, reads)
        arguments = self.arguments(op, [self.types[name] for name in reads])
        outputs = self._inferred(op, arguments, {port: self.types[name] for port, name in ports.items()})
        source: Any = reads if layer.ports.variadic else ports if len(reads) > 1 else reads[0]
        self.add({op: arguments or None, "from": source}, outputs, reads)

    def compute(self) -> None:
        """Expressions of one to three tensors."""
        first = self.pick()
        chosen = list(dict.fromkeys([first, *(self._like(first) for _ in range(self.random.choice([0, 1, 1, 2])))]))
        reads = dict(zip("pqr", chosen, strict=False))
        types = {port: self.types[read] for port, read in reads.items()}
        results = drawn_expressions(self.random, types, {})
        if results is None:
            raise _Refused
        used = {port: reads[port] for port in tensors_of(results, types)}
        inputs = {port: types[port] for port in used}
        outputs = self._inferred("Compute", {"results": results, "reads": list(used)}, inputs)
        self.add({"Compute": results, "from": used}, outputs, list(used.values()))

    def add(self, entry: dict[str, Any], outputs: Types, reads: Sequence[str]) -> None:
        name = f"s{len(self.entries)}"
        self.entries.append({**entry, "name": name})
        self.read.update(name.partition(".")[0] for name in reads)
        for output, type in outputs.items():
            self.types[name if output == "output" else f"{name}.{output}"] = type

    def arguments(self, op: str, inputs: Sequence[TensorType]) -> dict[str, Any]:
        random, x = self.random, inputs[0]
        drawn = draw_arguments(random, op, inputs)
        drawn = {name: value for name, value in drawn.items() if not name.endswith(_ARGUMENTS)}
        drawn.pop("data_format", None)
        if "activation" in drawn and op != "Activation":
            drawn["activation"] = random.choice(["relu", "tanh", "sigmoid"])
        if op == "Reshape":
            drawn = {"target_shape": self._target(x)}
        elif op in ("Cropping1D", "ZeroPadding1D"):
            drawn = {"cropping" if op == "Cropping1D" else "padding": random.choice([1, 2, 3, [0, 1], [1, 0], [0, 2], [2, 5]])}
        elif op == "PositionEmbedding":
            drawn["max_length" if "max_length" in drawn else "sequence_length"] = random.choice([3, 8, 20, 70])
        elif op == "Slice" and self.chance(0.3):
            drawn |= {"start": random.choice([-4, -3, 3, 4]), "stop": random.choice([None, -1, -2, 5])}
        elif (op == "MaxPooling1D" and self.chance(0.5)) or (op == "UpSampling1D" and self.chance(0.5)):
            drawn = {}
        return drawn

    def _target(self, x: TensorType) -> list[int]:
        total = 1
        for size in x.shape:
            total *= size if isinstance(size, int) else self.random.choice([1, 2, 3, 4, 6])
        sizes = []
        for _ in range(self.random.choice([0, 1, 1, 2])):
            factor = self.random.choice([d for d in (1, 2, 3, 4, 6, 8) if total % d == 0] if self.chance(0.9) else [2, 3, 5])
            sizes.append(factor)
            total = max(1, total // factor)
        if self.chance(0.85):
            sizes.insert(self.random.randint(0, len(sizes)), -1)
        else:
            sizes.append(total)
        return sizes

    def _reads(self, layer: type[Layer]) -> list[str]:
        first = self.pick()
        if layer.ports.variadic:
            return [
                first,
                *(
                    self._like(first)
                    for _ in range(self.random.choice([1, 1, 1, 2] if layer.__name__ not in ("Dot", "Subtract") else [1]))
                ),
            ]
        more = len(layer.ports.required) - 1
        if "key" in layer.ports.optional and self.chance(0.3):
            more += 1
        return [first, *(self._like(first) for _ in range(more))]

    def _like(self, name: str) -> str:
        """Another tensor, mostly of as many axes."""
        rank = self.types[name].rank
        alike = [other for other, type in self.types.items() if type.rank == rank]
        return self.random.choice(alike if self.chance(0.85) else list(self.types))

    def _inferred(self, op: str, arguments: Mapping[str, Any], inputs: Types) -> Types:
        """What the layer makes of its inputs; nothing where it refuses them and the step is kept nonetheless."""
        try:
            layer = LAYERS.get(op)(**arguments)
            assert isinstance(layer, Layer)
            outputs = layer.output_types(inputs)
            layer.weights(inputs)
        except (LayerError, ValidationError) as error:
            if self.chance(self.kept):
                return {}
            raise _Refused from error
        for type in outputs.values():
            total = 1
            for size in type.shape:
                total *= size if isinstance(size, int) else 12
            if total > _LARGEST or any(isinstance(size, int) and size < 1 for size in type.shape):
                raise _Refused
        return outputs

    # --- steps that hold others -------------------------------------------------------------------------------------

    def chain(self, x: TensorType, count: int) -> tuple[list[Any], TensorType]:
        """A list of layers of one input, each reading the one before."""
        entries: list[Any] = []
        for _ in range(count):
            for _ in range(12):
                op = self._op(x)
                layer = LAYERS.get(op)
                if not issubclass(layer, Layer) or layer.ports.variadic or len(layer.ports.required) > 1:
                    continue
                arguments = self.arguments(op, [x])
                try:
                    outputs = self._inferred(op, arguments, {layer.ports.required[0]: x})
                except _Refused:
                    continue
                if set(outputs) == {"output"}:
                    entries.append({op: arguments or None})
                    x = outputs["output"]
                    break
        if not entries:
            raise _Refused
        return entries, x

    def residual(self) -> None:
        read = self.pick()
        x = self.types[read]
        entries, inner = self.chain(x, self.random.choice([1, 1, 2, 3]))
        shortcut, around = self.chain(x, 1) if self.chance(0.35) else (None, x)
        outputs = self._inferred("Add", {}, {"0": inner, "1": around})
        self.add(
            {"Residual": {"layers": entries} | ({"shortcut": shortcut} if shortcut else {}), "from": read}, outputs, [read]
        )

    def parallel(self) -> None:
        read = self.pick()
        branches = [self.chain(self.types[read], self.random.choice([1, 1, 2])) for _ in range(self.random.choice([2, 2, 3]))]
        if self.chance(0.4):
            branches[-1] = (["Identity"], self.types[read])
        merge = self.random.choice(["Concatenate", "Concatenate", "Add", "Maximum"])
        outputs = self._inferred(merge, {}, {str(i): type for i, (_, type) in enumerate(branches)})
        self.add(
            {"Parallel": {"branches": [entries for entries, _ in branches], "merge": merge}, "from": read}, outputs, [read]
        )

    def network(self) -> None:
        """A network with inputs of its own symbols, used once or again later."""
        networks = self.spec_.setdefault("networks", {})
        name = f"n{len(networks)}"
        reads = [self.pick()]
        if self.chance(0.6):
            reads.append(self._like(reads[0]))
        types = {port: self.types[read] for port, read in zip("xy", reads, strict=False)}
        if any(type.is_integer for type in types.values()):
            raise _Refused
        declared = {port: self._declared(type) for port, type in types.items()}
        if len(reads) > 1:
            merge = self.random.choice(["Add", "Concatenate", "Multiply"])
            layers = [{merge: None, "from": ["x", "y"]}]
            outputs = self._inferred(merge, {}, dict(zip("01", types.values(), strict=True)))
            last = outputs.get("output")
        else:
            layers, last = self.chain(types["x"], 2)
            outputs = {"output": last}
        if last is not None and self.chance(0.4):
            more, last = self.chain(last, 1)
            layers, outputs = [*layers, *more], {"output": last}
        networks[name] = {"inputs": declared, "layers": layers}
        self.add({name: None, "from": dict(zip("xy", reads, strict=False)) if len(reads) > 1 else reads[0]}, outputs, reads)

    def _declared(self, type: TensorType) -> Shape:
        letters = self.random.choice(["MNMN", "MNPQ", "MMMM"])
        return [
            letters[place % 4] if isinstance(size, Dim) or self.chance(0.15) else size for place, size in enumerate(type.shape)
        ]

    def block(self) -> None:
        read = self.pick()
        blocks = self.spec_.setdefault("blocks", {})
        layers, last = self.chain(self.types[read], self.random.choice([1, 2]))
        name = f"k{len(blocks)}"
        blocks[name] = {"layers": layers}
        self.add({name: None, "from": read}, {"output": last}, [read])

    def repeat(self) -> None:
        read = self.pick()
        [entry], last = self.chain(self.types[read], 1)
        count = self.random.choice([2, 2, 3])
        [(op, arguments)] = entry.items()
        for _ in range(count - 1):
            outputs = self._inferred(op, arguments or {}, {"x": last})
            if "output" not in outputs:
                raise _Refused
            last = outputs["output"]
        self.add({**entry, "repeat": count, "from": read}, {"output": last}, [read])


def _ports(layer: type[Layer], reads: Sequence[str]) -> dict[str, str]:
    if layer.ports.variadic:
        return {str(place): name for place, name in enumerate(reads)}
    names = (*layer.ports.required, *(("key",) if "key" in layer.ports.optional else ()))
    return dict(zip(names, reads, strict=False))
