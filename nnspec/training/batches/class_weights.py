"""Class weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.data.locations import locate
from nnspec.data.prepare import State
from nnspec.data.transforms.classes import class_names
from nnspec.diagnostics import SpecError
from nnspec.training import problems as t
from nnspec.training.batches.cropping import crops_of, middle
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.plan import OutputPlan, TrainingPlan


def class_weights(plan: TrainingPlan, train: Examples, state: State) -> dict[str, NDArray[np.float32]]:
    """The weight of each class, by output; empty if there are no class weights.

    ``balanced`` gives a class of ``n`` examples, of ``N`` in ``k`` classes, the weight ``N / (k · n)``.

    Args:
        plan: The training plan.
        train: The training examples.
        state: The state of the transforms, which has the names of the classes.

    Raises:
        SpecError: If a weighted class does not exist.
    """
    given = plan.section.class_weight
    if given is None:
        return {}
    output = next(output for output in plan.losses.values() if output.loss and output.loss.target_kind() is not None)
    assert output.loss is not None
    target = middle(train.targets[output.name][train.rows], crops_of(plan.data).get(output.name, 0))
    labels = _labels(target, output.loss)
    count = _count(output, labels)
    if given == "balanced":
        found = np.bincount(labels[(labels >= 0) & (labels < count)], minlength=count)
        weights = found.sum() / (max(np.count_nonzero(found), 1) * np.maximum(found, 1))
        return {output.name: weights.astype(np.float32)}
    names = class_names(state.get(f"targets.{output.name}", [])) or list(range(count))
    weights = np.ones(count, np.float32)
    for name, weight in given.items():
        if name not in names:
            listed = ", ".join(map(str, names[:8])) + (", …" if len(names) > 8 else "")
            span, path = locate(plan.tree, "class_weight", name)
            reason = f"names `{name}`, which is not a class"
            raise SpecError([t.ClassWeightDoesNotFit.at(span, path, help=f"the classes are {listed}", reason=reason)])
        weights[names.index(name)] = weight
    return {output.name: weights}


def _labels(target: NDArray[Any], loss: Loss) -> NDArray[np.int64]:
    if loss.target_kind() == "distribution":
        target = target.argmax(getattr(loss, "axis", -1))
    return target.ravel().astype(np.int64)


def _count(output: OutputPlan, labels: NDArray[np.int64]) -> int:
    assert output.loss is not None
    size = output.type.shape[getattr(output.loss, "axis", -1)] if output.type.rank else 1
    if output.loss.target_kind() == "probability":
        return 2
    return size if isinstance(size, int) else int(labels.max()) + 1
