"""The public functions that span several parts: what the commands call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Problem, SpecError, once
from nnspec.extras import require
from nnspec.graph import compile, survey
from nnspec.spec import Collected, Limits, Spec, read_spec
from nnspec.spec.ignores import silence, useless_ignores

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from onnx import ModelProto

    from nnspec.comparison import Difference
    from nnspec.explanations.origin import Origin
    from nnspec.exporting.convolutionalizing import Convolutional
    from nnspec.graph import Graph, Model
    from nnspec.keras_import import Imported

__all__ = ["build", "convolutionalize", "diff", "explain", "from_keras", "inspect", "to_keras", "to_onnx", "validate"]


def validate(
    file: str | Path,
    overrides: Sequence[str] = (),
    *,
    root: Path | None = None,
    limits: Limits | None = None,
    data: bool = False,
) -> list[Diagnostic]:
    """Everything that is wrong with a spec, and warnings, in the order of the file. No framework is loaded.

    Args:
        file: The spec.
        overrides: ``path=value`` each.
        root: What the spec's paths may not leave.
        limits: What the document may cost.
        data: Whether to open the data as well, which needs NumPy and what the readers need.

    Example:
        >>> validate("specs/digits.nnspec.yaml")
        []
    """
    problems: list[Diagnostic] = Collected(limits)
    try:
        spec = read_spec(file, problems, overrides, root=root, limits=limits)
        if spec is not None:
            model = survey(spec, problems)
            if any(node.start for graph in model.networks.values() for node in graph.nodes.values()):
                from nnspec.training.loop.initial_weights import check_starting

                check_starting(spec, model.networks.values(), problems)
            if any(spec.section(name) is not None for name in ("train", "data")):
                _check_training(spec, model, problems, data=data)
            if spec.section("generate") is not None:
                from nnspec.generation.check import check_generation

                check_generation(spec, model, problems)
            if spec.section("sweep") is not None:
                from nnspec.sweeping.check import check_sweep

                again = partial(_with, file, overrides, root=root, limits=limits)
                check_sweep(spec, problems, again)
            problems = [*silence(problems), *useless_ignores(spec.file, problems, _all_problems)]
    except SpecError as stopped:  # there are too many
        problems = once([*problems, *stopped.diagnostics])
    return sorted(problems, key=lambda problem: (problem.span.file, problem.span.line, problem.span.column))


def _with(
    file: str | Path, overrides: Sequence[str], more: Sequence[str], *, root: Path | None, limits: Limits | None
) -> list[Diagnostic]:
    """What is wrong with the spec as one trial of its sweep has it."""
    return validate(file, [*overrides, *more, "sweep=null"], root=root, limits=limits)


def _all_problems() -> Mapping[str, type[Problem]]:
    from nnspec.explanations.codes import all_problems

    return all_problems()


def _check_training(spec: Spec, model: Model, problems: list[Diagnostic], *, data: bool) -> None:
    if data and spec.section("train") is None and "main" in model.networks:
        require("train")
        from nnspec.data.check_values import check_values

        check_values(spec, model.networks["main"], problems)
        return
    from nnspec.training.checks.training import check_training

    plan = check_training(spec, model, problems, require_data=data)
    if data and plan is not None and plan.data is not None:
        require("train")
        from nnspec.data.prepare import prepare

        try:
            problems.extend(prepare(plan.data, plan.section.seed).warnings)
        except SpecError as error:
            problems.extend(error.diagnostics)


def inspect(
    file: str | Path, overrides: Sequence[str] = (), *, at: Mapping[str, int] | None = None, root: Path | None = None
) -> dict[str, Any]:
    """What ``nnspec inspect --format json`` prints; see [`describe`][nnspec.graph.describe.describe].

    Args:
        file: The spec.
        overrides: ``path=value`` each.
        at: Numbers in place of free sizes: ``{"H": 572, "W": 572}``.
        root: What the spec's paths may not leave.

    Raises:
        SpecError: Where the spec has errors.
        NnspecError: Where there is no such free size, or the sizes do not fit, with the next that do.

    Example:
        >>> inspect("specs/lenet5.nnspec.yaml")["networks"]["main"]["macs"]
        416520
    """
    from nnspec.graph.describe import describe
    from nnspec.graph.fixed_sizes import at_sizes
    from nnspec.spec import load

    spec = load(file, overrides, root=root)
    model = compile(spec)
    return describe(at_sizes(spec, model, at) if at else model)


def diff(a: str | Path | Spec, b: str | Path | Spec, *, root: Path | None = None) -> Difference:
    """What changed in meaning from one spec to another, and which weights carry over.

    Args:
        a: The first spec, or its file.
        b: The second.
        root: What the paths of specs that are read may not leave.

    Raises:
        SpecError: Where one has errors.

    Example:
        >>> diff("specs/lenet5.nnspec.yaml", "specs/lenet5.nnspec.yaml").is_empty
        True
    """
    from nnspec.comparison import compare
    from nnspec.spec import load

    first, second = (spec if isinstance(spec, Spec) else load(spec, root=root) for spec in (a, b))
    return compare(first, compile(first), second, compile(second))


def explain(file: str | Path, path: str, overrides: Sequence[str] = (), *, root: Path | None = None) -> list[Origin]:
    """Where a value of a spec came from: a default, a param of a block or of the document, an override.

    Args:
        file: The spec.
        path: An argument of a layer by its name in the graph (``unit/0/conv2d.filters``), a layer (all its arguments), or
            a place of the document (``train.batch_size``).
        overrides: ``path=value`` each.
        root: What the spec's paths may not leave.

    Returns:
        The value and the places it came through; several where what a path names is used several times.

    Raises:
        SpecError: Where the spec has errors.
        NnspecError: Where there is nothing of that path.

    Example:
        >>> [origin] = explain("specs/lenet5.nnspec.yaml", "conv2d_1.padding")
        >>> origin.value, origin.links[0].what
        ('valid', 'the default of `Conv2D`')
    """
    from nnspec.explanations.places import origins
    from nnspec.spec import load

    before = load(file, root=root).document if overrides else None
    return origins(load(file, overrides, root=root), path, before)


def from_keras(model: Any) -> Imported:
    """A spec, and its weights, from a Keras model.

    Nothing in a file is run, and Keras is not loaded for one: its config is walked as data, its weights are read as numbers.

    Args:
        model: A functional or sequential ``keras.Model``; or a file: ``.keras``, or the ``.json`` of ``model.to_json()``.

    Returns:
        What is written with ``write(file)``: ``net.nnspec.yaml`` and ``net.safetensors``.

    Raises:
        SpecError: With every layer that has no equivalent, and why.

    Example:
        ``from_keras("mobilenet.keras").write("mobilenet.nnspec.yaml")``
    """
    from nnspec import keras_import

    if isinstance(model, str | Path):
        if Path(model).suffix.lower() != ".json":
            require("import")
        return keras_import.import_file(model)
    return keras_import.from_keras(model)


def to_keras(graph: Graph, *, seed: int | None = None) -> Any:
    """The Keras functional model of a graph, its layers named after the spec's.

    Args:
        graph: One network of a compiled spec.
        seed: Makes the initial weights repeatable.

    Returns:
        A ``keras.Model``.
    """
    require("train")
    from nnspec import keras_backend

    return keras_backend.to_keras(graph, seed=seed)


def to_onnx(graph: Graph, weights: Mapping[str, np.ndarray], *, opset: int = 23) -> ModelProto:
    """The ONNX model of a graph; no framework is loaded.

    Args:
        graph: One network of a compiled spec.
        weights: Its arrays by identity, ``conv2d/kernel``.
        opset: The ONNX operator set.
    """
    require("export")
    from nnspec import onnx_backend

    return onnx_backend.to_onnx(graph, weights, opset=opset)


def convolutionalize(
    model: str | Path, folder: str | Path, *, opset: int | None = None, root: Path | None = None
) -> Convolutional:
    """Writes a trained classifier as a fully convolutional network, its weights carried (Long, Shelhamer and Darrell 2015).

    Args:
        model: A run folder, or a spec whose weights start from a file.
        folder: Where the spec, its weights and the ONNX model are written; made if it is not there.
        opset: The ONNX operator set; what the spec says by default.
        root: What the paths of a spec may not leave.

    Returns:
        The files, what each layer became, and how far the network is from the classifier on the classifier's own size.

    Raises:
        NnspecError: Where a layer cannot slide over a larger picture, with its place; where an output differs.
    """
    require("train", "export")
    from nnspec.exporting import convolutionalizing

    return convolutionalizing.convolutionalize(model, folder, opset=opset, root=root)


def build(spec: Spec, folder: str | Path, *, seed: int | None = None) -> tuple[list[Path], tuple[Diagnostic, ...]]:
    """Writes the compiled graph, the Keras models and the ONNX models of a spec, with initial weights, proven equal.

    Args:
        spec: The spec.
        folder: Where to write; made if it is not there.
        seed: Makes the initial weights repeatable.

    Returns:
        The files, ``graph.json``, ``model.keras``, ``model.onnx`` (``NAME.keras``, ``NAME.onnx`` for each network of
        ``networks``), and the warnings.

    Raises:
        SpecError: Where the spec has errors.
        NnspecError: Where the two lowerings differ; nothing of that network is written.
    """
    require("train", "export")
    from nnspec.exporting.building import write_build

    model = compile(spec)
    return write_build(spec, model, Path(folder), seed=seed), model.diagnostics
