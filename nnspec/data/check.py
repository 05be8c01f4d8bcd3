"""The static check of the section ``data``. It imports no framework and no NumPy, and reads only the headers of files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from nnspec.data import problems as d
from nnspec.data.alignment import aligned_inputs
from nnspec.data.binding import known_feeds
from nnspec.data.box_feeds import box_fields
from nnspec.data.check_augment import check_augment
from nnspec.data.check_splits import check_same_columns
from nnspec.data.check_weights import check_crops, check_weight_columns, check_weights
from nnspec.data.check_window import check_window
from nnspec.data.class_batches import check_class_batches
from nnspec.data.kinds import AnnotationError, Column, DataError, DataWarning, UnknownColumnError, at_name
from nnspec.data.likely_mistakes import warn_of_columns
from nnspec.data.locations import argument_of, locate
from nnspec.data.paths import MissingFileError, RemoteError
from nnspec.data.plan import AugmentPlan, DataPlan, Need, Source, TargetSource, display_name
from nnspec.data.readers import Reader
from nnspec.data.section import Columns, DataSection
from nnspec.data.segments import TimesError
from nnspec.data.shape_checks import check_feeds
from nnspec.data.transforms.pointers import positions
from nnspec.data.vocabularies import check_vocabularies, find_vocabularies
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.graph.tables import table_rows
from nnspec.spec import Spec
from nnspec.spec import problems as p
from nnspec.spec.checked import check_known
from nnspec.spec.tree import MappingNode, Tree
from nnspec.types import TensorType, did_you_mean, listed

PARTS = ("train", "validation", "test")
"""The splits that can have a reader."""


def check_data(
    spec: Spec,
    graph: Graph,
    needs: Mapping[str, Need],
    problems: list[Diagnostic],
    *,
    target_sources: Mapping[str, TargetSource] | None = None,
    require_data: bool = False,
    parts: Collection[str] = PARTS,
    certain: bool = True,
) -> DataPlan | None:
    """Check the section ``data`` of a spec against the network.

    Args:
        spec: The spec.
        graph: The network.
        needs: What each loss requires, by output; outputs without a loss or target are absent.
        problems: Problems are appended here.
        target_sources: The targets that are computed from an input, by output.
        require_data: Whether a missing file is an error, as in training, instead of a warning.
        parts: The splits whose files are checked.
        certain: Whether ``needs`` is complete; False if errors that have been reported hide some.

    Returns:
        The plan; None if the section is missing or has errors.
    """
    before = len(problems)
    plan = known_data(
        spec,
        graph,
        needs,
        problems,
        target_sources=target_sources,
        require_data=require_data,
        parts=parts,
        certain=certain,
    )
    if plan is None or plan.section.wrong_arguments or graph.gaps or any(problem.is_error for problem in problems[before:]):
        return None
    return plan


def known_data(
    spec: Spec,
    graph: Graph,
    needs: Mapping[str, Need],
    problems: list[Diagnostic],
    *,
    target_sources: Mapping[str, TargetSource] | None = None,
    require_data: bool = False,
    parts: Collection[str] = PARTS,
    certain: bool = True,
) -> DataPlan | None:
    """Check the section ``data`` as [`check_data`][] does, and return the plan as far as it is known; None if nothing is."""
    tree = spec.section("data")
    if tree is None:
        return None
    before = len(problems)
    inputs, outputs = graph.inputs, graph.output_types
    checked = check_known(DataSection, tree, problems, name="data")
    section = checked.value
    unsure = {"inputs"} if graph.gaps.inputs or not certain else set()
    unsure |= {"targets"} if graph.gaps.outputs or not graph.gaps.are_named or not certain else set()
    unsure |= checked.wrong & {"inputs", "targets"}
    if not _check_names(tree, "inputs", "input", graph.input_names, problems):
        unsure.add("inputs")
    named = graph.output_names
    if named and graph.gaps.are_named and not _check_names(tree, "targets", "output", named, problems):
        unsure.add("targets")
    if section is None:
        return None
    sources = {part: found for part in PARTS if part in parts and (found := _source(spec, section, tree, part, problems))}
    files = find_vocabularies(section, tree, spec.folder, spec.root, problems)
    if require_data:
        problems[before:] = [replace(x, severity="error") if x.code == d.MissingData.code else x for x in problems[before:]]
    needs = {name: replace(need, crop=_crop(section, name)) for name, need in needs.items()}
    if certain:
        _warn_of_unused(section, tree, outputs, needs, problems)
    tables = {ref.source: rows for ref, rows in table_rows(graph).items() if ref.source in inputs}
    typed = certain and "targets" not in checked.wrong
    untyped = [*graph.gaps.inputs, *graph.gaps.outputs, *([] if typed else outputs)]
    check_crops(section, tree, needs, problems)
    aligned = aligned_inputs(graph)
    plan = DataPlan(
        section, tree, sources, inputs, tables, needs, None, (), target_sources or {}, graph.conditions, aligned, files
    )
    _check_target_sources(plan, problems)
    windowing = [*check_window(plan)]
    problems.extend(windowing)
    check_weights(plan, problems)
    _check_pointed(plan, graph.input_names, problems)
    columns = {part: known for part, source in sources.items() if (known := columns_of(source, tree, problems)) is not None}
    if "train" not in columns:
        # Which of them are boxes is not known.
        untyped += [name for name, type_ in inputs.items() if type_.rank < 3]
        plan = replace(plan, augment=_augment(plan, outputs, untyped, problems, known=graph.gaps.are_named))
    else:
        _check_split(section, tree, columns["train"], problems)
        feeds, whole = known_feeds(section, tree, inputs, plan.fed, columns["train"], problems, unsure=unsure)
        plan = replace(plan, feeds=feeds)
        plan = replace(plan, augment=_augment(plan, outputs, untyped, problems, known=graph.gaps.are_named))
        # Without a valid window, its rows seem to differ in length.
        check_feeds(plan, feeds, columns["train"], problems if not windowing and "window" not in checked.wrong else [])
        problems.extend(check_weight_columns(feeds, plan, columns["train"]))
        problems.extend(check_vocabularies(plan, feeds))
        problems.extend(check_class_batches(plan, feeds, columns["train"]))
        if whole:
            check_same_columns(plan, columns, problems)
            _warn_of_doubts(plan, problems)
            problems.extend(warn_of_columns(plan, feeds))
    return plan


def _augment(
    plan: DataPlan, outputs: Mapping[str, TensorType], untyped: list[str], problems: list[Diagnostic], *, known: bool
) -> tuple[AugmentPlan, ...]:
    """Check the augmentations, unless the names of inputs and targets are not known."""
    if not known:
        return ()
    boxes = box_fields(plan.feeds or {})
    steps, tree = plan.section.augment, plan.tree
    return check_augment(steps, tree, plan.inputs, outputs, plan.needs, problems, untyped=untyped, boxes=boxes)


def _check_target_sources(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Report targets that are named in the data although they are computed from an input, and conflicts with their sources."""
    for output, source in plan.target_sources.items():
        if output in plan.section.targets:
            span, path = locate(plan.tree, "targets", output)
            problems.append(d.TargetIsComputed.at(span, path, help="remove it", name=output, input=source.input))
        problems.extend(source.check(plan, output))


def _check_pointed(plan: DataPlan, known: Collection[str], problems: list[Diagnostic]) -> None:
    """Report positions of an input that does not exist, or of the positions themselves."""
    for part in ("inputs", "targets"):
        for name, given in getattr(plan.section, part).items():
            for i, step in enumerate(given.transform):
                if not isinstance(step, positions):
                    continue
                others = [each for each in known if each != name or part == "targets"]
                at = locate(plan.tree, part, name, "transform", i)
                if step.of not in known:
                    help = did_you_mean(step.of, others, f"the inputs are {listed(others)}")
                    problems.append(d.UnknownInput.at(*at, help=help, what="input", name=step.of))
                elif step.of not in others:
                    help = f"write `of: {others[0]}`" if len(others) == 1 else f"name one of {listed(others)}" if others else ""
                    problems.append(d.BadTransform.at(*at, help=help, reason=f"`{name}` cannot have positions of itself"))


def _crop(section: DataSection, target: str) -> int:
    given = section.targets.get(target)
    return given.crop or 0 if given is not None else 0


def without_later(tree: MappingNode, later: Mapping[str, str], problems: list[Diagnostic]) -> MappingNode:
    """Return the section without keys of later releases, and report each of them."""
    for key, value in tree.items():
        if key.value in later:
            problems.append(p.NotYet.at(key.span, value.path, what=later[str(key.value)]))
    return MappingNode([(key, value) for key, value in tree.items() if key.value not in later], tree.span, tree.place)


def _check_split(section: DataSection, tree: MappingNode, columns: Mapping[str, Column], problems: list[Diagnostic]) -> None:
    """Report invalid columns under ``group`` and ``time``."""
    for key in ("group", "time"):
        name = getattr(section, key)
        if name is None or name in columns:
            if name is not None and columns[name].refused:
                reason = columns[name].refused
                place = locate(tree, key)
                problems.append(d.UnsupportedColumn.at(*place, help=d.UNSUPPORTED, column=name, reason=reason))
            continue
        if at_name(name, "past") in columns:
            argument = {"group": "by", "time": "time"}[key]
            reason = f"`{key}` applies to single rows, but the rows of a series are windows"
            help = f"name the column in the reader: `series: {{…, {argument}: {name}}}`"
            problems.append(d.CannotSelectRows.at(*locate(tree, key), help=help, reason=reason))
            continue
        help = did_you_mean(name, columns)
        problems.append(d.UnknownColumn.at(*locate(tree, key), help=help, column=name, part="training"))


def _check_names(tree: MappingNode, key: str, what: str, known: Collection[str], problems: list[Diagnostic]) -> bool:
    """Report unknown names, and return whether all are known."""
    given = tree.get(key)
    if not isinstance(given, MappingNode):
        return True
    valid = True
    for name, value in given.items():
        if name.value not in known:
            valid = False
            help = did_you_mean(str(name.value), known, f"its {what}s are {listed(known)}")
            problems.append(d.UnknownInput.at(name.span, value.path, help=help, what=what, name=name.value))
    return valid


def _source(spec: Spec, section: DataSection, tree: MappingNode, part: str, problems: list[Diagnostic]) -> Source | None:
    source = source_of(spec, getattr(section, part), tree, part, problems)
    return None if source is None else replace(source, reader=source.reader.reading_text(_text_columns(section)))


def source_of(spec: Spec, reader: object, tree: MappingNode, part: str, problems: list[Diagnostic]) -> Source | None:
    """Find the files of a reader, and report those that are missing; None if the part has no reader."""
    written = tree.get(part)
    if not isinstance(reader, Reader) or written is None:
        return None
    reader = reader.with_frames(spec.frames)
    files = {}
    missing = False
    for argument in reader.named_paths():
        span, path = argument_of(written, argument)
        try:
            files[argument] = reader.find(argument, spec.folder, spec.root)
        except MissingFileError as error:
            missing = True
            problems.append(d.MissingData.at(span, path, help=error.help, reason=error.message))
        except RemoteError as error:
            missing = True
            problems.append(d.UnreadableData.at(span, path, help=error.help, reason=error.message))
        except DataError as error:
            missing = True
            problems.append(d.BadPath.at(span, path, help=error.help, reason=error.message))
    return Source(part, reader, None if missing else files, *locate(tree, part))


def _text_columns(section: DataSection) -> frozenset[str]:
    """Return the columns that the transforms of their inputs and targets take as text only."""
    feeds: list[tuple[str, Columns]] = [*section.inputs.items(), *section.targets.items()]
    return frozenset(column for name, given in feeds if given.needs_text for column in given.names or (name,))


def columns_of(source: Source, tree: MappingNode, problems: list[Diagnostic]) -> dict[str, Column] | None:
    """Return the columns of a source by its files' headers; None after a problem."""
    if source.files is None:
        return None
    try:
        return source.reader.columns(source.files)
    except DataError as error:
        problems.extend(unreadable(each, source, tree) for each in (error, *error.others))
        return None


def unreadable(error: DataError, source: Source, tree: MappingNode) -> Diagnostic:
    """Return the diagnostic for data that cannot be read, located at the reader's argument."""
    span, path = argument_of(cast("Tree", tree.get(source.part)), error.argument)
    if isinstance(error, UnknownColumnError):
        return d.UnknownColumn.at(span, path, help=error.help, column=error.column, part=display_name(source.part))
    if isinstance(error, AnnotationError):
        return d.BadAnnotation.at(span, path, help=error.help, reason=error.message)
    if isinstance(error, TimesError):
        return d.BadTimes.at(span, path, help=error.help, reason=error.message)
    return d.UnreadableData.at(span, path, help=error.help, reason=error.message)


def _warn_of_doubts(plan: DataPlan, problems: list[Diagnostic]) -> None:
    """Warn of files that are probably not the intended ones."""
    used = {column for feed in (plan.feeds or {}).values() for column in feed.columns}
    for source in plan.sources.values():
        for doubt in source.reader.doubts(source.files, used) if source.files is not None else ():
            span, path = argument_of(cast("Tree", plan.tree.get(source.part)), doubt.argument)
            problems.append(d.DoubtfulFiles.at(span, path, help=doubt.help, reason=doubt.message))


def suspect(warning: DataWarning, source: Source, tree: MappingNode) -> Diagnostic:
    """Return the diagnostic for a reader's warning, located at the reader's argument."""
    span, path = argument_of(cast("Tree", tree.get(source.part)), warning.argument)
    kind = d.DataNote if warning.is_note else d.SuspectData
    return kind.at(span, path, help=warning.help, reason=warning.message)


def _warn_of_unused(
    section: DataSection,
    tree: MappingNode,
    outputs: Mapping[str, TensorType],
    needs: Mapping[str, Need],
    problems: list[Diagnostic],
) -> None:
    if not needs:
        return
    for name in section.targets:
        if name in outputs and name not in needs:
            help = f"give `{name}` a loss, or remove the target"
            problems.append(d.UnusedTarget.at(*locate(tree, "targets", name), help=help, name=name))
