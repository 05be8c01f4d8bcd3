"""Every network of the gallery can be ejected: the file computes what its Keras model does."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.exporting.ejected import verified_code
from nnspec.graph import compile
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.spec import load
from tests.gallery.commands import SPECS, small_overrides

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it sets weights

FILES = sorted(SPECS.glob("*.nnspec.yaml"))


@pytest.mark.full
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_a_network_is_ejected(file: Path) -> None:
    spec = load(file, small_overrides(file))
    networks = compile(spec).networks
    models = {name: to_keras(graph, seed=1) for name, graph in networks.items()}
    weights = {name: array for key, model in models.items() for name, array in weight_arrays(model, networks[key]).items()}
    for name, model in models.items():  # a layer of two networks has the same weights in both
        set_weight_arrays(model, networks[name], networks[name].own(weights))
    assert "load_weights" in verified_code(spec.name, networks, weights, models)
