"""The static check of the section ``generate`` of a sampler. No framework is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnspec.data.locations import locate
from nnspec.diagnostics import Diagnostic, NnspecError, Span, SpecError
from nnspec.generation import problems as g
from nnspec.generation.draws import Draw, DrawError
from nnspec.generation.ports import place, suggestion
from nnspec.generation.sampling import Sampling
from nnspec.generation.section import SamplerSection, is_sampler
from nnspec.graph import Graph, Model
from nnspec.graph.fixed_sizes import at_sizes
from nnspec.spec import Spec
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode
from nnspec.types import Config, Dim, TensorType, listed, same_size


def describes_sampler(spec: Spec) -> bool:
    """Whether a document has a sampler."""
    tree = spec.section("generate")
    return tree is not None and is_sampler([str(key.value) for key, _ in tree.items()])


def sampling_of(spec: Spec, model: Model) -> Sampling | None:
    """The sampler of a document; None if it has none.

    Raises:
        SpecError: If it has errors.
    """
    if not describes_sampler(spec):
        return None
    problems: list[Diagnostic] = []
    found = check_sampler(spec, model, problems)
    if found is None:
        raise SpecError(problems)
    return found


def check_sampler(spec: Spec, model: Model, problems: list[Diagnostic]) -> Sampling | None:
    """Checks the section ``generate`` of a sampler.

    Args:
        spec: The spec.
        model: Its graphs.
        problems: Problems are appended here.

    Returns:
        The sampler; None if there are errors.
    """
    tree = spec.section("generate")
    assert tree is not None
    before = len(problems)
    checked = check_known(SamplerSection, tree, problems, name="generate")
    section = checked.value
    if section is None or "network" in checked.wrong:
        return None
    if section.network not in model.networks:
        help = suggestion(section.network, model.networks)
        at = place(tree, "network")
        problems.append(g.UnknownName.at(*at, help=help, where="the document", what="network", name=section.network))
        return None
    found = _Check(spec, model, section, tree, model.networks[section.network], checked.wrong, problems).sampling()
    return None if any(problem.is_error for problem in problems[before:]) else found


@dataclass(frozen=True)
class _Check:
    """The check of one sampler."""

    spec: Spec
    model: Model
    section: SamplerSection
    tree: MappingNode
    graph: Graph
    wrong: frozenset[str]
    problems: list[Diagnostic]

    def sampling(self) -> Sampling | None:
        """The sampler; None if there are errors."""
        section, graph = self.section, self.graph
        if not self._are_known() or self.wrong & {"begin", "draw", "condition", "count", "result", "steps"} or graph.gaps:
            return None
        states = [name for name in graph.outputs if name in graph.inputs] if section.steps > 1 else []
        self._check_sources(states)
        self._check_count()
        self._check_conditions()
        fixed = self._at_sizes()
        if fixed is None:
            return None
        for name in states:
            self._check_fed_back(fixed, name)
        outputs = {name: fixed.outputs[name] for name in dict.fromkeys([*states, section.result])}
        begin, draw = self._resolved(section.begin, fixed), self._resolved(section.draw, fixed)
        given = tuple(section.condition)
        return Sampling(fixed.giving(outputs), section.steps, section.count, begin, draw, given, tuple(states), section.result)

    def _at(self, *path: str, key: bool = False) -> tuple[Span, str]:
        return place(self.tree, *path, key=key)

    @property
    def _where(self) -> str:
        return f"`{self.graph.name}`" if self.graph.name != "main" else "the main network"

    # --- names ----------------------------------------------------------------------------------------------------------

    def _are_known(self) -> bool:
        """Whether the network has all inputs and outputs that the section names; reports those that it has not."""
        section, graph = self.section, self.graph
        places = [(self._at(key, name, key=True), name) for key in ("begin", "draw") for name in getattr(section, key)]
        places += [(self._at("count"), section.count)] if section.count is not None else []
        places += [(locate(self.tree, "condition", i), name) for i, name in enumerate(section.condition)]
        right = True
        for at, name in places:
            right &= self._has(at, "input", name, graph.input_names)
        if "result" not in self.wrong and graph.gaps.are_named:
            right &= self._has(self._at("result"), "output", section.result, graph.output_names)
        return right

    def _has(self, at: tuple[Span, str], what: str, name: str, known: list[str]) -> bool:
        if name not in known:
            help = suggestion(name, known)
            self.problems.append(g.UnknownName.at(*at, help=help, where=self._where, what=what, name=name))
        return name in known

    # --- where inputs come from -------------------------------------------------------------------------------------------

    def _check_sources(self, states: list[str]) -> None:
        """Reports inputs that nothing feeds, or two things."""
        section, graph = self.section, self.graph
        for name, type_ in graph.inputs.items():
            also = [key for key in ("begin", "draw", "condition") if name in getattr(section, key)]
            also += ["count"] if name == section.count else []
            if len(also) > 1:
                reason = f"`{name}` is fed twice, by `{also[0]}` and by `{also[1]}`"
                self._source(reason, "remove one of the two", also[1], name)
            elif name in states and also and also[0] in ("draw", "count"):
                reason = f"`{name}` is fed twice, by `{also[0]}` at every step and by the output `{name}` of the step before"
                self._source(reason, f"rename the output, or move `{name}` to `begin`", also[0], name)
            elif not also and name not in states:
                self._source(f"nothing feeds `{name}` of {self._where}", self._feeding(name, type_), "network")
            if type_.mask is not None:
                reason = f"`{name}` has a mask elsewhere in the document, and samplers have none"
                self._source(reason, f"feed `{self.graph.name}` without a mask", "network")
        if section.steps > 1 and not states:
            inputs, outputs = listed(graph.inputs), listed(graph.outputs)
            help = f"give an output the name of the input that it feeds: the inputs are {inputs}, and the outputs {outputs}"
            at = self._at("steps")
            self.problems.append(g.NothingFedBack.at(*at, help=help, steps=section.steps, network=self.graph.name))
        if not section.begin and not section.draw and not section.condition:
            reason = "nothing is drawn or given, so all samples would be equal"
            self._source(reason, "draw an input: `begin: {INPUT: {normal: SHAPE}}`", "network")

    def _feeding(self, name: str, type_: TensorType) -> str:
        if type_.is_integer and not type_.rank and self.section.count is None and self.section.steps > 1:
            return f"write `count: {name}` for the index of the step, or `condition: [{name}]` if the user gives it"
        shape = ", ".join(map(str, type_.shape))
        draw = f"{{integers: {{shape: [{shape}], below: …}}}}" if type_.is_integer else f"{{normal: [{shape}]}}"
        every = ", `draw: …` to draw it at every step" if self.section.steps > 1 else ""
        drawn = f"`begin: {{{name}: {draw}}}` to draw it{every}"
        return f"write {drawn}, or `condition: [{name}]` if the user gives it"

    def _source(self, reason: str, help: str, *path: str) -> None:
        known = path if isinstance(self.tree.get(path[0]), MappingNode) else path[:1]
        self.problems.append(g.SamplerInput.at(*self._at(*known, key=len(known) > 1), help=help, reason=reason))

    def _check_count(self) -> None:
        name = self.section.count
        type_ = self.graph.inputs.get(name) if name is not None else None
        if type_ is not None and (not type_.is_integer or type_.rank):
            reason = f"`{name}` of {self._where} is {type_} of {type_.dtype}, and the index of a step is an integer"
            self._source(reason, f"declare it as `{name}: {{shape: [], dtype: int32}}`", "count")

    def _check_conditions(self) -> None:
        """Reports conditions that differ from the data field of the same name, whose values they take."""
        fields = self._fields()
        for i, name in enumerate(self.section.condition):
            given, wanted = fields.get(name), self.graph.inputs[name]
            if given is None or self.graph.name == "main":
                continue
            pairs = zip(given.shape, wanted.shape, strict=False)
            fits = given.rank == wanted.rank and all(same_size(a, b) is not False for a, b in pairs)
            if not fits or given.is_integer != wanted.is_integer:
                reason = (
                    f"the condition `{name}` is {wanted} of {wanted.dtype}, and the field `{name}`, whose values it takes, is "
                    f"{given} of {given.dtype}"
                )
                at = locate(self.tree, "condition", i)
                help = f"declare the input as the field, or rename the input of {self._where}"
                self.problems.append(g.SamplerInput.at(*at, help=help, reason=reason))

    # --- types --------------------------------------------------------------------------------------------------------------

    def _fields(self) -> dict[str, TensorType]:
        return {name: given.type for name, given in self.spec.fields.items() if given is not None}

    def _at_sizes(self) -> Graph | None:
        """The network with the sizes of what is drawn; None if they do not fit."""
        sizes: dict[str, int] = {}
        before = len(self.problems)
        for key in ("begin", "draw"):
            for name, draw in getattr(self.section, key).items():
                self._check_draw(key, name, draw, sizes)
        if len(self.problems) > before:
            return None
        alone = replace(self.model, networks={self.graph.name: self.graph})
        try:
            return at_sizes(self.spec, alone, sizes).networks[self.graph.name] if sizes else self.graph
        except NnspecError as error:
            reason, _, help = str(error).partition("\n  = help: ")
            name = next(iter(self.section.begin or self.section.draw))
            self._draw("begin" if self.section.begin else "draw", name, f"has sizes that do not fit: {reason}", help)
            return None

    def _check_draw(self, key: str, name: str, draw: Draw, sizes: dict[str, int]) -> None:
        """Checks the shape and the type of what is drawn; adds the sizes of the network's symbols."""
        wanted = self.graph.inputs[name]
        try:
            given = TensorType(tuple(draw.sizes(self._fields())), draw.dtype)
        except DrawError as error:
            self._draw(key, name, error.reason, error.help)
            return
        if given.is_integer != wanted.is_integer or wanted.dtype == "bool":
            drawn = type(draw).__name__
            fits = "integers: {shape: […], below: …}" if wanted.is_integer else "normal: […]"
            help = f"draw `{{{fits}}}`" if wanted.dtype != "bool" else f"make `{name}` a float, and compare it with 0.5"
            self._draw(key, name, f"is {given.dtype} (`{drawn}`), and {self._where} takes {wanted.dtype}", help)
            return
        own: dict[str, int] = {}
        fits_shape = given.rank == wanted.rank
        for size, expected in zip(given.shape, wanted.shape, strict=False):
            if not isinstance(size, int):
                reason = f"has the free size `{size}` of the field `{getattr(draw, 'shape', '')}`"
                self._draw(key, name, reason, "write the shape in numbers")
                return
            if isinstance(expected, int):
                fits_shape &= size == expected
            elif expected.is_known and str(expected).isidentifier():
                known = sizes.get(str(expected), own.setdefault(str(expected), size))
                fits_shape &= known == size
        if not fits_shape:
            shape = ", ".join(map(str, wanted.shape))
            plain = all(isinstance(size, int) for size in wanted.shape)
            help = f"write `[{shape}]`" if plain else f"write numbers for ({shape})"
            self._draw(key, name, f"is {given}, and `{name}` of {self._where} is {wanted}", help)
            return
        sizes.update(own)

    def _draw(self, key: str, name: str, reason: str, help: str) -> None:
        self.problems.append(g.DrawMismatch.at(*self._at(key, name), help=help, name=name, reason=reason))

    def _resolved(self, draws: Mapping[str, Config], fixed: Graph) -> dict[str, Draw]:
        """The draws with the shapes of the inputs, in numbers."""
        found = {}
        for name, draw in draws.items():
            assert isinstance(draw, Draw)
            found[name] = draw.model_copy(update={"shape": list(fixed.inputs[name].shape)})
        return found

    def _check_fed_back(self, graph: Graph, name: str) -> None:
        given, wanted = graph.output_types[name], graph.inputs[name]
        if given.shape != wanted.shape or given.dtype != wanted.dtype:
            node = graph.nodes.get(graph.outputs[name].source)
            at = self._at("steps") if node is None else (node.span, node.path)
            help = f"compute `{name}` in this shape and type, or give the output another name"
            self.problems.append(
                g.FeedbackMismatch.at(
                    *at,
                    help=help,
                    name=name,
                    network=graph.name,
                    given=given,
                    given_dtype=given.dtype,
                    wanted=wanted,
                    wanted_dtype=wanted.dtype,
                )
            )
            return
        free = [size for size in wanted.shape if isinstance(size, Dim)]
        if free and name not in self.section.begin and name not in self.section.condition:
            reason = f"`{name}` begins with zeros, and their number depends on `{free[0]}`"
            self._source(reason, f"draw it under `begin`, or give it under `condition: [{name}]`", "network")
