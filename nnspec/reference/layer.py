"""The reference of one layer, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.plugin import converted, plugin_of_class
from nnspec.layers.unsupported import EVERYWHERE
from nnspec.reference.arguments import default_text, documentation, type_texts
from nnspec.reference.examples import Example, examples
from nnspec.reference.markdown import table
from nnspec.types import Dim, TensorType, size_text

Operators = Callable[[Example], Sequence[str]]
"""Returns the ONNX operators of an example."""


def layer_text(name: str, *, operators: Operators | None = None) -> str:
    """Render the reference of a layer: description, arguments, and examples of shapes.

    Args:
        name: The name of a built-in or plug-in layer.
        operators: Returns the ONNX operators of an example; None to omit them.

    Raises:
        KeyError: If there is no such layer.
        PluginError: If its package is broken.

    Example:
        >>> print("\\n".join(layer_text("Flatten").splitlines()[:3]))
        ## Flatten
        <BLANKLINE>
        Flattens all axes into one; a scalar gets an axis of size 1.
    """
    kind = LAYERS.get(name)
    assert issubclass(kind, Layer)
    found = examples(kind)
    parts = [f"## {name}", documentation(kind), *_origin(kind), *_arguments(kind), *_not_taken(kind), *_places(found)]
    if operators is not None and found and not converted(found[0].layer):
        parts.append(exported(operators(found[-1])))
    return "\n\n".join([*parts, _notes(kind)]).rstrip() + "\n"


def _origin(kind: type[Layer]) -> Iterator[str]:
    plugin = plugin_of_class(kind)
    if plugin is not None:
        how = "with tf2onnx" if not hasattr(kind, "to_onnx") else "with its `to_onnx`"
        yield f"A layer of the package {plugin.package}; exported {how}."


def _arguments(kind: type[Layer]) -> Iterator[str]:
    types = type_texts(kind)
    if types:
        rows = []
        fields = sorted(
            ((name, kind.model_fields[name]) for name in kind.arguments()), key=lambda item: not item[1].is_required()
        )
        for name, field in fields:
            beyond = " Not in Keras." if name in kind.beyond_keras else ""
            rows.append([f"`{name}`", types[name], default_text(kind, name), f"{field.description or ''}{beyond}"])
        yield table(["argument", "type", "default", "description"], rows)
    if types and kind.main_argument is not None:
        yield f"`{kind.__name__}: …` is short for `{kind.__name__}: {{{kind.main_argument}: …}}`."


def _not_taken(kind: type[Layer]) -> Iterator[str]:
    ours = {name: reason for name, reason in kind.unsupported.items() if EVERYWHERE.get(name) != reason}
    if ours:
        yield "Unsupported arguments of Keras's layer:\n\n" + "\n".join(f"- `{n}`: {why}" for n, why in ours.items())


def _places(found: Sequence[Example]) -> Iterator[str]:
    if not found:
        return
    written = ", ".join(f"{name}: {_argument(value)}" for name, value in found[0].arguments.items())
    if not type_texts(type(found[0].layer)):  # the only argument has no name in a spec
        written = _argument(next(iter(found[0].arguments.values()), "")).strip("{}")
    head = f"For example, with `{{{written}}}`:" if written else "For example:"
    rows = []
    for example in found:
        weights = ", ".join(f"`{w.name}` {_sizes(w.shape)}{'' if w.trainable else ' (not trained)'}" for w in example.weights)
        rows.append([types_text(example.inputs), types_text(example.outputs), weights or "none", _count(example.macs)])
    yield f"{head}\n\n{table(['input', 'output', 'weights', 'MACs'], rows)}"


def _argument(value: object) -> str:
    """A value in YAML flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_argument(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def types_text(types: object) -> str:
    """The types of tensors by name; the name of a single one is omitted."""
    assert isinstance(types, dict)
    if set(types) <= {"x", "output"}:
        return ", ".join(map(_tensor, types.values())) or "nothing"
    return ", ".join(f"`{name}` {_tensor(type_)}" for name, type_ in types.items())


def _tensor(type_: TensorType) -> str:
    kind = "" if type_.dtype == "float32" else f" of {type_.dtype}"
    return f"({', '.join(['batch', *map(size_text, type_.shape)])}){kind}"


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _count(macs: int | Dim) -> str:
    return f"{macs:,}" if isinstance(macs, int) else str(macs).replace("*", "·")


def exported(operators: Sequence[str]) -> str:
    """The sentence that names ONNX operators."""
    if not operators:
        return "In ONNX: no operator; in inference it returns its input."
    return "In ONNX: " + ", ".join(f"`{operator}`" for operator in dict.fromkeys(operators)) + "."


def _notes(kind: type[Layer]) -> str:
    changes = "changes the result" if kind.uses_mask else ""
    is_own = kind.mask is not Layer.mask or kind.output_types is not Layer.output_types
    if is_own:
        goes = "whether the output has one depends on the arguments and inputs"
    else:
        goes = "is passed on" if kind.passes_mask else "is not passed on"
    masks = f"Masks: {goes}." if is_own else f"A mask {' and '.join(filter(None, [changes, goes]))}."
    others = sorted(alias for alias, name in LAYERS.aliases.items() if name == kind.__name__)
    return masks + (f"\n\nAlso known as {', '.join(f'`{other}`' for other in others)}." if others else "")
