"""Construction of recurrences: the graph of a cell, and the node that runs it at each step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic
from nnspec.graph.around import Around, Fed
from nnspec.graph.cells import (
    MERGES,
    cell_inputs,
    cell_of,
    check_body,
    check_sequence,
    sequences_of,
    starts_of,
    state_names,
)
from nnspec.graph.model import Graph, NetworkCall, Node, Ref
from nnspec.graph.scope import Given, Scope, Source
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer, LayerError
from nnspec.spec import Collected, Network, Step
from nnspec.spec.step import BothDirections, Nested, NetworkUse, Recurrence

Inner = Nested | NetworkUse | Recurrence | BothDirections


class Recurrences(ABC):
    """The part of the graph builder that builds recurrences."""

    _networks: Mapping[str, Network]
    _problems: Collected
    _nodes: dict[str, Node]
    _calls: list[NetworkCall]

    @abstractmethod
    def _inside(self, step: Step, content: Inner, fed: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None: ...

    @abstractmethod
    def _layer(self, step: Step, layer: Layer, fed: Fed, here: Around) -> Mapping[str, Given] | None: ...

    @abstractmethod
    def _does_not_fit(self, error: LayerError, step: Step, fed: Fed) -> Diagnostic: ...

    def _recurrence(
        self, step: Step, content: Recurrence, fed: Fed, scope: Scope, here: Around, *, keeps_order: bool = False
    ) -> Mapping[str, Given] | None:
        """Build the graph of a cell, and the node that runs it at each step."""
        own = here
        if content.time_distributed:  # then the last node has the step's name
            own = replace(here, prefix=f"{here.prefix}/rnn", weights=f"{here.weights}/rnn")
            here = replace(here, prefix=own.prefix)
        try:
            given = self._at_each_step(content, fed)
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        if given is None:
            return None
        outer, self._nodes = self._nodes, {}
        calls, self._calls = self._calls, []  # what feeds a network in a cell is not a tensor of this graph
        try:
            outputs = self._cell(content.cell, given, scope, here)
        finally:
            inner, self._nodes = self._nodes, outer
            self._calls = calls
        if outputs is None:
            return None
        inputs = {port: type_ for port, (_, (_, type_)) in given.items()}
        body = Graph(here.prefix, inputs, inner, {}).giving({name: ref for name, (ref, _) in outputs.items()})
        from nnspec.layers.rnn import unsized_error

        try:
            cell = cell_of(content, body, fed)
            layer = content.layer.running(cell, keeps_order=keeps_order)
            if unsized := layer.unsized():
                raise unsized_error(*unsized)
        except LayerError as error:
            self._problems.append(self._does_not_fit(error, step, fed))
            return None
        self._problems += check_body(cell, body)
        return self._layer(step, layer, fed, own)

    def _at_each_step(self, content: Recurrence, fed: Fed) -> Fed | None:
        """Return what each input of a cell is fed at one step; None if a declaration that has been reported is missing."""
        cell = content.cell.content
        names = cell_inputs(cell, self._networks)
        sequences = sequences_of(content, names)
        states = state_names(cell, self._networks)
        found: dict[str, tuple[Source, Given]] = {}
        for port in names:
            if port in fed:
                source, (_, type_) = fed[port]
                if port in sequences:
                    type_ = check_sequence(content.layer, port, type_)
                found[port] = source, (Ref(port), type_.masked(None) if port in states else type_)
        missing = [port for port in names if port not in fed]
        types = starts_of(
            cell, content.cell.op, missing, {port: type_ for port, (_, (_, type_)) in found.items()}, self._networks
        )
        if types is None:
            return None
        at = content.cell
        started = {port: (Source(port, port, at.span, at.path, implied=True), (Ref(port), types[port])) for port in missing}
        return {port: found[port] if port in found else started[port] for port in names}

    def _cell(self, cell: Step, given: Fed, scope: Scope, here: Around) -> Mapping[str, Given] | None:
        """Build one step of a cell. A built-in cell has the weights of its step: ``rnn/kernel``."""
        content = cell.content
        at = replace(here, prefix=f"{here.prefix}/{cell.name}")
        if isinstance(content, Layer):
            return self._layer(cell, content, given, at)
        assert isinstance(content, Nested | NetworkUse)
        return self._inside(cell, content, given, scope, here if isinstance(content, Nested) else at)

    def _both_directions(
        self, step: Step, content: BothDirections, fed: Fed, scope: Scope, here: Around
    ) -> Mapping[str, Given] | None:
        """Build a recurrence for each direction, and merge their outputs."""
        outputs: dict[str, Given] = {}
        results: dict[str, dict[str, Given]] = {}
        for inner in content.steps:
            run = inner.content
            assert isinstance(run, Recurrence)
            names = cell_inputs(run.cell.content, self._networks)
            own = {port: fed[key] for port in names for key in (f"{inner.name}_{port}", port) if key in fed}
            layer = run.layer
            if layer.return_sequences:
                layer = layer.model_copy(update={"zero_output_for_mask": True})
            at = here.inside().at(inner)
            made = self._recurrence(inner, replace(run, layer=layer), own, scope, at, keeps_order=True)
            if made is None:
                return None
            node = self._nodes[at.prefix]
            from nnspec.layers.rnn import RNN

            states = node.layer.typed.states if isinstance(node.layer, RNN) else ()
            outputs |= {f"{inner.name}_{name}": given for name, given in made.items() if name in states}
            results[inner.name] = {name: given for name, given in made.items() if name not in states}
        forward, backward = results["forward"], results["backward"]
        if content.merge_mode is None:
            both = {f"{way}_{name}": given for way, found in results.items() for name, given in found.items()}
            return both | outputs
        merged: dict[str, Given] = {}
        for name in forward:
            pair = {"0": forward[name], "1": backward[name]}
            at = here.inside()
            at = replace(at, prefix=f"{at.prefix}{name}", weights=f"{at.weights}{name}")
            source = next(iter(fed.values()))[0]
            merge = LAYERS.get(MERGES[content.merge_mode])()
            assert isinstance(merge, Layer)
            found = self._layer(step, merge, {port: (source, given) for port, given in pair.items()}, at)
            if found is None:
                return None
            merged[name] = found["output"]
        return merged | outputs
