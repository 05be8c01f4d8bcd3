"""The reference of the functions of ``Compute``, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nnspec.functions.base import Function
from nnspec.functions.catalogue import FAMILIES, FUNCTIONS
from nnspec.layers.compute import Compute
from nnspec.reference.examples import Example
from nnspec.reference.layer import exported, types_text
from nnspec.reference.markdown import table
from nnspec.types import TensorType, symbol

Operators = Callable[[Example], Sequence[str]]

_T = symbol("T")
_INPUTS: Mapping[str, TensorType] = {
    "x": TensorType((_T, 8)),
    "y": TensorType((_T, 8)),
    "v": TensorType((8,)),
    "i": TensorType((5,), "int32"),
}
"""The tensors of examples."""

EXAMPLES: Mapping[str, str] = {
    "maximum": "maximum(x, 0)",
    "minimum": "minimum(x, y)",
    "cast": "cast(x > 0, 'float32')",
    "where": "where(x > 0, x, 0)",
    "clip": "clip(x, -1, 1)",
    "any": "any(x > 0, axis=1)",
    "all": "all(x > 0, axis=[1, 2])",
    "mean": "mean(x, axis=1)",
    "max": "max(x, axis=-1, keepdims=true)",
    "norm": "norm(x, axis=2)",
    "softmax": "softmax(x, axis=1)",
    "top_k": "top_k(v, 3)[0]",
    "roll": "roll(x, 1, axis=1)",
    "repeat": "repeat(x, 2, axis=1)",
    "concatenate": "concatenate([x, y], axis=2)",
    "stack": "stack([x, y], axis=1)",
    "take": "take(x, i, axis=1)",
    "take_along_axis": "take_along_axis(v, i, axis=1)",
    "one_hot": "one_hot(i, 10)",
    "reshape": "reshape(x, [x.shape[1], 2, 4])",
    "transpose": "transpose(x, [0, 2, 1])",
    "swapaxes": "swapaxes(x, 1, 2)",
    "expand_dims": "expand_dims(x, 1)",
    "squeeze": "squeeze(x[:, null], 1)",
    "broadcast_to": "broadcast_to(expand_dims(v, 1), [x.shape[1], 8])",
    "tile": "tile(x, [2, 1])",
    "pad": "pad(x, [[1, 1], [0, 0]])",
    "tril": "tril(x @ swapaxes(y, 1, 2))",
    "triu": "triu(x @ swapaxes(y, 1, 2), 1)",
    "matmul": "matmul(x, swapaxes(y, 1, 2))",
    "einsum": "einsum('btf,buf->btu', x, y)",
    "zeros": "v + zeros([8])",
    "ones": "v + ones([8])",
    "arange": "x * cast(expand_dims(arange(x.shape[1]), 1), 'float32')",
    "linspace": "v * linspace(0, 1, 8)",
    "full_like": "full_like(x, 0.5)",
    "in_training": "in_training(x * 2, x)",
    "random_normal": "in_training(v + random_normal([8]), v)",
    "random_uniform": "in_training(v * random_uniform([8]), v)",
    "random_bernoulli": "in_training(v * random_bernoulli([8], 0.9), v)",
    "mask": "where(mask(x), x[..., 0], -1e9)",
}
"""The examples of functions that are not called with one tensor, or one tensor and the axis 1."""

_ARGUMENTS: Mapping[str, str] = {
    "x": "The tensor.",
    "xs": "The tensors.",
    "a": "A tensor or a number.",
    "b": "A tensor or a number.",
    "c": "A tensor.",
    "d": "A tensor.",
    "x1": "A tensor or a number.",
    "x2": "A tensor or a number.",
    "condition": "A bool tensor.",
    "axis": "The axis. Axis 0 is the batch; -1 is the last one.",
    "axis1": "An axis from 1.",
    "axis2": "Another axis from 1.",
    "axes": "All axes in their new order, beginning with 0, the batch.",
    "keepdims": "Whether the axis stays, with size 1.",
    "dtype": "'float32', 'int32' or 'bool'.",
    "x_min": "The lower bound.",
    "x_max": "The upper bound.",
    "ord": "The order: 1, 2 or `inf`.",
    "order": "The order: 1, 2 or `inf`.",
    "k": "The diagonal; 0 is the main one, positive ones are above it.",
    "top_k.k": "The number of elements.",
    "shift": "The number of positions, or one for each axis; negative ones move toward the start.",
    "repeats": "How often.",
    "indices": "An int32 tensor or integers; negative ones count from the end.",
    "num_classes": "The number of classes.",
    "newshape": "The shape of one example, without the batch.",
    "shape": "The shape of one example, without the batch.",
    "pad_width": "A pair for each axis of one example, or one pair for all.",
    "mode": "What the new positions contain.",
    "constant_values": "The value of new positions in the mode 'constant'.",
    "subscripts": "A letter for each axis, the result after `->`.",
    "start": "The first number.",
    "stop": "The end.",
    "step": "The difference of two numbers.",
    "num": "How many numbers.",
    "fill_value": "The number.",
    "p": "The probability.",
}
_KINDS: Mapping[str, str] = {
    "tensor": "tensor",
    "tensors": "list of tensors",
    "axis": "integer",
    "axes": "integer, or a list",
    "int": "integer",
    "ints": "integers, in lists",
    "size": "integer, or a size",
    "sizes": "list of integers and sizes",
    "bool": "true or false",
    "text": "string",
    "number": "number",
    "any": "any",
}

_AXIS = "`axis` is required, and axis 0, the batch, is an error."
_OPERANDS = "Operands have equal numbers of axes, or are constants or numbers."
_ZERO = "The gradient at 0 is 0, where Keras's is NaN."
_TIES = "Of equal elements, the one with the lowest index is first on all backends."
_EXAMPLE = "The shape is that of one example."
_NOT_IN_KERAS = "`keras.ops` does not have it."

DIFFERENCES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("sum", "mean", "prod", "max", "min", "var", "any", "all", "logsumexp", "cumsum", "flip", "roll"), (_AXIS,)
    ),
    **dict.fromkeys(("repeat", "concatenate", "stack", "squeeze"), (_AXIS,)),
    **dict.fromkeys(("std", "norm"), (_AXIS, _ZERO)),
    **dict.fromkeys(("argmax", "argmin"), (_AXIS, _TIES, "The result is int32.")),
    **dict.fromkeys(("sort", "argsort", "top_k"), (_TIES,)),
    **dict.fromkeys(("maximum", "minimum", "where"), (_OPERANDS,)),
    **dict.fromkeys(
        ("zeros", "ones"), ("The result is a constant, which all examples share; by default of the layer's compute type.",)
    ),
    "normalize": (_ZERO,),
    "cast": ("'float32' is the layer's compute type, so a spec has no expressions of another precision.",),
    "gelu": ("It is exact: `x * (1 + erf(x / sqrt(2))) / 2`, as in layers.",),
    "round": ("It takes no number of decimals.",),
    "take": ("`axis` is required; each example has its own indices.",),
    "take_along_axis": ("`axis` is required.",),
    "one_hot": ("A class that is out of range is all zeros on all backends.",),
    "reshape": (_EXAMPLE,),
    "broadcast_to": (_EXAMPLE,),
    "tile": ("The repeats are those of one example.",),
    "pad": ("The pairs are those of one example; the mode 'edge' is added.",),
    "transpose": ("`axes` is required, and the batch stays first; of a constant, the axes are reversed by default.",),
    "expand_dims": ("Axis 0, the batch, is an error.",),
    "swapaxes": ("Axis 0, the batch, is an error.",),
    "matmul": ("Each operand has a batch, or is a constant.",),
    "einsum": ("The result is required, `...` is not allowed, and there are at most four operands.",),
    "arange": ("The result is int32, or float if a bound is a float.",),
    "linspace": ("Both bounds are included.",),
    **dict.fromkeys(("in_training", "random_normal", "random_uniform", "random_bernoulli", "mask"), (_NOT_IN_KERAS,)),
}
"""What differs from `keras.ops`, or from Keras's activation of the same name."""


def function_text(name: str, *, operators: Operators | None = None) -> str:
    """Render the reference of a function: signature, arguments, an example of shapes and types, differences.

    Args:
        name: The name of a function.
        operators: Returns the ONNX operators of an example; None to omit them.

    Example:
        >>> print("\\n".join(function_text("sqrt").splitlines()[:5]))
        ## sqrt
        <BLANKLINE>
        `sqrt(x)`
        <BLANKLINE>
        The square root.
    """
    function = FUNCTIONS[name]
    shown = example(function)
    parts = [f"## {name}", f"`{function.signature}`", function.summary]
    if any(parameter.kind != "tensor" or not parameter.is_required for parameter in function.parameters):
        parts.append(_arguments(function))
    rows = [[f"`{shown.layer.results['output']}`", _tensors(shown.inputs), types_text(shown.outputs)]]  # type: ignore[attr-defined]
    parts.append(table(["for example", "inputs", "result"], rows))
    if operators is not None:
        parts.append(exported(operators(shown)))
    parts += _differences(name)
    return "\n\n".join(parts) + "\n"


def example(function: Function) -> Example:
    """The example of a function, with its types."""
    name = function.name
    takes_axis = any(parameter.name == "axis" and parameter.is_required for parameter in function.parameters)
    text = EXAMPLES.get(name, f"{name}(x, axis=1)" if takes_axis else f"{name}(x)")
    layer = Compute(results={"output": text})
    inputs = {read: _INPUTS[read] for read in layer.reads}
    return Example(layer, {}, inputs, layer.output_types(inputs), (), 0)


def function_pages(written: str, operators: Operators) -> dict[str, str]:
    """Render the pages of all functions, by path relative to ``docs``.

    Args:
        written: The comment that states how the pages are generated.
        operators: Returns the ONNX operators of an example.
    """
    found = {"functions/README.md": _index(written)}
    for family, module in FAMILIES.items():
        about = (module.__doc__ or "").strip().partition("; see ")[0].rstrip(".") + "."
        texts = [function_text(name, operators=operators) for name in module.FUNCTIONS]
        found[_page(family)] = "\n".join([f"# {family.capitalize()}", "", written, "", about, "", *texts])
    return found


def _page(family: str) -> str:
    return f"functions/{family.replace(' ', '_').replace('-', '_')}.md"


def _index(written: str) -> str:
    text = (
        "The functions of [`Compute`](../compute.md). Names, arguments and defaults are those of `keras.ops`, except that\n"
        "`axis` is required where Keras's default is axis 0 or all axes. `nnspec layers FUNCTION` prints the reference of\n"
        "a function. Axis 0 is the batch; shapes that are written in an expression omit it."
    )
    parts = ["# Functions", written, text]
    for family, module in FAMILIES.items():
        page = _page(family).partition("/")[2]
        rows = [[f"[{name}]({page}#{name})", f"`{each.signature}`", each.summary] for name, each in module.FUNCTIONS.items()]
        parts += [f"## {family.capitalize()}", table(["function", "signature", "description"], rows)]
    return "\n\n".join(parts) + "\n"


def _arguments(function: Function) -> str:
    rows = []
    for each in function.parameters:
        about = _ARGUMENTS.get(f"{function.name}.{each.name}", _ARGUMENTS.get(each.name, ""))
        rows.append([f"`{each.name}`", _KINDS[each.kind], "required" if each.is_required else f"`{each.default_text}`", about])
    return table(["argument", "type", "default", "description"], rows)


def _tensors(inputs: Mapping[str, TensorType]) -> str:
    return ", ".join(f"`{name}` {types_text({'x': type_})}" for name, type_ in inputs.items())


def _differences(name: str) -> Iterator[str]:
    if name in DIFFERENCES:
        where = f"`keras.ops.{name}`" if _NOT_IN_KERAS not in DIFFERENCES[name] else "Keras"
        yield f"Differences from {where}: " + " ".join(DIFFERENCES[name])
