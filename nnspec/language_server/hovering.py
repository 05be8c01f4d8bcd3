"""What a word of a document means: its documentation, shapes and parameters, and where its value comes from."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import NnspecError
from nnspec.drawing.facts import count_text, shape_text
from nnspec.explanations.origin import Origin, shown
from nnspec.explanations.places import origins
from nnspec.graph.model import BuiltStep, Graph
from nnspec.language_server.document import Analysis, Version
from nnspec.language_server.expected import Expected
from nnspec.language_server.hints import parameters_of, shapes_text
from nnspec.language_server.names import Name, Names
from nnspec.language_server.places import At, Keys, operation_of, text_of
from nnspec.layers import LAYERS
from nnspec.reference.arguments import documentation
from nnspec.reference.lookup import key_at
from nnspec.spec.draft import NESTING
from nnspec.spec.keywords import KEYWORDS
from nnspec.spec.tree import MappingNode, Scalar
from nnspec.types import PluginError

_MOST_USES = 4


def hover_text(at: At, version: Version, names: Names, analysis: Analysis | None, expected: Expected) -> str:
    """Return what to show for a place, as Markdown; empty if there is nothing to say.

    Args:
        at: The place.
        version: The version of the document that it is in.
        names: The names of this version.
        analysis: The analysis of the document, which may be of an earlier version; None before the first.
        expected: The schema of documents.
    """
    parts = list(_parts(at, version, names, analysis, expected))
    return "\n\n".join(part for part in parts if part)


def _parts(at: At, version: Version, names: Names, analysis: Analysis | None, expected: Expected) -> Iterator[str]:
    step = at.step
    named = names.at(at.node.span.line, at.node.span.column)
    if step is not None and _is_operation(at, step):
        yield from _of_operation(at, step, names, analysis)
        return
    if at.is_key and not (named is not None and named.is_definition):
        yield _of_key(at, version, expected)
    if named is not None:
        yield from _of_name(named, names, analysis)
    elif not at.is_key:
        yield _of_choice(at, version, expected)
    if analysis is not None and analysis.version is version:
        yield _origin(at, analysis)


def _is_operation(at: At, step: Keys) -> bool:
    """Return whether the operation of a step is here, as a key or as its name alone."""
    return at.keys == step if not at.is_key else at.keys[:-1] == step and operation_of(at.around[-1]) is at.node


def _of_operation(at: At, step: Keys, names: Names, analysis: Analysis | None) -> Iterator[str]:
    word = str(at.node.plain())
    yield about_operation(word, names)
    for graph, built in (analysis.steps.get(text_of(step), []) if analysis is not None else [])[:_MOST_USES]:
        yield _of_built(graph, built)


def about_operation(word: str, names: Names) -> str:
    """Return what an operation is: a layer, a block or a network of the document, or one of the language."""
    if word in LAYERS:
        try:
            return f"**{word}** · {documentation(LAYERS.get(word)).partition(chr(10) * 2)[0]}"
        except PluginError as error:
            return f"**{word}** · {error}"
    if word in NESTING:
        return f"**{word}** · {KEYWORDS['operation'][word].about}"
    for kind in ("block", "network"):
        found = names.definition(kind, word)
        if found is not None:
            about = found.value.get("description") if isinstance(found.value, MappingNode) else None
            text = f": {about.plain()}" if about is not None else ""
            return f"**{word}** · a {kind} of the document{text}"
    return ""


def _of_built(graph: Graph, built: BuiltStep) -> str:
    """Return the name of a step in the graph, its input and output shapes, its parameters and products."""
    within = f"{built.name}/"
    nodes = [node for node in graph.nodes.values() if node.name == built.name or node.name.startswith(within)]
    own = {node.name for node in nodes}
    read = {ref: graph.type_of(ref) for node in nodes for ref in node.inputs.values() if ref.source not in own}
    inputs = " , ".join(f"{ref} {shape_text(type_)}" for ref, type_ in read.items()) or "none"
    facts = [f"{inputs} → {shapes_text([built])}", f"{parameters_of(graph, built.name):,} parameters"]
    macs = sum((node.macs() for node in nodes), start=0)
    facts += [f"{count_text(macs)} multiply–accumulates"] if macs else []
    return f"`{built.name}`: {' · '.join(facts)}"


def _of_key(at: At, version: Version, expected: Expected) -> str:
    keys = at.keys
    step = at.step
    if step is not None:
        keys = keys[len(step) :]
    key = key_at([str(key) for key in keys if isinstance(key, str)], of_step=step is not None and len(keys) == 1)
    if key is not None:
        example = f"\n\nFor example `{key.example}`." if key.example else ""
        return f"**{key.name}** · {key.about}\n\n{key.type} · default: {key.default}{example}"
    forms = expected.at(version.tree, at.keys)
    about = next((form["description"] for form in forms if "description" in form), "")
    return f"**{keys[-1]}** · {about}" if about else ""


def _of_choice(at: At, version: Version, expected: Expected) -> str:
    """Return what a name of the language is, such as a loss or an optimizer."""
    if not isinstance(at.node, Scalar) or not isinstance(at.node.value, str):
        return ""
    word = at.node.value
    for form in expected.at(version.tree, at.keys):
        part = expected.properties(form).get(word)
        about = next((each["description"] for each in expected.forms(part) if "description" in each), "") if part else ""
        if about:
            return f"**{word}** · {about}"
    return ""


def _of_name(named: Name, names: Names, analysis: Analysis | None) -> Iterator[str]:
    """Return what a name of the document stands for."""
    found = names.defined(named)
    if found is None:
        return
    if found.kind == "param" and found.value is not None:
        yield f"`{found.text}` = {shown(found.value.plain())} · {found.what}"
    elif found.kind == "step" and analysis is not None:
        for graph, built in analysis.steps.get(text_of(found.keys), [])[:_MOST_USES]:
            yield f"{built.name.rpartition('/')[2]} is a `{_operation(found)}` · {_of_built(graph, built)}"
    elif found.kind == "input" and found.value is not None:
        yield f"`{found.text}` · an input: {shown(found.value.plain())}"
    elif found.kind in ("block", "network"):
        yield about_operation(found.text, names)


def _operation(found: Name) -> str:
    operation = operation_of(found.value) if found.value is not None else None
    return str(operation.plain()) if operation is not None else ""


def _origin(at: At, analysis: Analysis) -> str:
    """Return the value here and where it comes from, if it is computed; empty for one that is written here."""
    value, spec = at.value, analysis.checked.spec
    if spec is None or not isinstance(value, Scalar) or not value.dynamic:
        return ""
    try:
        found = origins(spec, text_of(at.keys))
    except NnspecError:
        return ""
    return "\n\n".join(dict.fromkeys(_origin_text(origin) for origin in found[:_MOST_USES]))


def _origin_text(origin: Origin) -> str:
    lines = [f"**= {shown(origin.value)}**"]
    lines += [f"- {link.what}" + (f" (line {link.span.line})" if link.span is not None else "") for link in origin.links]
    return "\n".join(lines)
