"""The public functions behind the commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Diagnostic, Problem, SpecError, in_memory, once, with_fixes
from nnspec.extras import require
from nnspec.graph import compile, survey
from nnspec.spec import Collected, Document, Limits, Spec, read_spec
from nnspec.spec.collector import collector_paused
from nnspec.spec.ignores import silence, useless_ignores

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from onnx import ModelProto

    from nnspec.comparison import Difference
    from nnspec.diagnostics.applying import Fixed
    from nnspec.explanations.origin import Origin
    from nnspec.exporting.convolutionalizing import Convolutional
    from nnspec.graph import Graph, Model
    from nnspec.keras_import import Imported


@dataclass(frozen=True)
class Checked:
    """What is known of a spec after it was checked.

    Attributes:
        diagnostics: Errors and warnings in the order of the file.
        spec: As much of the spec as could be read; None if nothing could.
        model: Its graphs, which have gaps in place of errors; None if checking stopped before.
    """

    diagnostics: list[Diagnostic]
    spec: Spec | None = None
    model: Model | None = None


def validate(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    root: Path | None = None,
    limits: Limits | None = None,
    data: Any = False,
    texts: Mapping[Path, str] | None = None,
) -> list[Diagnostic]:
    """Check a spec; returns errors and warnings in the order of the file. No framework is loaded.

    A diagnostic with exactly one certain remedy has it as its `fix`; [`fix`][nnspec.api.fix] applies them.

    Args:
        file: The spec: its file, or its document as a dict.
        overrides: Overrides, each ``path=value``.
        root: The folder that the spec's paths must be in.
        limits: The limits on the size of the document.
        data: Whether to open the data too, which requires NumPy and the packages of the readers; or the training data, as for
            [`train`][nnspec.training.run.train.train].
        texts: Texts that are used in place of files, by path: the buffers of an editor, standard input.

    Example:
        >>> validate("specs/digits.nnspec.yaml")
        []
    """
    with in_memory(texts or {}):
        return check(file, overrides, root=root, limits=limits, data=data).diagnostics


@collector_paused()
def check(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    root: Path | None = None,
    limits: Limits | None = None,
    data: Any = False,
) -> Checked:
    """Check a spec as [`validate`][] does, and return what is known of it, too.

    Example:
        >>> check("specs/lenet5.nnspec.yaml").model.main.parameters
        61706
    """
    problems: list[Diagnostic] = Collected(limits)
    spec: Spec | None = None
    model: Model | None = None
    try:
        spec = read_spec(file, problems, overrides, root=root, limits=limits)
        if spec is not None:
            if data is not None and not isinstance(data, bool):
                from nnspec.data.frames import with_data

                spec, data = with_data(spec, data), True
            model = survey(spec, problems)
            if any(node.start for graph in model.networks.values() for node in graph.every_node()):
                from nnspec.training.run.initial_weights import check_starting

                check_starting(spec, model.networks.values(), problems)
            if any(spec.section(name) is not None for name in ("train", "data")):
                _check_training(spec, model, problems, data=bool(data))
            if spec.section("generate") is not None:
                from nnspec.generation.check import check_generation

                check_generation(spec, model, problems)
            if spec.section("neighbors") is not None:
                from nnspec.neighbors.check import check_neighbors

                check_neighbors(spec, model, problems)
            if spec.section("sweep") is not None:
                from nnspec.sweeping.check import check_sweep

                again = partial(_with, file, overrides, root=root, limits=limits)
                check_sweep(spec, problems, again)
            problems = [*silence(problems), *useless_ignores(spec.file, problems, _all_problems)]
    except SpecError as stopped:  # too many errors
        problems = once([*problems, *stopped.diagnostics])
    ordered = sorted(with_fixes(problems), key=lambda problem: (problem.span.file, problem.span.line, problem.span.column))
    return Checked(ordered, spec, model)


def _with(
    file: Document, overrides: Sequence[str], more: Sequence[str], *, root: Path | None, limits: Limits | None
) -> list[Diagnostic]:
    """Check the spec with the values of one trial of its sweep."""
    return validate(file, [*overrides, *more, "sweep=null"], root=root, limits=limits)


def _all_problems() -> Mapping[str, type[Problem]]:
    from nnspec.explanations.codes import all_problems

    return all_problems()


def _check_training(spec: Spec, model: Model, problems: list[Diagnostic], *, data: bool) -> None:
    if data and spec.section("train") is None and "main" in model.networks:
        require("train")
        from nnspec.data.check_values import check_known_values, check_values

        before = len(problems)
        check_values(spec, model.networks["main"], problems)
        if any(problem.is_error for problem in problems[before:]):
            check_known_values(spec, model.networks["main"], problems)
        return
    from nnspec.training.check import check_training

    plan = check_training(spec, model, problems, require_data=data)
    if data and plan is None and "main" in model.networks:
        require("train")
        from nnspec.data.check_values import check_known_values

        check_known_values(spec, model.networks["main"], problems)
    if data and plan is not None and plan.data is not None:
        require("train")
        from nnspec.data.prepare import prepare
        from nnspec.training.checks.class_batches import check_class_counts
        from nnspec.training.checks.detected_classes import check_detected_classes

        try:
            prepared = prepare(plan.data, plan.section.seed)
            problems.extend(prepared.warnings)
            check_class_counts(plan, prepared)
            problems.extend(check_detected_classes(plan, model, prepared))
        except SpecError as error:
            problems.extend(error.diagnostics)


def fix(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    root: Path | None = None,
    limits: Limits | None = None,
    data: bool = False,
    texts: Mapping[Path, str] | None = None,
) -> Fixed:
    """Apply every fix of a spec that is certain, like ``nnspec validate --fix``; writes no file.

    Args:
        file: The spec: its file, or its document as a dict.
        overrides: Overrides, each ``path=value``.
        root: The folder that the spec's paths must be in.
        limits: The limits on the size of the document.
        data: Whether to open the data too.
        texts: Texts that are used in place of files, by path.

    Returns:
        The diagnostics before and after, and the new text of each changed file: the spec, and files that it uses.

    Example:
        >>> fix("specs/digits.nnspec.yaml").texts
        {}
    """
    from nnspec.diagnostics.applying import apply_fixes

    with in_memory(texts or {}):
        return apply_fixes(lambda: validate(file, overrides, root=root, limits=limits, data=data))


def inspect(
    file: Document, overrides: Sequence[str] = (), *, at: Mapping[str, int] | None = None, root: Path | None = None
) -> dict[str, Any]:
    """Describe the networks of a spec, like ``nnspec inspect``; see [`describe`][nnspec.graph.describe.describe].

    Args:
        file: The spec: its file, or its document as a dict.
        overrides: Overrides, each ``path=value``.
        at: Values of free sizes: ``{"H": 572, "W": 572}``.
        root: The folder that the spec's paths must be in.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If a free size is unknown, or the sizes are not valid; the message has the next valid ones.

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


def diff(a: Document | Spec, b: Document | Spec, *, root: Path | None = None) -> Difference:
    """Compare the meaning of two specs, and find the weights that carry over.

    Args:
        a: The first spec, its file, or its document as a dict.
        b: The second.
        root: The folder that the specs' paths must be in.

    Raises:
        SpecError: If one has errors.

    Example:
        >>> diff("specs/lenet5.nnspec.yaml", "specs/lenet5.nnspec.yaml").is_empty
        True
    """
    from nnspec.comparison import compare

    first, second = (_loaded(spec, root) for spec in (a, b))
    return compare(first, compile(first), second, compile(second))


def _loaded(spec: Document | Spec, root: Path | None) -> Spec:
    from nnspec.spec import load

    return spec if isinstance(spec, Spec) else load(spec, root=root)


def explain(file: Document, path: str, overrides: Sequence[str] = (), *, root: Path | None = None) -> list[Origin]:
    """Find the origin of a value in a spec: a default, a param, or an override.

    Args:
        file: The spec: its file, or its document as a dict.
        path: An argument of a layer (``unit/0/conv2d.filters``), a layer (all its arguments), or a key of the document
            (``train.batch_size``).
        overrides: Overrides, each ``path=value``.
        root: The folder that the spec's paths must be in.

    Returns:
        The value and the locations it came through; several if the path matches several uses.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If the path does not exist.

    Example:
        >>> [origin] = explain("specs/lenet5.nnspec.yaml", "conv2d_1.padding")
        >>> origin.value, origin.links[0].what
        ('valid', 'the default of `Conv2D`')
    """
    from nnspec.explanations.places import origins
    from nnspec.spec import load

    before = load(file, root=root).document if overrides else None
    return origins(load(file, overrides, root=root), path, before)


def from_keras(model: Any, *, inline: bool = False) -> Imported:
    """Convert a Keras model to a spec and its weights.

    No code in a file is run, and Keras is not loaded: the config and the weights are read as data.

    Args:
        model: A functional or sequential ``keras.Model``; or a file: ``.keras``, or the ``.json`` of ``model.to_json()``.
        inline: Whether to replace layers and models of custom classes by what their ``call`` computes. This runs their code,
            and needs a live model.

    Returns:
        The result, to be written with ``write(file)``: ``net.nnspec.yaml`` and ``net.safetensors``.

    Raises:
        SpecError: If layers have no equivalent; all are listed with the reason.

    Example:
        ``from_keras("mobilenet.keras").write("mobilenet.nnspec.yaml")``
    """
    from nnspec import keras_import

    if isinstance(model, str | Path):
        if inline:
            raise ValueError("`inline` needs a live model: the code of custom classes is not in the file")
        if Path(model).suffix.lower() != ".json":
            require("import")
        return keras_import.import_file(model)
    return keras_import.from_keras(model, inline=inline)


def to_keras(graph: Graph, *, seed: int | None = None) -> Any:
    """Build the functional Keras model of a graph, with the spec's layer names.

    Args:
        graph: One network of a compiled spec.
        seed: The seed of the initial weights.

    Returns:
        A ``keras.Model``.
    """
    require("train")
    from nnspec import keras_backend

    return keras_backend.to_keras(graph, seed=seed)


def to_onnx(graph: Graph, weights: Mapping[str, np.ndarray], *, opset: int = 23) -> ModelProto:
    """Build the ONNX model of a graph. No framework is loaded.

    Args:
        graph: One network of a compiled spec.
        weights: The arrays by identity, ``conv2d/kernel``.
        opset: The ONNX opset.
    """
    require("export")
    from nnspec import onnx_backend

    return onnx_backend.to_onnx(graph, weights, opset=opset)


def convolutionalize(
    model: str | Path, folder: str | Path, *, opset: int | None = None, root: Path | None = None
) -> Convolutional:
    """Convert a trained classifier to a fully convolutional network (Long, Shelhamer and Darrell 2015).

    Args:
        model: A run folder, or a spec whose weights come from a file.
        folder: The folder of the spec, its weights and the ONNX model; created if missing.
        opset: The ONNX opset; by default that of the spec.
        root: The folder that the spec's paths must be in.

    Returns:
        The files, the new operation of each changed layer, and the parity with the classifier on its input size.

    Raises:
        NnspecError: If a layer has no convolutional equivalent, or an output differs.
    """
    require("train", "export")
    from nnspec.exporting import convolutionalizing

    return convolutionalizing.convolutionalize(model, folder, opset=opset, root=root)


def build(
    spec: Document | Spec, folder: str | Path, *, seed: int | None = None, root: Path | None = None, eject: bool = False
) -> tuple[list[Path], tuple[Diagnostic, ...]]:
    """Write the compiled graph, the Keras models and the verified ONNX models of a spec, with initial weights.

    Args:
        spec: The spec, its file, or its document as a dict.
        folder: The output folder; created if missing.
        seed: The seed of the initial weights.
        root: The folder that the spec's paths must be in.
        eject: Whether to write standalone Keras code too, ``model.py`` with ``weights.safetensors``.

    Returns:
        The files, ``graph.json``, ``model.keras``, ``model.onnx`` (``NAME.keras``, ``NAME.onnx`` for each network of
        ``networks``), and the warnings.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If an ONNX model or the standalone code differs from its Keras model; it is not written then.
    """
    require("train", "export")
    from nnspec.exporting.building import write_build

    loaded = _loaded(spec, root)
    model = compile(loaded)
    return write_build(loaded, model, Path(folder), seed=seed, eject=eject), model.diagnostics
