"""Matching of anchors with boxes, and sampling of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.layers.base import Layer
from nnspec.layers.matching import MatchBoxes, SampleProposals


def _matched(build: Build[MatchBoxes]) -> Call:
    """Builds one Keras layer for each set of inputs, as their names are among its arguments."""
    made: dict[tuple[str, ...], Call] = {}

    def call(tensors: Mapping[str, Any]) -> Any:
        given = tuple(tensors)
        if given not in made:
            name = f"{build.name}.{len(made)}" if made else build.name
            made[given] = build.call(layers.MatchBoxes, given=given, name=name)
        return made[given](tensors)

    return call


def _sampled(build: Build[SampleProposals]) -> Call:
    layer = build.layer
    seed = build.seeds.of("seed") if layer.seed is None else layer.seed
    return plain(layers.SampleProposals(layer.count, layer.most_positive, seed, name=build.name), layer)


TABLE: Mapping[type[Layer], Lowering] = {MatchBoxes: _matched, SampleProposals: _sampled}
