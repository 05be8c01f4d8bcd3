"""The keys of the language that no class describes: their meaning, for the JSON Schema, the reference and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.spec.reader import read_text
from nnspec.spec.tree import MappingNode

__all__ = ["KEYWORDS", "Keyword", "about"]


@dataclass(frozen=True)
class Keyword:
    """A key of the language.

    Attributes:
        about: What it means, in one paragraph; the description in the JSON Schema.
        type: The accepted values.
        default: The value if it is not given, as written; ``required`` if it must be.
        example: An example on one line.
        details: More, as Markdown.
    """

    about: str
    type: str
    default: str = "none"
    example: str = ""
    details: str = ""


_OUTPUTS = Keyword(
    "Output steps: a list, or a mapping that renames them; the last step by default.",
    "a name, a list of names, or a mapping of new names to names",
    "the last step",
    "outputs: {logits: decoder.logits}",
)
_STEPS = "layers: [{Dense: {units: 8, activation: relu}}, {Dense: 1}]"
_LAYERS = Keyword("Steps in order; each reads the previous step or the source in `from`.", "a list of steps", "none", _STEPS)
_CHECK = Keyword(
    "Conditions on params, and on sizes of inputs and outputs.",
    "a list of conditions",
    example="check: [{that: width % heads == 0, message: heads must divide width}]",
    details="""\
Conditions on params are decided immediately. Conditions on sizes of inputs and outputs (axis 0 is the batch) become
conditions of the model if the sizes are free. Free sizes are compared with `==`, `<=`, `<`, `>=` and `>`, after `+ - *`,
`// N` and `% N`, and joined by `and`. See [params and checks](../params.md).

```yaml
check:
  - that: width % heads == 0
    message: heads must divide width
  - that: output.shape[1] <= 512 and image.shape[1] % 32 == 0
    message: too long for the service
```""",
)
_DESCRIPTION = Keyword("A text for readers; it has no effect.", "text", example="description: LeNet-5, LeCun et al. 1998")

KEYWORDS: Mapping[str, Mapping[str, Keyword]] = {
    "document": {
        "nnspec": Keyword("Version of the language.", "`1`", "required", "nnspec: 1"),
        "name": Keyword("Name of the model.", "text of `a-z`, `0-9`, `_` and `-`", "required", "name: lenet5"),
        "description": _DESCRIPTION,
        "params": Keyword(
            "Named constants; later ones can use earlier ones: `$width`.",
            "a mapping of names to values or declarations",
            "`{}`",
            "params: {width: 16, heads: {default: 4, type: int}}",
            """\
`$width` and `${2 * width}` use a param; `--set params.width=32` changes it. A declaration checks every value: its
default, `--set`, and the argument of a block. Without `default`, the param is required. A mapping with other keys is a
value.

```yaml
params:
  width: {default: 64, type: int, at_least: 8, at_most: 512, multiple_of: 8, help: channels}
  cell: {default: gru, one_of: [gru, lstm]}
```""",
        ),
        "check": _CHECK,
        "use": Keyword(
            "Documents whose blocks and networks are imported.",
            "a list of files, or a mapping of names to files",
            example="use: [common.nnspec.yaml]",
            details="""\
A list takes all blocks, networks and objectives of a file. A mapping takes the top level of a document as a network of
that name, with all outputs or only the given ones. Paths are relative to the file that states them.

```yaml
use:
  backbone: {spec: resnet50.nnspec.yaml, outputs: [avg_pool]}
```""",
        ),
        "weights": Keyword(
            "Initial weights of the whole document.",
            "a file, or a mapping with the keys of `weights`",
            example="weights: runs/first",
        ),
        "blocks": Keyword(
            "User-defined layers.",
            "a mapping of names to blocks",
            "`{}`",
            "blocks: {unit: {params: {units: int}, layers: [{Dense: $units}, ReLU]}}",
            """\
A block is used like a layer. Each use has weights of its own. It sees the params of the document and its own, and
returns its `outputs`.

```yaml
blocks:
  unit:
    params: {units: int, rate: 0.5}
    layers:
      - Dense: {units: $units}
      - Dropout: {rate: $rate}
layers:
  - unit: {units: 8}
```""",
        ),
        "networks": Keyword(
            "Additional networks.",
            "a mapping of names to networks",
            "`{}`",
            "networks: {tower: {inputs: {x: [4]}, layers: [{Dense: 8}]}}",
            """\
A network is used like a layer. All uses share its weights. Its symbols are bound at each use.

```yaml
networks:
  tower:
    inputs: {x: [4]}
    layers:
      - Dense: {units: 8}
layers:
  - tower:
    name: left
    from: a
  - tower:
    name: right
    from: b
```""",
        ),
        "objectives": Keyword(
            "Training programs with params.",
            "a mapping of names to programs",
            "`{}`",
            details="See [training programs](../programs.md#objectives).",
            example="objectives: {denoising: {params: {deviation: 0.1}, layers: […], minimize: […]}}",
        ),
        "inputs": Keyword(
            "Inputs by name.",
            "a mapping of names to shapes",
            example="inputs: {image: [28, 28, 1], words: {shape: [T], dtype: int32}}",
            details="""\
The batch axis is implied. `[]` is a scalar. A size is a positive integer, a symbol such as `T` (unknown until run time,
the same wherever it is in its network), or `null` (unknown).""",
        ),
        "layers": _LAYERS,
        "outputs": _OUTPUTS,
    },
    "step": {
        "name": Keyword(
            "Name of the step and prefix of its weights.",
            "text",
            "the operation in snake case: `conv2d`, `conv2d_1`, …",
            "name: digit",
            """\
Other steps read the step by this name. `NAME.OUTPUT` is one of several outputs, `NAME/PART` a part inside a block or
repetition, which only `freeze` and `weights` can name. A name without an output means the output `output` if there are
several.""",
        ),
        "from": Keyword(
            "Sources: a name, a list of names, or a name for each input; the previous step by default.",
            "a name, a list of names, or a mapping of inputs to names",
            "the previous step; in the first step, the only input",
            "from: {query: q, value: encoder.output}",
            """\
A merge takes a list, `from: [a, b]`. A layer with named inputs takes a mapping; one name alone feeds all inputs of an
attention layer. The names can be computed: `from: $names`, `from: ${['e' + str(i) for i in range(3)]}`,
`from: {query: $q}`.""",
        ),
        "repeat": Keyword(
            "Number of times to run it in sequence.",
            "an integer ≥ 0",
            "`1`",
            "repeat: 3",
            """\
Each repetition has weights of its own, under `NAME/0`, `NAME/1`, …; `repeat: 0` passes the input through. `as` names
the counter. A group of steps, `{repeat: 3, layers: […]}`, is repeated as a whole.

```yaml
- Dense: {units: "${8 * 2 ** i}"}
  repeat: 3
  as: i
```

A block or network with several inputs must have outputs with the same names: each repetition reads those of the one
before, and the first reads `from`.

```yaml
- cell: # inputs: [x, h], outputs: {x: …, h: …}
  from: {x: tokens, h: state}
  repeat: 3
```""",
        ),
        "as": Keyword("Name of the counter of `repeat`, which starts at 0.", "a name", example="as: i"),
        "share": Keyword(
            "The layer to apply again with the same weights.",
            "a name, or a mapping with `layer` and call arguments",
            example="share: embedding",
            details="""\
It replaces the operation of a step. Call arguments of Keras are given beside the name:
`share: {layer: embedding, reverse: true}`.

```yaml
- Dense: {units: 8}
  name: first
- share: first
```""",
        ),
        "freeze": Keyword(
            "Whether to freeze its weights.",
            "true or false",
            "`false`",
            "freeze: true",
            "Frozen weights are not trained, and a frozen batch normalization infers. `train.freeze` names layers by path.",
        ),
        "weights": Keyword(
            "Initial weights of the step.",
            "a file, or a mapping with the keys of `weights`",
            example="weights: {file: runs/first, prefix: encoder}",
            details="""\
The file is a run folder or a `.safetensors` file. Weights are matched by name: with `prefix: encoder`, the weight
`encoder/conv2d/kernel` of the file is `conv2d/kernel` here. A missing name or another shape is an error. A network has
the same key: `weights: {file: runs/teacher}`.""",
        ),
        "layers": Keyword(
            "Steps of the group.",
            "a list of steps",
            example="layers: [ReLU, {Dense: 8}]",
            details="A step with `layers` in place of an operation is a group, which can be repeated and named.",
        ),
        "training": Keyword(
            "In a program: whether a network runs in training mode.",
            "true or false",
            "true for networks that are trained or averaged",
            "training: false",
        ),
    },
    "share": {
        "layer": Keyword(
            "The layer to apply again with the same weights.", "a name", "required", "share: {layer: embedding, reverse: true}"
        ),
    },
    "operation": {
        "Residual": Keyword(
            "Adds the input, or the output of the shortcut, to the output of its layers (He et al. 2015).",
            "a mapping",
            details="""\
```yaml
- Residual:
    layers:
      - Conv2D: {filters: 16, kernel_size: 3, padding: same}
    shortcut: # optional: if the sizes change
      - Conv2D: {filters: 16, kernel_size: 1}
```""",
        ),
        "Parallel": Keyword(
            "Applies branches in parallel to one input and merges their outputs (Szegedy et al. 2014).",
            "a mapping",
            details="""\
```yaml
- Parallel:
    branches:
      - [{Dense: {units: 8}}]
      - [{Dense: {units: 4}}]
    merge: Concatenate
```""",
        ),
    },
    "Residual": {
        "layers": Keyword("Steps whose output is added to the input.", "a list of steps", "required", _STEPS),
        "shortcut": Keyword(
            "Steps on the way around, if the sizes change.",
            "a list of steps",
            "the input unchanged",
            "shortcut: [{Conv2D: {filters: 64, kernel_size: 1}}]",
        ),
    },
    "Parallel": {
        "branches": Keyword(
            "Branches: lists of steps, or a mapping that names them.",
            "two or more lists of steps",
            "required",
            "branches: {wide: [{Dense: 8}], narrow: [{Dense: 2}]}",
        ),
        "merge": Keyword(
            "Merge layer of the branches; `Concatenate` by default; null: each branch is an output.",
            "a merge layer, or null",
            "`Concatenate`",
            "merge: Add",
        ),
    },
    "block": {
        "description": _DESCRIPTION,
        "params": Keyword(
            "Params, each with a type (int, float, bool, str), a default or a declaration.",
            "a mapping of names to types, values or declarations",
            "`{}`",
            "params: {filters: int, strides: 1}",
        ),
        "check": _CHECK,
        "inputs": Keyword(
            "Names of the inputs inside the block, or a shape for each name; null accepts any shape.",
            "a list of names, or a mapping of names to shapes or null",
            "`[x]`",
            "inputs: {x: null, h: [64]}",
        ),
        "layers": Keyword("Steps in order.", "a list of steps", "required", _STEPS),
        "outputs": _OUTPUTS,
    },
    "network": {
        "description": _DESCRIPTION,
        "inputs": Keyword(
            "Inputs by name.", "a mapping of names to shapes", "required", "inputs: {tokens: {shape: [T], dtype: int32}}"
        ),
        "layers": _LAYERS,
        "outputs": _OUTPUTS,
        "weights": Keyword(
            "Initial weights of the network.",
            "a file, or a mapping with the keys of `weights`",
            example="weights: {file: runs/teacher}",
        ),
    },
    "param": {
        "default": Keyword(
            "The value if no other is given; without it, the param is required.", "any value", example="default: 64"
        ),
        "type": Keyword(
            "`int`, `float`, `bool`, `str`, or a list of types: `[int, int]`.",
            "the name of a type, or a list of them",
            "any value",
            "type: int",
            "In an objective, also `network` and `field`, the name of a network or of an input of the document.",
        ),
        "at_least": Keyword("The smallest valid value.", "a number", example="at_least: 8"),
        "at_most": Keyword("The largest valid value.", "a number", example="at_most: 512"),
        "multiple_of": Keyword("What divides every valid value.", "a number > 0", example="multiple_of: 8"),
        "one_of": Keyword("The valid values.", "a list of values", example="one_of: [gru, lstm]"),
        "help": Keyword("What the param is for.", "text", example="help: channels of the first stage"),
    },
    "check": {
        "that": Keyword(
            "What must be true: `width % heads == 0`, `x.shape[1] <= 512`.",
            "an expression",
            "required",
            "that: width % heads == 0",
        ),
        "message": Keyword("What to report if it is not.", "text", "the condition", "message: heads must divide width"),
    },
    "use": {
        "spec": Keyword("The file of the document.", "a relative path", "required", "spec: resnet50.nnspec.yaml"),
        "outputs": _OUTPUTS,
    },
    "input": {
        "shape": Keyword(
            "Sizes, symbols such as `T`, or null; the batch axis is implicit.", "a list of sizes", "required", "shape: [T, 64]"
        ),
        "dtype": Keyword(
            "The type of the elements.", "`float32`, `int32`, `bool` or another dtype", "`float32`", "dtype: int32"
        ),
    },
}
"""The keys by what they belong to."""


def about(owner: str, key: str) -> dict[str, Any]:
    """Return the description and the example of a key as annotations of the JSON Schema.

    Example:
        >>> about("step", "as")
        {'description': 'Name of the counter of `repeat`, which starts at 0.', 'examples': ['i']}
    """
    word = KEYWORDS[owner][key]
    found: dict[str, Any] = {"description": word.about}
    example = read_text(word.example, "example", []) if word.example else None
    if isinstance(example, MappingNode) and key in example:
        found["examples"] = [example.plain()[key]]
    return found
