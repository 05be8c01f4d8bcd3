"""What a report shows of an autoencoder: reconstructions, latent codes of examples, and interpolations between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.encoder_split import EncoderSplit, split_encoder
from nnspec.html_elements import Html, element, figure, section
from nnspec.layers.sampling import Sampling
from nnspec.reports.images import image_tag, is_image, mosaic, scaled
from nnspec.reports.objectives.supervised import findings
from nnspec.reports.plots import plot
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.run.folder import Run

__all__ = ["findings", "sections"]

_RECONSTRUCTED = 10
_POINTS = 2_000
_PAIRS, _STEPS = 6, 10
_DRAWN = 40
_MOST_COLORS = 20


def sections(run: Run, found: Evaluation | None) -> Sequence[Html]:
    """The reconstructions of each input, and its latent codes if the network has a bottleneck."""
    if found is None:
        return ()
    pieces: list[Html] = []
    for output, source in found.plan.target_sources.items():
        if output not in found.outputs:
            continue
        pieces += _reconstructed(found, output, source.input)
        split = split_encoder(run.model.main, source.input, output)
        if split is not None:
            pieces += _codes(run, found, split, source.input)
    return (section("Reconstructions and latent codes", *pieces),)


def _reconstructed(found: Evaluation, output: str, input_: str) -> list[Html]:
    given = found.examples.only(np.arange(min(_RECONSTRUCTED, len(found.examples)))).batch(slice(None)).inputs[input_]
    if not is_image(given.shape[1:]):
        return []
    both = scaled(np.concatenate([given, found.outputs[output][: len(given)].reshape(given.shape)]))
    note = f"Top: {len(given)} examples. Bottom: their reconstructions by {output}"
    corrupted = " from corrupted inputs." if getattr(found.plan.section.objective, "corrupt", None) else "."
    return [element("h3", f"{output}: reconstructions"), figure(_sheet(both, len(given), output), note + corrupted)]


def _codes(run: Run, found: Evaluation, cut: EncoderSplit, input_: str) -> list[Html]:
    """A scatter plot of the codes and, for images, decoded interpolations between codes."""
    examples = found.examples.only(np.arange(min(_POINTS, len(found.examples))))
    inputs = {name: array for name, array in examples.batch(slice(None)).inputs.items() if name in cut.before.inputs}
    weights = run.weights()
    arrays = keras_reference(cut.before, weights)(inputs)["code"]
    title = f"{cut.node.name}: {int(np.prod(arrays.shape[1:])):,} numbers for {int(np.prod(inputs[input_].shape[1:])):,}"
    pieces = [element("h3", title), figure(_points(arrays.reshape(len(arrays), -1), _kinds(found, examples.rows)))]
    decode, [name], [output] = keras_reference(cut.after, weights), list(cut.after.inputs), list(cut.after.outputs)
    if len(arrays) >= 2 * _PAIRS:
        share = np.linspace(0, 1, _STEPS, dtype=np.float32).reshape(1, _STEPS, *[1] * (arrays.ndim - 1))
        first, second = (arrays[start : 2 * _PAIRS : 2, None] for start in (0, 1))
        line = (first * (1 - share) + second * share).reshape(-1, *arrays.shape[1:])
        between = decode({name: line})[output]
        if not is_image(between.shape[1:]):
            return pieces
        note = "Each row: decoded codes, linearly interpolated between the codes of two examples"
        pieces.append(figure(_sheet(scaled(between), _STEPS, "between codes"), note))
        if isinstance(cut.node.layer, Sampling):
            drawn = np.random.default_rng(0).standard_normal((_DRAWN, *arrays.shape[1:]), np.float32)
            note = "Decoded codes from the standard normal distribution, without selection"
            pieces.append(figure(_sheet(scaled(decode({name: drawn})[output]), _STEPS, "drawn codes"), note))
    return pieces


def _sheet(images: NDArray[np.float64], columns: int, label: str) -> Html:
    if images.ndim == 3:
        images = images[..., None]
    planes = [_rgba(np.clip(image, 0, 1)) for image in images]
    return image_tag(mosaic(planes, columns), label, shown=min(620, columns * 56), largest=1600)


def _rgba(image: NDArray[np.float64]) -> NDArray[np.float64]:
    colors = np.repeat(image, 3, -1) if image.shape[-1] == 1 else image
    return colors if colors.shape[-1] == 4 else np.concatenate([colors, np.ones((*image.shape[:2], 1))], -1)


def _points(values: NDArray[np.floating[Any]], kinds: tuple[str, NDArray[Any]] | None) -> Html:
    """A scatter plot of the codes, or of their first two principal components (Pearson 1901)."""
    if values.shape[1] > 2:
        from sklearn.decomposition import PCA

        fitted = PCA(2, svd_solver="full").fit(values)
        values, spread = fitted.transform(values), float(fitted.explained_variance_ratio_.sum())
        title = f"codes: two principal components, {spread:.0%} of the variance"
    else:
        title = "codes"
    across, up = (values[:, 0], values[:, 1] if values.shape[1] > 1 else np.zeros(len(values)))

    def draw(axes: Axes) -> None:
        style: dict[str, Any] = {"markersize": 2.5, "alpha": 0.6, "markeredgewidth": 0}
        if kinds is None:
            axes.plot(across, up, "o", **style)
        else:
            for color, kind in enumerate(np.unique(kinds[1])):
                own = kinds[1] == kind
                shade = f"C{color}" if color < 10 else None
                axes.plot(across[own], up[own], "o", color=shade, label=str(kind)[:24], **style)
            axes.legend(title=kinds[0][:24], fontsize=7, title_fontsize=7, frameon=False, markerscale=2, ncols=2)
        axes.set(title=title)

    return plot(draw, "codes of examples", width=5.6, height=4.2)


def _kinds(found: Evaluation, rows: NDArray[np.int64]) -> tuple[str, NDArray[Any]] | None:
    """A column with few distinct values that feeds no input, to color the points by."""
    table = found.table
    if table is None:
        return None
    feeds = (found.plan.data.feeds or {}) if found.plan.data is not None else {}
    taken = {column for feed in feeds.values() for column in feed.columns}
    for name, column in table.columns.items():
        if column.shape != () or name in taken:
            continue
        try:
            values = np.asarray(table.read(name, rows))
        except DataError:
            continue
        if values.dtype.kind in "iubU" and 2 <= len(np.unique(values)) <= _MOST_COLORS:
            return name, values
    return None
