"""Specs made to take a machine down: each is short, and doubles, multiplies or repeats something until nothing is left.

``HOSTILE`` holds their texts by name. Each must be answered with a diagnostic that names what went too far, within bounds of
memory and of work; those of ``FINE`` are large and good, and must stay so.
"""

from __future__ import annotations

__all__ = ["FINE", "HOSTILE"]

_HEAD = "nnspec: 1\nname: net\n"
_X = "inputs: {x: [4]}\n"
_FLAT = _X + "layers: [Flatten]\n"


def _params(lines: list[str]) -> str:
    return _HEAD + "params:\n" + "".join(f"  {line}\n" for line in lines)


def _doubled(first: str, again: str, levels: int) -> list[str]:
    return [f"s0: {first}", *(f"s{n}: {again.replace('@', f's{n - 1}')}" for n in range(1, levels))]


def _levels(down: str, up: str, levels: int) -> str:
    steps = f"  - {down}\n" * levels + f"  - {up}\n" * levels
    return _HEAD + "inputs: {x: [T, 4]}\nlayers:\n" + steps + "  - Identity:\n    name: last\n  - Add:\n    from: [last, x]\n"


def _chain(shape: str, step: str, count: int) -> str:
    return _HEAD + f"inputs: {{x: {shape}}}\nlayers:\n" + step * count


def _networks(inner: str, outer: str, count: int, shape: str = "[4]") -> str:
    first = f"  n0: {{inputs: {{x: {shape}}}, layers: [{inner}]}}\n"
    others = "".join(
        f"  n{n}: {{inputs: {{x: {shape}}}, layers: [{outer.replace('@', f'n{n - 1}')}]}}\n" for n in range(1, count)
    )
    return _HEAD + "networks:\n" + first + others + f"inputs: {{x: {shape}}}\nlayers: [n{count - 1}]\n"


def _wrapped(step: str, shape: str) -> str:
    """Blocks that each wrap the one before, twice."""
    first = (
        "  b0:\n    inputs: {x: [4], h: [4]}\n    layers:\n      - Compute: x + h\n        name: n\n    outputs: {o: n, h: n}\n"
    )
    others = "".join(
        f"  b{n}: {{layers: [{{{step.replace('@', f'b{n - 1}')}}}, {{{step.replace('@', f'b{n - 1}')}}}]}}\n"
        for n in range(1, 38)
    )
    return _HEAD + "blocks:\n" + first + others + f"inputs: {{x: {shape}}}\nlayers: [b37]\n"


def _symbols(count: int) -> str:
    names = [f"T{n}" for n in range(count)]
    groups = [names[n : n + 4] for n in range(0, count, 4)]
    inputs = ", ".join(f"x{n}: [{', '.join(group)}]" for n, group in enumerate(groups))
    steps = "".join(
        f"  - Flatten:\n    from: x{n}\n    name: f{n}\n  - Reshape: {{target_shape: [-1, 1]}}\n    name: r{n}\n"
        for n in range(len(groups))
    )
    steps += "  - Identity:\n    from: r0\n    name: p0\n"
    for n in range(1, len(groups)):
        steps += f"  - Dot: {{axes: 2}}\n    from: [p{n - 1}, r{n}]\n    name: d{n}\n  - Reshape: {{target_shape: [-1, 1]}}\n    name: p{n}\n"
    return _HEAD + f"inputs: {{{inputs}}}\nlayers:\n{steps}"


def _sums(count: int) -> str:
    """A product of (A + B) for each pair of inputs."""
    inputs = ", ".join(f"a{n}: [A{n}, 1], b{n}: [B{n}, 1]" for n in range(count))
    steps = "".join(f"  - Concatenate: {{axis: 1}}\n    from: [a{n}, b{n}]\n    name: c{n}\n" for n in range(count))
    steps += "  - Identity:\n    from: c0\n    name: p0\n"
    for n in range(1, count):
        steps += f"  - Dot: {{axes: 2}}\n    from: [p{n - 1}, c{n}]\n    name: d{n}\n  - Reshape: {{target_shape: [-1, 1]}}\n    name: p{n}\n"
    return _HEAD + f"inputs: {{{inputs}}}\nlayers:\n{steps}"


def _pyramid(levels: int) -> str:
    steps = "".join(
        f"  - MaxPooling1D: {{pool_size: 3, padding: same}}\n    from: {'x' if n == 0 else f'c{n - 1}'}\n    name: m{n}\n"
        f"  - Concatenate: {{axis: 1}}\n    from: [{'x' if n == 0 else f'c{n - 1}'}, m{n}]\n    name: c{n}\n"
        for n in range(levels)
    )
    return _HEAD + "inputs: {x: [T, 4]}\nlayers:\n" + steps


def _squares(levels: int) -> str:
    steps = "  - Concatenate: {axis: 1}\n    from: [x, y]\n    name: p0\n"
    for n in range(1, levels):
        steps += f"  - Dot: {{axes: 2}}\n    from: [p{n - 1}, p{n - 1}]\n    name: d{n}\n  - Reshape: {{target_shape: [-1, 1]}}\n    name: p{n}\n"
    return _HEAD + "inputs: {x: [T, 1], y: [3, 1]}\nlayers:\n" + steps


_LONG_LIST = "[" + "1, " * 8_999 + "1]"

HOSTILE: dict[str, str] = {
    "a list doubled 23 times": _params(_doubled("[1, 2, 3]", "['$@', '$@']", 24)) + _FLAT,
    "a list doubled by +": _params(_doubled("[1, 2, 3]", "'${@ + @}'", 40)) + _FLAT,
    "a list tripled in flow": _params(_doubled("[1]", "['$@', '$@', '${@}']", 30)) + _X + "layers: [{Dense: {units: $s29}}]\n",
    "a mapping doubled": _params(_doubled("{a: 1}", "{a: $@, b: $@}", 40)) + _X + "layers: [{Dense: {units: $s39}}]\n",
    "a list that is copied by every layer": _params([f"s: {_LONG_LIST}"]) + _X + "layers:\n" + "  - Reshape: {target_shape: $s}\n" * 4_000,
    "a list that is copied at every turn": _params([f"s: {_LONG_LIST}"]) + _X + "layers:\n  - Reshape: {target_shape: $s}\n    repeat: 40_000\n",
    "a list that is a block's default": _HEAD + f"blocks:\n  b: {{params: {{s: {_LONG_LIST}}}, layers: [{{Reshape: {{target_shape: $s}}}}]}}\n" + _X + "layers:\n  - b:\n    repeat: 40_000\n",
    "a list handed down through blocks": _HEAD + "blocks:\n  b0: {params: {s: null}, layers: [Flatten]}\n" + "".join(f"  b{n}: {{params: {{s: null}}, layers: [{{b{n - 1}: {{s: $s}}}}, {{b{n - 1}: {{s: $s}}}}]}}\n" for n in range(1, 14)) + f"{_X}layers: [{{b13: {{s: {_LONG_LIST}}}}}]\n",
    "a long text copied 100,000 times": _params([f"a: '{'x' * 9_000}'", f"b: [{', '.join(['x$' + '{a}'] * 99_000)}]".replace("x${a}", "'x${a}'")]) + _FLAT,
    "a text that doubles at each turn": _params(["a: 'xxxxxxxxxx'"]) + "blocks:\n  b0: {params: {a: str}, layers: [{Activation: $a}]}\n" + "".join(f"  b{n}: {{params: {{a: str}}, layers: [{{b{n - 1}: {{a: '${{a}}${{a}}'}}}}]}}\n" for n in range(1, 35)) + _X + "layers: [{b34: {a: $a}}]\n",
    "many params and many turns": _params([f"p{n}: {n}" for n in range(30_000)]) + _X + "layers:\n  - Dense: {units: '${i + p3 + 1}'}\n    repeat: 20_000\n    as: i\n",
    "repeats of nothing": _HEAD + _X + "layers:\n" + "".join("    " * n + "  - repeat: 40_000\n" + "    " * n + "    layers:\n" for n in range(4)) + "    " * 4 + "  []\n",
    "repeats of what is no step": _HEAD + _X + "layers:\n" + "".join("    " * n + "  - repeat: 40_000\n" + "    " * n + "    layers:\n" for n in range(3)) + "    " * 3 + "  - 7\n",
    "round to -1,000,000,000 digits": _params(["a: '${round(7, -1000000000)}'"]) + _X + "layers: [{Dense: {units: $a}}]\n",
    "9**9**9": _params(["a: '${9**9**9}'"]) + _X + "layers: [{Dense: {units: $a}}]\n",
    "a power of a fraction": _params(["a: '${(0-8)**0.5}'"]) + _X + "layers: [{Dense: {units: $a}}]\n",
    "networks that double": _networks("Dense: {units: 4}".join("{}"), "@, @", 40),
    "a chain of 400 networks": _networks("{Dense: {units: 4}}", "@, {Dense: {units: 4}}", 400),
    "a mask through 120 networks": _networks("{Dense: {units: 4}}", "@", 120, "[T, 4]").replace("inputs: {x: [T, 4]}\nlayers: [", "inputs: {x: [T, 4]}\nlayers: [Masking, "),
    "cells that double": _wrapped("RNN: {cell: @}", "[T, 4]"),
    "distributed blocks that double": _wrapped("TimeDistributed: {layer: @}", "[T, 4]"),
    "a constant of 10**27 zeros": _HEAD + _X + "layers:\n  - Compute: x + sum(zeros([10**9, 10**9, 10**9]), axis=[0, 1, 2])\n",
    "a constant of 2 GB": _HEAD + _X + "layers:\n  - Compute: x + sum(linspace(0, 1, 500_000_000), axis=0)\n",
    "20 constants of 120 MB": _HEAD + _X + "layers:\n" + "  - Compute: x * sum(ones([30, 1_000_000]), axis=[0, 1])\n" + "".join(f"  - Compute: x * sum(ones([30, 1_000_{n:03}]), axis=[0, 1])\n    from: {'compute' if n == 1 else f'compute_{n - 1}'}\n" for n in range(1, 20)),
    "cells with errors that double": _wrapped("RNN: {cell: @}", "[T, 4]").replace("x + h\n", "x + hh\n"),
    "branches that double": _HEAD + "blocks:\n  b0: {layers: [Flatten]}\n" + "".join(f"  b{n}: {{layers: [{{Parallel: {{branches: [[b{n - 1}], [b{n - 1}]], merge: Add}}}}]}}\n" for n in range(1, 40)) + _X + "layers: [b39]\n",
    "residuals that double": _HEAD + "blocks:\n  b0: {layers: [{Dense: {units: 4}}]}\n" + "".join(f"  b{n}: {{layers: [{{Residual: {{layers: [b{n - 1}, b{n - 1}]}}}}]}}\n" for n in range(1, 40)) + _X + "layers: [b39]\n",
    "an error in a block that doubles": _HEAD + "blocks:\n  b0: {layers: [Dens]}\n" + "".join(f"  b{n}: {{layers: [b{n - 1}, b{n - 1}]}}\n" for n in range(1, 40)) + _X + "layers: [b39]\n",
    "24 levels of pooling and upsampling": _levels("MaxPooling1D", "UpSampling1D", 24),
    "a product of 40 sums": _sums(40),
    "a square 12 times": _squares(12),
    "quotients of quotients": _pyramid(60),
    "a size that grows 2,000 times": _chain("[T, 4]", "  - UpSampling1D: {size: 1_000_000_000}\n", 2_000),
    "a number that grows 2,000 times": _chain("[4, 4]", "  - UpSampling1D: {size: 1_000_000_000}\n", 2_000),
    "a product of 60,000 numbers": _HEAD + _X + f"layers: [{{Reshape: {{target_shape: [{', '.join(['1000000'] * 60_000)}]}}}}]\n",
    "60 names of 60,000 characters": _HEAD + _X + "layers:\n" + "".join(f"  - Dense: {{units: 4}}\n    name: {'ab' * 30_000}{n}\n" for n in range(60)) + f"  - Flatten:\n    from: {'ba' * 30_000}\n",
    "400 names that nearly match 400": _HEAD + _X + "layers:\n" + "".join(f"  - Dense: {{units: 4}}\n    name: {'layer_of_the_net_' * 12}{n}\n" for n in range(400)) + "".join(f"  - Dense: {{units: 4}}\n    name: z{n}\n    from: {'layer_of_teh_net_' * 12}{n}\n" for n in range(400)),
    "400 unknown params among 40,000": _params([f"p{n}: 1" for n in range(40_000)]) + _X + "layers:\n" + "".join(f"  - Dense: {{units: $q{n}{'x' * 40}}}\n" for n in range(400)),
    "a run of letters before an expression": _HEAD + "layers: {a: " + "a" * 1_000_000 + " ${b}: }\n",
    "a run of spaces in a step": _HEAD + _X + "layers:\n  - Dense name: " + " " * 300_000 + "x\n",
    "a run of spaces without an end": _HEAD + _X + "layers:\n  - Dense name: a" + " " * 300_000 + "x" + " " * 300_000 + "x\n",
    "20,000 colons without a space": _HEAD + _X + "layers:\n" + "  - Dense:{units: 4}\n" * 20_000 + "#" + "x" * 3_000_000 + "\n",
    "20,000 steps on one line": _HEAD + _X + "layers:\n" + "  - Flatten name: a\n" * 20_000 + "#" + "x" * 3_000_000 + "\n",
    "an equation of 60,000 letters": _HEAD + f"inputs: {{x: [4, 4]}}\nlayers: [{{EinsumDense: {{equation: '{'a' * 30_000},{'b' * 30_000}->ab', output_shape: [4, 4]}}}}]\n",
    "an axis list of 60,000": _HEAD + "inputs: {x: [4, 4]}\nlayers: [{LayerNormalization: {axis: [" + "1, " * 60_000 + "2]}}]\n",
    "a symbol of 60,000 letters": _HEAD + f"inputs: {{x: [{'T' * 60_000}, 4]}}\nlayers: [{{Conv1D: {{filters: 4, kernel_size: 3}}}}, {{Conv1D: {{filters: 4, kernel_size: 3, strides: 2}}}}, Flatten, {{Dense: {{units: 3}}}}]\n",
    "an expression in a key": _HEAD + _X + "layers: [{" + "'${" + "a" * 60_000 + "}': 1}]\n",
}  # fmt: skip
"""Texts that must be refused."""

FINE: dict[str, str] = {
    "16 levels of pooling and upsampling": _levels("MaxPooling1D", "UpSampling1D", 16),
    "a product of 40 symbols": _symbols(40),
    "a sum of 3,000 tensors": _HEAD + "inputs: {x: [T, 4]}\nlayers: [{Add: , from: [" + ", ".join(["x"] * 3_000) + "]}]\n",
    "10,000 layers": _chain("[4]", "  - Dense: {units: 4}\n", 10_000),
    "an enlargement to 100,000 positions": _HEAD + "inputs: {x: [7, 1]}\nlayers: [{AdaptiveAveragePooling1D: {output_size: 100_000}}, GlobalMaxPooling1D]\n",
    "strides 2 and 3, 6 times": _chain("[T, 4]", "  - Conv1D: {filters: 4, kernel_size: 3, strides: 2, padding: same}\n  - UpSampling1D: {size: 3}\n", 6),
    "nested residuals": _HEAD + "blocks:\n  b0: {layers: [{Dense: {units: 4}}]}\n" + "".join(f"  b{n}: {{layers: [{{Residual: {{layers: [b{n - 1}]}}}}]}}\n" for n in range(1, 39)) + _X + "layers: [b38]\n",
}  # fmt: skip
"""Texts that are large or deep, and good."""
