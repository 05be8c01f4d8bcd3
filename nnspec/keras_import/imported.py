"""Import of a Keras model as a spec and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.files import write_whole
from nnspec.graph import Model, build
from nnspec.keras_import import problems as k
from nnspec.keras_import.archive import open_archive, read_config_file
from nnspec.keras_import.config import read_config
from nnspec.keras_import.config_values import ConfigError, OwnModelError
from nnspec.keras_import.folding import FoldedBlock, folded
from nnspec.keras_import.live import live_config, live_problems, live_statistics
from nnspec.keras_import.masks import check_masks
from nnspec.keras_import.model import KerasModel, Tensor, tensors_in
from nnspec.keras_import.naming import model_name
from nnspec.keras_import.order import applications
from nnspec.keras_import.pairing import paired
from nnspec.keras_import.parts import Variable
from nnspec.keras_import.plan import Planner
from nnspec.keras_import.planned import PlannedNetwork, PlannedStep
from nnspec.keras_import.translate import kind_of
from nnspec.keras_import.weights import live_arrays, saved_arrays
from nnspec.keras_import.weights_file import WeightsFile, open_weights
from nnspec.keras_import.writing import document
from nnspec.spec import read_spec
from nnspec.spec.limits import Limits
from nnspec.types import Dim, TensorType

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_APPLICATIONS = 20_000
"""NASNetLarge has 1,039 layer calls."""

_LIMITS = Limits(bytes=64 * 2**20, nodes=10_000_000, layers=1_000_000)


_DAMAGED = (ConfigError, TypeError, ValueError, RecursionError, KeyError, IndexError, AttributeError, ArithmeticError)
"""Exceptions caused by an invalid config, which may contain any value in any place."""


@dataclass(frozen=True)
class Imported:
    """A Keras model as a spec.

    Attributes:
        name: The model's name.
        weights: Its weights by the spec's names; empty if only a config was imported.
        renamed: Names that differ in the spec, by the Keras layer's path, ``encoder/my layer``.
        diagnostics: The warnings.
        parameters: The number of parameters.
        networks: The networks of the document.
        blocks: The blocks of a folded document.
    """

    name: str
    weights: Mapping[str, NDArray[Any]]
    renamed: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]
    parameters: int
    networks: Mapping[str, PlannedNetwork] = field(repr=False)
    blocks: Mapping[str, FoldedBlock] = field(default_factory=dict, repr=False)

    def text(self, weights: str | None = None) -> str:
        """Return the text of the spec.

        Args:
            weights: The file with its initial weights, relative to the spec.
        """
        return document(self.name, self.networks, self.blocks, weights=weights)

    def folded(self) -> Imported:
        """Return the same spec with repeated steps as blocks and `repeat`, and default names.

        The graphs of both are compared; if they differed, this would return the spec as it is.
        """
        networks, blocks = folded(self.networks)
        if not blocks:
            return self
        before, after = _compiled(self.text()), _compiled(document(self.name, networks, blocks))
        names = before and after and paired(before, after)
        if not names:
            return self
        weights = {names[name]: array for name, array in self.weights.items()}
        layers = {name.rpartition("/")[0]: named.rpartition("/")[0] for name, named in names.items()}
        known = {ours: theirs for theirs, ours in self.renamed.items()}
        renamed = {theirs: layers.get(ours, ours) for theirs, ours in self.renamed.items()}
        renamed |= {ours: named for ours, named in layers.items() if ours != named and ours not in known}
        return replace(self, weights=weights, renamed=renamed, networks=networks, blocks=blocks)

    def write(self, spec: str | Path, weights: str | Path | None = None) -> list[Path]:
        """Write the spec and the weights.

        Args:
            spec: The spec's file.
            weights: The weights' file; by default the spec's name with ``.safetensors``.

        Returns:
            The written files.

        Raises:
            NnspecError: If a file cannot be written.
        """
        file = Path(spec)
        if not self.weights:
            return [write_whole(file, self.text())]
        from safetensors.numpy import save

        given = Path(weights) if weights is not None else file.with_name(f"{stem(file)}.safetensors")
        written = write_whole(given, save(dict(self.weights)))
        return [write_whole(file, self.text(_relative(given, file.parent))), written]


def stem(file: Path) -> str:
    """Return a spec's file name without its suffixes."""
    return file.name.removesuffix(".yaml").removesuffix(".yml").removesuffix(".nnspec")


def _relative(file: Path, folder: Path) -> str:
    import os

    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def import_file(file: str | Path) -> Imported:
    """Import a ``.keras`` file, or the ``.json`` of ``model.to_json()``, as a spec.

    No code in the file is run and Keras is not loaded: config and weights are read as data.

    Raises:
        SpecError: If layers have no equivalent, or the file is invalid; it lists all problems.
    """
    path = Path(file)
    if path.suffix.lower() == ".json":
        return _Import(str(path), read_config_file(path), []).run(None)
    problems: list[Diagnostic] = []
    with open_archive(path) as (config, weights), open_weights(weights, Span.whole(str(path)), problems) as opened:
        return _Import(str(path), config, problems, opened).run(opened)


def from_keras(model: Any, *, inline: bool = False) -> Imported:
    """Import a live functional or sequential ``keras.Model`` as a spec with weights.

    Args:
        model: The model.
        inline: Whether to replace layers and models of custom classes by what their ``call`` computes, which runs their code.

    Raises:
        SpecError: If layers have no equivalent; it lists all of them.
    """
    name = f"<keras.Model {model.name}>"
    if not inline:
        importing = _Import(name, live_config(model), live_problems(model, Span.whole(name)))
        return importing.run(None, live=model)
    from nnspec.keras_import.inlining import inlined

    failed: SpecError | None = None
    with inlined(model, Span.whole(name)) as attempts:
        for flat in attempts:
            try:
                importing = _Import(name, flat.config, live_problems(flat.model, Span.whole(name)))
                return importing.run(None, live=flat.model, variables=flat.variables, sizes=flat.sizes)
            except SpecError as error:
                failed = error
    raise failed or SpecError([])


class _Import:
    """One import; problems are collected and raised together."""

    def __init__(self, file: str, config: Any, problems: list[Diagnostic], weights: WeightsFile | None = None) -> None:
        self.span = Span.whole(file)
        self.problems = problems
        self._file = file
        try:
            self._keras: KerasModel = read_config(config, *([] if weights is None else [weights.stores]))
        except OwnModelError as error:
            raise SpecError([_own_model(self.span, error)]) from None
        except _DAMAGED as error:
            raise SpecError([k.BadConfig.at(self.span, reason=str(error))]) from None

    def run(
        self,
        weights: WeightsFile | None,
        *,
        live: Any = None,
        variables: Mapping[str, Variable] | None = None,
        sizes: Mapping[tuple[str, int], str] | None = None,
    ) -> Imported:
        def saved(place: str) -> Any:
            if weights is not None:
                return weights.read(place)
            return None if live is None else live_statistics(self._keras, live, place)

        self._keras = replace(self._keras, variables=frozenset(variables or ()))
        if (count := applications(self._keras)) > _MOST_APPLICATIONS:
            reason = f"it has {count:,} layer calls, including nested models; the limit is {_MOST_APPLICATIONS:,}"
            raise SpecError([k.NotAKerasModel.at(self.span, reason=reason)])
        planner = Planner(
            self._file, saved, stores=weights is not None or live is not None, variables=variables or {}, sizes=sizes or {}
        )
        try:
            planner.plan(self._keras)
        except _DAMAGED as error:
            self.problems.append(k.BadConfig.at(self.span, reason=str(error)))
        self.problems += planner.problems
        self._stop()
        networks = planner.networks
        name = model_name(self._keras.name)
        model = self._compiled(document(name, networks))
        self._check(networks, model)
        of, paths, renamed = _origins(networks)
        arrays: dict[str, Any] = {}
        if weights is not None:
            arrays = saved_arrays(model.networks, of, weights, self.span, self.problems)
        elif live is not None:
            arrays = live_arrays(live, model.networks, of, paths, self.span, self.problems)
        self._stop()
        count = sum({name: weight.size for graph in model.networks.values() for name, weight, _ in graph.weights()}.values())
        return Imported(name, arrays, renamed, tuple(self.problems), count, networks)

    def _stop(self) -> None:
        if any(problem.is_error for problem in self.problems):
            raise SpecError(self.problems)

    def _compiled(self, text: str) -> Model:
        """Read back and compile the spec."""
        found: list[Diagnostic] = []
        model = _compiled(text, found)
        errors = [problem for problem in found if problem.is_error]
        if model is None or errors:
            reasons = "; ".join(problem.message for problem in errors[:3])
            raise SpecError([*self.problems, k.BadConfig.at(self.span, reason=f"the resulting spec is invalid: {reasons}")])
        return model

    def _check(self, networks: Mapping[str, PlannedNetwork], model: Model) -> None:
        for network in networks.values():
            graph = model.networks[network.name]
            recorded = _recorded(network.keras)
            for step in network.steps:
                node = graph.nodes.get(step.name)
                for output, type_ in node.outputs.items() if node is not None else ():
                    theirs = recorded.get((step.keras.name, step.call, step.gives.get(output, -1)))
                    if theirs is not None and Tensor(step.keras.name, step.call) in network.shared:
                        theirs = (None, *theirs)
                    if theirs is not None and not _agrees(type_, theirs):
                        shape = f"({', '.join('?' if size is None else str(size) for size in theirs[1:])})"
                        layer, kind = step.keras.name, kind_of(step.keras)
                        problem = k.OtherShape.at(self.span, step.name, layer=layer, kind=kind, ours=type_, theirs=shape)
                        self.problems.append(problem)
        self.problems += check_masks(networks, model.networks, self.span)


def _compiled(text: str, found: list[Diagnostic] | None = None) -> Model | None:
    """Compile a spec's text; None if it is invalid."""
    problems: list[Diagnostic] = [] if found is None else found
    with TemporaryDirectory() as folder:
        file = Path(folder) / "imported.nnspec.yaml"
        file.write_text(text, encoding="utf-8", errors="replace")
        spec = read_spec(file, problems, limits=_LIMITS)
        model = build(spec, problems) if spec is not None else None
    return model if found is not None or not any(problem.is_error for problem in problems) else None


def _recorded(model: KerasModel) -> dict[tuple[str, int, int], tuple[int | None, ...]]:
    """Return the shapes in the config, which records them where tensors are read."""
    calls = [call for layer in model.layers.values() for call in layer.calls]
    read = [tensor for call in calls for tensor in tensors_in([call.args, call.kwargs])]
    return {(tensor.layer, tensor.call, tensor.index): tensor.shape for tensor in read if tensor.shape is not None}


def _agrees(ours: TensorType, theirs: tuple[int | None, ...]) -> bool:
    if ours.rank + 1 != len(theirs):
        return False
    pairs = zip(ours.shape, theirs[1:], strict=True)
    return all(isinstance(a, Dim) or b is None or a == b for a, b in pairs)


def _origins(
    networks: Mapping[str, PlannedNetwork],
) -> tuple[dict[str, PlannedStep], dict[str, tuple[str, ...]], dict[str, str]]:
    """Return each layer's step and Keras path, by the path of its weights, and the renamed layers."""
    of: dict[str, PlannedStep] = {}
    paths: dict[str, tuple[str, ...]] = {}
    renamed: dict[str, str] = {}
    around = {
        step.network: (network.name, step.keras.name)
        for network in networks.values()
        for step in network.steps
        if step.network is not None
    }
    for network in networks.values():
        path: tuple[str, ...] = ()
        at = network.name
        while at in around:
            at, name = around[at]
            path = (name, *path)
        prefix = "" if network.name == "main" else f"{network.name}/"
        if path and network.name != path[-1]:
            renamed["/".join(path)] = network.name
        renamed |= {"/".join((*path, theirs)): prefix + ours for theirs, ours in network.input_names.items() if theirs != ours}
        for step in network.steps:
            if step.layer is not None and step.share is None:
                of.setdefault(prefix + step.name, step)
                paths.setdefault(prefix + step.name, (*path, step.keras.name))
            if step.call == 0 and step.name != step.keras.name and step.layer is not None:
                renamed["/".join((*path, step.keras.name))] = prefix + step.name
    return of, paths, renamed


def _own_model(span: Span, error: OwnModelError) -> Diagnostic:
    """Return the diagnostic for a model of a custom class."""
    if error.functional:
        help = (
            "if its class does not override `call`, save `keras.Model(model.inputs, model.outputs)`, or import the live model "
            "with `nnspec.from_keras(model)`; otherwise rewrite `call` as layers between `keras.Input` and the outputs"
        )
    else:
        help = (
            "import the live model with `nnspec.from_keras(model, inline=True)`, "
            "or convert it to a functional model and save that: "
            "`x = keras.Input(shape); keras.Model(x, model.call(x)).save('model.keras')`"
        )
    return k.OwnModel.at(span, error.name, help=help, layer=error.name, kind=error.kind)
