"""A cell that runs at each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import Recurrence
from nnspec.layers.base import Layer
from nnspec.layers.rnn import RNN


def _rnn(build: Build[RNN]) -> Call:
    """One layer for each set of states that are fed; all have the same weights."""
    assert build.body is not None
    cell, made = build.body(), dict[tuple[str, ...], Any]()

    def call(tensors: Mapping[str, Any]) -> Any:
        given = tuple(tensors)
        if given not in made:
            name = build.name if not made else f"{build.name}.{len(made)}"
            made[given] = _layer(build.layer, cell, given, name)
        return made[given](list(tensors.values()))

    return call


def _layer(layer: RNN, cell: keras.Model, given: tuple[str, ...], name: str) -> Recurrence:
    types = {**layer.typed.state_types, **layer.typed.outputs}
    sizes = {key: [layer.typed.terms(size) for size in kind.shape] for key, kind in types.items()}
    settings = {key: getattr(layer, key) for key in ("return_sequences", "return_state", "go_backwards", "keeps_order")}
    return Recurrence(
        cell,
        given,
        layer.typed.sequences,
        layer.typed.states,
        sizes,
        layer.typed.symbols(),
        zero_output_for_mask=layer.zero_output_for_mask,
        name=name,
        **settings,
    )


TABLE: Mapping[type[Layer], Lowering] = {RNN: _rnn}
