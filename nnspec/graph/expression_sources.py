"""The tensors that the expressions of a step read by name."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.functions.help import instead_of_attribute
from nnspec.functions.names import CONSTANTS
from nnspec.graph import problems as g
from nnspec.graph.scope import Scope, Source
from nnspec.layers.compute import Compute
from nnspec.spec.compute import reads_of, results_read
from nnspec.spec.step import INPUT, Step
from nnspec.types import listed


def expression_sources(step: Step, above: Step | None, scope: Scope, problems: list[Diagnostic]) -> list[Source] | None:
    """Return the sources of a ``Compute`` step without ``from``: the names in its expressions.

    Args:
        step: The step.
        above: The step before it, if there is one.
        scope: The names of its list; steps are those up to this one.
        problems: List to which problems are appended.
    """
    inputs = list(scope.inputs)
    previous = above.name if above is not None else inputs[0] if len(inputs) == 1 else None
    if above is not None:
        shown = f"the step before, `{previous}`"
    else:
        shown = "the input of these layers" if previous == INPUT else f"the input `{previous}`"
    layer = step.content
    if not isinstance(layer, Compute):  # its expressions are wrong
        return None
    found: list[Source] = []
    before = len(problems)
    for read in reads_of(step.arguments):
        span = read.scalar.part(read.start, read.end)
        name = read.name.partition(".")[0]
        is_tensor = scope.is_defined(name, before=step.name)
        own = f"the {_kind(name, scope)} `{name}`"
        meanings = [own] if is_tensor else []
        is_same = is_tensor and above is None and previous is not None and _is_input(scope, name, previous)
        if name == "x" and previous is not None and not (is_tensor and previous == "x") and not is_same:
            meanings.append(shown)
        if read.name in layer.params or name in CONSTANTS:
            meanings.append(f"the param `{name}`" if read.name in layer.params else f"the constant `{name}`")
        if len(meanings) > 1:
            tensor = previous if name == "x" and previous is not None else name
            if name != "x":
                help = (
                    f"name the tensors: `{_all_named(layer, read.name, name[0], tensor)}`, and write `{name[0]}` for the tensor"
                )
            elif tensor == "x" or not is_tensor:
                help = f"name the tensors: `{_all_named(layer, 'x', 'x', tensor)}`"
            else:
                help = f"write `{_all_named(layer, 'x', 'x', tensor)}` below `Compute` for {shown}, or "
                help += f"`{_all_named(layer, 'x', 'x', 'x')}` for {own}"
            if tensor == INPUT:
                help = "rename the input `x`: at the start of nested layers, `x` is what they read"
            elif not tensor.isidentifier():  # a repetition has a number
                help = f"rename the {_kind(name, scope)} `x`: in a repeated step, `x` is the repetition before"
            first, second, *_ = meanings
            problems.append(g.AmbiguousName.at(span, read.scalar.path, help=help, name=name, first=first, second=second))
        elif read.name in layer.reads:
            text = read.name
            if name == "x" and not is_tensor:
                if previous is None:
                    help = f"write the name of an input: {listed(inputs)}"
                    problems.append(g.NoDefaultSource.at(span, read.scalar.path, help=help))
                    continue
                text = previous + read.name[1:]
            found.append(Source(text, read.name, span, read.scalar.path, help=_help(read.name, layer), params=step.params))
    for name, read in results_read(step.arguments):
        if scope.is_defined(name, before=step.name):
            help = f"give the result `{name}` another name"
            span, first, second = (
                read.scalar.part(read.start, read.end),
                "an earlier result",
                f"the {_kind(name, scope)} `{name}`",
            )
            problems.append(g.AmbiguousName.at(span, read.scalar.path, help=help, name=name, first=first, second=second))
    return found if len(problems) == before else None


def _all_named(layer: Compute, read: str, key: str, tensor: str) -> str:
    """The `from` that names all tensors of a step, of which one is read by a name with two meanings."""
    named = {key: tensor} | {name.rpartition(".")[2]: name for name in layer.reads if name not in (read, key)}
    return f"from: {{{', '.join(f'{key}: {tensor}' for key, tensor in named.items())}}}"


def _is_input(scope: Scope, name: str, input: str) -> bool:
    """Return whether a name of an enclosing list is the very tensor that an input of this list is."""
    holder = scope.holder(name)
    given = holder.inputs.get(name) if holder is not None and name in holder.inputs else None
    if holder is not None and given is None:
        built = holder.built.get(name) or {}
        given = next(iter(built.values()), None)
    own = scope.inputs.get(input)
    return given is not None and own is not None and given[0] == own[0]


def _kind(name: str, scope: Scope) -> str:
    holder = scope.holder(name)
    return "input" if holder is not None and name in holder.inputs else "step"


def _help(name: str, layer: Compute) -> str:
    """What to write if a name is neither an input nor a step."""
    first, dot, attribute = name.partition(".")
    if dot:
        return instead_of_attribute(attribute, first) if attribute in (*FUNCTIONS, "T", "mT", "dtype", "ndim", "size") else ""
    if name in layer.results:
        return f"move the result `{name}` above this one"
    return f"`{name}` is a function: write `{FUNCTIONS[name].signature}`" if name in FUNCTIONS else ""
