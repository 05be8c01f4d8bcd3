"""Checks of the inputs and outputs that ``generate`` names: they exist, are fed, and have matching types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Respell
from nnspec.generation import problems as g
from nnspec.generation.section import GenerateSection
from nnspec.graph import Graph, Model
from nnspec.graph.decoding import Decoding, fed_by, input_feeding
from nnspec.graph.model import Ref
from nnspec.spec.tree import MappingNode
from nnspec.types import Dim, TensorType, did_you_mean, listed, same_size, symbols_of


@dataclass(frozen=True)
class Ports:
    """The check of a section's names against the networks of its document.

    Attributes:
        section: The section.
        tree: Its YAML tree.
        model: The networks.
        problems: Problems are appended here.
        wrong: Keys whose values are unknown because of reported errors.
    """

    section: GenerateSection
    tree: MappingNode
    model: Model
    problems: list[Diagnostic]
    wrong: AbstractSet[str] = frozenset()

    def decoding(self) -> Decoding | None:
        """The networks and ports that the section names; None if there are errors."""
        section = self.section
        if self.wrong & {"decode", "token", "encode"}:
            return None
        before = len(self.problems)
        decoder = self._network("decode", section.decode)
        encoder = self._network("encode", section.encode) if section.encode is not None else None
        if decoder is None or (encoder is None and section.encode is not None):
            return None
        known = [
            self._has(("token", "input"), decoder, "input", section.token.input, decoder.input_names),
            self._has(("token", "logits"), decoder, "output", section.token.logits, decoder.output_names),
            *(self._fits(key, encoder, decoder) for key in ("memory", "begin")),
            self._fits("carry", decoder, decoder),
        ]
        if not all(known):
            return None
        if self.wrong & {"encode", "memory", "begin", "carry"}:
            return None
        self._check_fed(decoder)
        if decoder.gaps or (encoder is not None and encoder.gaps) or len(self.problems) > before:
            return None
        self._check_initial_state(encoder, decoder)
        sources = {}
        if encoder is not None:
            sources = {name: input_feeding(self.model, encoder, name) or name for name in encoder.inputs}
        target = input_feeding(self.model, decoder, section.token.input)
        ports = (section.memory, section.begin, section.carry)
        decoding = Decoding(encoder, decoder, section.token.input, section.token.logits, *ports, section.cache, sources, target)
        fits = self._are_tokens(decoding)
        return decoding if fits and not any(problem.is_error for problem in self.problems[before:]) else None

    # --- names and types ------------------------------------------------------------------------------------------------

    def _network(self, key: str, name: str) -> Graph | None:
        if name in self.model.networks:
            return self.model.networks[name]
        help = suggestion(name, self.model.networks)
        self.problems.append(g.UnknownName.at(*self._at(key), help=help, where="the document", what="network", name=name))
        return None

    def _has(
        self, path: tuple[str, ...], network: Graph, what: str, name: str, known: Iterable[str], *, key: bool = False
    ) -> bool:
        known = list(known)
        if name in known:
            return True
        if what == "output" and not network.gaps.are_named:
            return False
        where = f"`{network.name}`" if network.name != "main" else "the main network"
        at = self._at(*path, key=key)
        self.problems.append(g.UnknownName.at(*at, help=suggestion(name, known), where=where, what=what, name=name))
        return False

    def _fits(self, key: str, source: Graph | None, decoder: Graph) -> bool:
        """Checks that the names under `memory`, `begin` or `carry` exist and have matching types."""
        mapping: Mapping[str, str] = getattr(self.section, key)
        if source is None and mapping:
            reason = f"`{key}` needs an encoder, and `encode` is not given"
            self.problems.append(g.NotFed.at(*self._at(key), help="name the network under `encode`", reason=reason))
            return False
        valid = True
        sizes: dict[str, int | Dim] = {}
        for input_, output in mapping.items():
            assert source is not None
            exists = self._has((key, input_), decoder, "input", input_, decoder.input_names, key=True)
            exists &= self._has((key, input_), source, "output", output, source.output_names)
            untyped = output not in source.outputs or input_ not in decoder.inputs
            valid &= exists and (untyped or self._agrees(key, source, output, decoder, input_, sizes))
        return valid

    def _agrees(self, key: str, source: Graph, output: str, decoder: Graph, input_: str, sizes: dict[str, int | Dim]) -> bool:
        given, wanted = source.output_types[output], decoder.inputs[input_]
        if given.dtype == wanted.dtype and _same_shape(given, wanted, sizes, own=key == "carry"):
            whole = not any(graph.gaps for graph in self.model.networks.values())  # otherwise a use with a mask may be missing
            if whole and given.mask is not None and wanted.mask is None and key == "memory" and _uses_mask(decoder, input_):
                at = self._at(key, input_)
                help = f"use `{source.name}` and `{decoder.name}` in the main network"
                self.problems.append(g.LostMask.at(*at, help=help, output=output, input=input_, network=decoder.name))
            return True
        fitting = [
            name for name, kind in source.output_types.items() if kind.dtype == wanted.dtype and _same_shape(kind, wanted, {})
        ]
        help = Advice(f"`{fitting[0]}` fits", Respell(old=output, new=fitting[0])) if len(fitting) == 1 else ""
        self.problems.append(
            g.TypeMismatch.at(
                *self._at(key, input_),
                help=help,
                output=output,
                source=source.name,
                given=given,
                given_dtype=given.dtype,
                input=input_,
                network=decoder.name,
                wanted=wanted,
                wanted_dtype=wanted.dtype,
            )
        )
        return False

    def _check_fed(self, decoder: Graph) -> None:
        section = self.section
        for name in section.begin:
            if name not in section.carry:
                reason = f"`{name}` is only fed at the first step"
                help = f"add it to `carry`, or to `memory` if it is constant: `memory: {{{name}: …}}`"
                self.problems.append(g.NotFed.at(*self._at("begin", name, key=True), help=help, reason=reason))
        for name in section.carry:
            if name in section.memory:
                reason = f"`{name}` is fed twice, by `memory` and by `carry`"
                self.problems.append(
                    g.NotFed.at(*self._at("carry", name, key=True), help="remove one of the two", reason=reason)
                )
            kind = decoder.inputs.get(name)
            free = [size for size in kind.shape if not isinstance(size, int)] if kind is not None else []
            if name not in section.begin and free:
                reason = f"`{name}` starts with zeros, and their number depends on `{free[0]}`"
                help = "set its initial value under `begin`"
                self.problems.append(g.NotFed.at(*self._at("carry", name, key=True), help=help, reason=reason))
        fed = {section.token.input, *section.memory, *section.begin, *section.carry}
        for name in decoder.inputs:
            if name not in fed:
                reason = f"nothing feeds `{name}` of `{decoder.name}`"
                help = "add it to `memory` (constant) or to `carry` (from the previous step)"
                self.problems.append(g.NotFed.at(*self._at("decode"), help=help, reason=reason))

    def _check_initial_state(self, encoder: Graph | None, decoder: Graph) -> None:
        """Reports states that start with zeros in decoding but not in training."""
        from nnspec.layers.compute import Compute

        for name in self.section.carry if "main" not in self.model.networks or not self.model.main.gaps else ():
            fed = fed_by(self.model, decoder, name) if name not in self.section.begin and decoder.name != "main" else None
            if fed is None or fed.source not in self.model.main.nodes:
                continue
            node = self.model.main.nodes[fed.source]
            if isinstance(node.layer, Compute) and node.layer.is_zero(fed.output, node.input_types):
                continue
            given = encoder.output_types if encoder is not None else {}
            fitting = [output for output, type in given.items() if _same_shape(type, decoder.inputs[name], {})]
            help = f"write `begin: {{{name}: {fitting[0] if len(fitting) == 1 else '…'}}}`, an output of the encoder"
            at = self._at("carry", name, key=True)
            self.problems.append(g.InitialStateDiffers.at(*at, help=help, input=name, fed=fed))

    def _are_tokens(self, decoding: Decoding) -> bool:
        token, logits = decoding.token_type, decoding.logits_type
        name = self.section.token.input
        valid = True
        if not token.is_integer or token.rank != 1 or (isinstance(token.shape[0], int) and token.shape[0] != 1):
            reason = f"`{name}` is {token} of {token.dtype}; tokens are integers along a free dimension"
            help = f"declare it as `{name}: {{shape: [T], dtype: int32}}`"
            self.problems.append(g.NotTokens.at(*self._at("token", "input"), help=help, reason=reason))
            valid = False
        sizes = (token.shape[0], logits.shape[-1]) if logits.rank == 2 and token.rank else logits.shape[-1:]
        if (
            not logits.dtype.startswith("float")
            or logits.rank not in (1, 2)
            or not (isinstance(logits.shape[-1], int) or symbols_of(logits.shape[-1]) <= self._memory_sizes(decoding))
            or any(same_size(a, b) is False for a, b in zip(logits.shape, sizes, strict=True))
        ):
            reason = f"`{self.section.token.logits}` is {logits}; logits are (time, vocabulary), or (vocabulary,) for the last"
            help = ""
            if logits.rank and not isinstance(logits.shape[-1], int):
                help = "use a vocabulary of fixed size; only the length of an input under `memory` may be free, to point at it"
            self.problems.append(g.NotTokens.at(*self._at("token", "logits"), help=help, reason=reason))
            valid = False
        if self.section.token.logits in self.section.carry.values() and valid:
            reason = f"`{self.section.token.logits}` cannot be both the logits and a carried state"
            help = "use separate outputs"
            self.problems.append(g.NotTokens.at(*self._at("token", "logits"), help=help, reason=reason))
            valid = False
        return valid

    def _memory_sizes(self, decoding: Decoding) -> set[str]:
        """The free sizes of what the decoder attends to, at whose positions a token may point."""
        types = (decoding.decoder.inputs[name] for name in decoding.memory)
        return {name for type_ in types for size in type_.shape for name in symbols_of(size)}

    def _at(self, *path: str, key: bool = False) -> tuple[Span, str]:
        return place(self.tree, *path, key=key)


def place(tree: MappingNode, *path: str, key: bool = False) -> tuple[Span, str]:
    """The position of a value of a section, or of its key; if it is missing, that of its parent."""
    for depth, name in enumerate(path, 1):
        inner = tree.get(name)
        if inner is None:
            break
        if not isinstance(inner, MappingNode) or depth == len(path):
            span = next(k.span for k, _ in tree.items() if k.value == name) if key else inner.span
            return span, inner.path
        tree = inner
    return tree.span, tree.path


def suggestion(name: str, known: Iterable[str]) -> str:
    """A help text for an unknown name."""
    known = list(known)
    return did_you_mean(name, known, "known names: " + listed(known))


def _same_shape(given: TensorType, wanted: TensorType, sizes: dict[str, int | Dim], *, own: bool = False) -> bool:
    """Whether a shape fits another. Each symbol of `wanted` stands for one size; with `own`, symbols must be equal."""
    if given.rank != wanted.rank:
        return False
    for size, expected in zip(given.shape, wanted.shape, strict=True):
        if isinstance(expected, int) or own:
            fits = size == expected
        else:
            fits = same_size(sizes.setdefault(str(expected), size), size) is not False
        if not fits:
            return False
    return True


def _uses_mask(decoder: Graph, input_: str) -> bool:
    """Whether a layer that reads an input uses its mask."""
    return any(node.layer.uses_mask for node in decoder.nodes.values() if Ref(input_) in node.inputs.values())
