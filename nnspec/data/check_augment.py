"""The static check of ``data.augment``: which inputs and targets each augmentation acts on, and whether it can."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnspec.data import problems as d
from nnspec.data.augmentations import Augment
from nnspec.data.locations import locate
from nnspec.data.plan import AugmentPlan, BoxField, Need
from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers.augmentation import Augmentation, Mixing
from nnspec.layers.base import LayerError
from nnspec.spec.tree import MappingNode, SequenceNode
from nnspec.types import TensorType, did_you_mean, listed, same_size

_LABELS = ("class", "label", "distribution", "probability", "sign")
_MIXES = ("distribution", "probability", "number", "non_negative")


def check_augment(
    steps: list[Augment],
    tree: MappingNode,
    inputs: Mapping[str, TensorType],
    outputs: Mapping[str, TensorType],
    needs: Mapping[str, Need],
    problems: list[Diagnostic],
    *,
    untyped: Collection[str] = (),
    boxes: Sequence[BoxField] = (),
) -> tuple[AugmentPlan, ...]:
    """Resolve the inputs and targets of each augmentation; invalid ones are reported and omitted.

    Args:
        steps: The augmentations.
        tree: The section ``data`` as written.
        inputs: The types of the inputs.
        outputs: The types of the outputs.
        needs: What each loss requires, by output.
        problems: Problems are appended here.
        untyped: Names whose types are unknown because of errors that have been reported, or whose columns are not known.
        boxes: The boxes among the inputs and targets.
    """
    found = []
    known = [*inputs, *(needs or outputs), *untyped]
    _check_names(tree, known, problems)
    for i, step in enumerate(steps):
        if step.wrong_arguments:
            continue
        span, path = locate(tree, "augment", i)
        plan = _Step(step, span, path, inputs, needs or dict.fromkeys(outputs), needs, problems, untyped, boxes).plan()
        if plan is not None:
            found.append(plan)
    return tuple(found)


def _check_names(tree: MappingNode, known: list[str], problems: list[Diagnostic]) -> None:
    """Report names under `on` that are neither inputs nor targets, even for augmentations with other errors."""
    steps = tree.get("augment")
    for step in steps.items if isinstance(steps, SequenceNode) else ():
        on = step.get("on") if isinstance(step, MappingNode) else None
        for item in on.items if isinstance(on, SequenceNode) else ():
            name = item.plain()
            if isinstance(name, str) and not item.unknown and name not in known:
                help = did_you_mean(name, known, f"the names are {listed(known)}")
                problems.append(d.UnknownAugmentName.at(item.span, item.path, help=help, name=name))


@dataclass(frozen=True)
class _Step:
    step: Augment
    span: Span
    path: str
    inputs: Mapping[str, TensorType]
    targets: Mapping[str, object]
    needs: Mapping[str, Need]
    problems: list[Diagnostic]
    untyped: Collection[str]
    boxes: Sequence[BoxField]

    @property
    def of_boxes(self) -> set[str]:
        """The names of boxes, and of what has a value for each box."""
        return {place.partition(".")[2] for field in self.boxes for place in (field.place, *field.rows)}

    @property
    def layer(self) -> Augmentation:
        assert isinstance(self.step.layer, Augmentation)
        return self.step.layer

    @property
    def name(self) -> str:
        return type(self.layer).__name__

    def plan(self) -> AugmentPlan | None:
        before = len(self.problems)
        named = self._named()
        if self.step.on is not None and len(named) < len(set(self.step.on)):
            return None
        if self.untyped and (self.step.on is None or set(self.step.on) & set(self.untyped)):
            return None
        images = [name for name in named if name in self.inputs and name not in self.of_boxes]
        boxes = self._boxes(named, images)
        if any(problem.is_error for problem in self.problems[before:]):
            return None
        if named and not images:
            self._refuse(f"`on` of `{self.name}` names no input", f"add an input: {listed(self.inputs)}")
            return None
        self._check_images(images)
        mixed = self.needs if isinstance(self.layer, Mixing) else [name for name in named if name in self.needs]
        targets = tuple(name for name in mixed if name not in self.of_boxes)
        for target in targets:
            self._check_target(target, images)
        if any(problem.is_error for problem in self.problems[before:]):
            return None
        masks = {name for name in targets if self.needs[name].kind in _LABELS}
        return AugmentPlan(self.layer, tuple(images), targets, frozenset(masks), boxes, self.step.visible)

    def _boxes(self, named: list[str], images: list[str]) -> tuple[BoxField, ...]:
        """Return the boxes that move with the images; those that must but cannot are reported."""
        if not self.layer.moves_pixels:
            return ()
        own = [field for field in self.boxes if field.image in images]
        for field in self.boxes:
            if field.name in named and field not in own:
                reason = f"`{field.name}` are boxes of `{field.image}`, which is not in `on`"
                self._refuse(reason, f"add `{field.image}` to `on`")
            if any(place.partition(".")[2] in named for place in field.rows) and field.name not in named:
                self._refuse(
                    f"`on` has values of `{field.name}`, but not the boxes", f"add `{field.name}`; its values follow it"
                )
        if own and not self.layer.moves_boxes:
            others = "`RandomMosaic` or `MixUp`" if isinstance(self.layer, Mixing) else "`RandomRotation` or `RandomShear`"
            self._refuse(f"boxes cannot follow `{self.name}`", f"use another augmentation, such as {others}")
        for field in own:
            if self.step.on is not None and field.name not in named:
                reason = f"`{self.name}` moves `{field.image}`, but not its boxes"
                self._refuse(reason, f"add `{field.name}` to `on`")
        if own and getattr(self.layer, "fill_mode", "") in ("reflect", "wrap"):
            help = "write `fill_mode: constant`"
            facts: dict[str, Any] = {"name": self.name, "mode": getattr(self.layer, "fill_mode", ""), "boxes": own[0].name}
            self.problems.append(d.ObjectsWithoutBoxes.at(self.span, self.path, help=help, **facts))
        return tuple(own)

    def _named(self) -> list[str]:
        """Return the names under `on`, or the only image input."""
        if self.step.on is None and self.untyped:
            return []
        if self.step.on is None:
            images = [name for name, type in self.inputs.items() if type.rank == 3 and "float" in type.dtype]
            if len(images) != 1:
                which = f"{listed(images)} are images" if images else "no input is an image (height, width, channels)"
                help = f"add `on: [{images[0]}]`" if images else "remove it"
                self.problems.append(d.NoImage.at(self.span, self.path, help=help, name=self.name, which=which))
            return images if len(images) == 1 else []
        known = [*self.inputs, *self.targets, *self.untyped]
        return [name for name in dict.fromkeys(self.step.on) if name in known]

    def _check_images(self, images: list[str]) -> None:
        for name in images:
            try:
                self.layer.infer({"x": self.inputs[name]})
            except LayerError as error:
                self._refuse(f"the input `{name}`: {error.message}", "name other inputs under `on`, or remove the augmentation")
                return
        for name in images[1:]:
            self._check_size(f"the input `{name}`", self.inputs[name], self.inputs[images[0]], images[0])

    def _check_target(self, name: str, images: list[str]) -> None:
        need = self.needs[name]
        if isinstance(self.layer, Mixing) and self.layer.mixes_targets:
            if need.kind not in _MIXES:
                classes = need.output.shape[-1] if need.output.rank else 1
                help = (
                    f"use `{need.instead}`, with `{name}: {{transform: [{{one_hot: {{classes: {classes}}}}}]}}` under `targets`"
                    if need.kind == "class" and need.instead
                    else "remove it, or use a loss on numbers or probabilities"
                )
                self.problems.append(
                    d.CannotMix.at(self.span, self.path, help=help, name=self.name, target=name, loss=need.loss)
                )
            return
        shape = need.shape
        if len(shape) != (2 if need.kind == "class" else 3):
            self._refuse(f"the target `{name}` is not an image", "remove it from `on`; it stays unchanged")
        elif images:
            self._check_size(f"the target `{name}`", TensorType((*shape[:2], 1)), self.inputs[images[0]], images[0], need)

    def _check_size(self, what: str, type: TensorType, first: TensorType, other: str, need: Need | None = None) -> None:
        if any(same_size(a, b) is False for a, b in zip(type.shape[:2], first.shape[:2], strict=True)):
            sizes = [" × ".join(map(str, t.shape[:2])) for t in (type, first)]
            more = {a - b for a, b in zip(first.shape[:2], type.shape[:2], strict=True)}
            [most] = more if len(more) == 1 else [0]
            help = "everything in `on` must have the same height and width"
            if need is not None and isinstance(most, int) and most > 0 and most % 2 == 0:
                crop = need.crop + most // 2
                help = f"the output is smaller than the image: add `crop: {crop}` to the target"
            self._refuse(f"{what} is {sizes[0]}, but `{other}` is {sizes[1]}", help)

    def _refuse(self, reason: str, help: str) -> None:
        self.problems.append(d.CannotAugment.at(self.span, self.path, help=help, reason=reason))
