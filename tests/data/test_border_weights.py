"""Border weights: the equation of Ronneberger et al. (2015), pixel by pixel, and when there are none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nnspec.data.border_weights import border_weights, gaps, objects_of
from nnspec.data.lazy import LazyArray
from nnspec.data.plan import Need
from nnspec.data.section import Border
from nnspec.types import TensorType

NET = "inputs: {image: [H, W, 1]}\nlayers:\n  - Conv2D: {filters: %d, kernel_size: 1, activation: %s}\n    name: mask\n"
DATA = "data: {train: {masks: {images: pictures, masks: labels}}, targets: {mask: {column: mask, weight: %s}}}\n"
TRAIN = "train: {epochs: 1, loss: %s}\n"
BORDER = "{border: {w0: 8.0, sigma: 3.0}}"


def discs(seed: int = 0, count: int = 9, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    """A mask of discs, some of which overlap and so are one object."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    mask = np.zeros(size, np.int32)
    for cy, cx, r in random.uniform((0, 0, 2), (*size, 5), (count, 3)):
        mask[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = 1
    return mask


def by_brute_force(objects: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """From every position of the background to every pixel of every object."""
    found = np.zeros(objects.shape)
    places = {number: np.argwhere(objects == number) for number in np.unique(objects) if number}
    for position in np.argwhere(objects == 0):
        distances = sorted(np.sqrt(((pixels - position) ** 2).sum(1)).min() for pixels in places.values())
        if len(distances) > 1:
            found[tuple(position)] = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("w0", "sigma"), [(10.0, 5.0), (3.0, 1.5), (1.0, 40.0)])
def test_gaps_are_those_of_the_equation_computed_pixel_by_pixel(seed: int, w0: float, sigma: float) -> None:
    objects = objects_of(discs(seed))
    assert objects.max() > 3
    np.testing.assert_allclose(gaps(objects, Border(w0=w0, sigma=sigma)), by_brute_force(objects, w0, sigma), atol=2e-7)


def test_objects_hang_together_by_sides_and_have_one_label() -> None:
    labels = np.array([[1, 0, 2, 2], [0, 1, 3, 2], [1, 1, 3, 0]])
    assert len(np.unique(objects_of(labels))) - 1 == 4
    assert objects_of(labels)[0, 0] != objects_of(labels)[1, 1] == objects_of(labels)[2, 0]


def test_one_object_alone_has_no_gap_and_none_is_no_error() -> None:
    mask = np.zeros((9, 9), np.int32)
    assert not gaps(objects_of(mask), Border()).any()
    mask[2:5, 2:5] = 1
    assert not gaps(objects_of(mask), Border()).any()


def test_a_flipped_mask_has_the_flipped_weights() -> None:
    mask = discs(4)
    whole = gaps(objects_of(mask), Border())
    np.testing.assert_allclose(gaps(objects_of(mask[::-1, ::-1]), Border()), whole[::-1, ::-1])


def test_every_kind_of_target_gives_the_same_weights_and_an_ignored_class_is_no_object() -> None:
    mask = np.stack([discs(0), discs(1)])
    border = Border()
    shape = {"class": (40, 50, 2), "distribution": (40, 50, 2), "probability": (40, 50, 1), "sign": (40, 50, 1)}
    kinds = {
        "class": mask,
        "distribution": np.eye(2, dtype=np.float32)[mask],
        "probability": mask[..., None].astype(np.float32),
        "sign": mask[..., None] * 2.0 - 1,
    }
    expected = np.stack([gaps(objects_of(own), border) for own in mask])
    for kind, target in kinds.items():
        need = Need(kind, TensorType(shape[kind]), "a loss")  # type: ignore[arg-type]
        np.testing.assert_allclose(border_weights(target, need, border), expected, atol=1e-6)
    ignored = mask.copy()
    ignored[:, :3] = 255
    left_out = np.where(ignored == 255, 0, ignored)
    found = border_weights(ignored, Need("class", TensorType((40, 50, 2)), "a loss", ignore=255), border)
    np.testing.assert_allclose(found, [gaps(objects_of(own), border) for own in left_out], atol=1e-6)


def test_masks_that_memory_does_not_hold_have_weights_that_are_made_as_they_are_used() -> None:
    masks = np.stack([discs(seed) for seed in range(4)])
    need = Need("class", TensorType((40, 50, 2)), "a loss")
    lazy = border_weights(LazyArray(4, lambda rows: masks[rows]), need, Border())
    assert isinstance(lazy, LazyArray) and lazy.shape == (4, 40, 50)
    np.testing.assert_array_equal(lazy[[3, 1]], border_weights(masks[[3, 1]], need, Border()))


@pytest.fixture
def masks(project):
    for name in ("pictures", "labels"):
        (project.folder / name).mkdir()
    for number in range(4):
        mask = discs(number).astype(np.uint8)
        Image.fromarray(mask * 200).save(project.folder / "pictures" / f"{number}.png")
        Image.fromarray(mask).save(project.folder / "labels" / f"{number}.png")
    return project


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, "sigmoid", "BinaryCrossentropy"),
        (2, "softmax", "SparseCategoricalCrossentropy"),
        (1, "sigmoid", "BinaryFocalCrossentropy"),
    ],
)
def test_a_document_names_them_beside_its_mask(masks, units: int, activation: str, loss: str) -> None:
    examples = masks.prepare(NET % (units, activation) + DATA % BORDER + TRAIN % loss).train
    expected = [gaps(objects_of(discs(number)), Border(w0=8.0, sigma=3.0)) for number in range(4)]
    np.testing.assert_allclose(examples.weights["mask"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("net", "loss", "words"),
    [
        (NET % (1, "sigmoid"), "Dice", "`Dice` of `mask` is a single value for all positions"),
        (NET % (1, "linear"), "MeanSquaredError", "is not a classification loss"),
        (NET % (2, "sigmoid"), "BinaryCrossentropy", "2 masks that may overlap"),
    ],
)
def test_where_they_mean_nothing_they_are_refused(masks, net: str, loss: str, words: str) -> None:
    problems = [problem for problem in masks.plan(net + DATA % BORDER + TRAIN % loss)[1] if problem.code == "NN449"]
    assert len(problems) == 1
    assert words in problems[0].message
    assert problems[0].path == "data.targets.mask.weight.border"


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ("{border: {w: 3}}", "unknown key `w`"),
        ("{border: {sigma: 0}}", "`sigma` must be"),
        ("{column: mask, border: {}}", "one of `column` and `border` must be given"),
        ("importance", "there is no column `importance`"),
    ],
)
def test_a_mistake_in_them_is_named(masks, weight: str, words: str) -> None:
    problems = masks.plan(NET % (1, "sigmoid") + DATA % weight + TRAIN % "BinaryCrossentropy")[1]
    assert [words in problem.message for problem in problems if problem.is_error] == [True], problems
