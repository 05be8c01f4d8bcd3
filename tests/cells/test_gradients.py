"""Gradients of every cell: those of the backend are those of finite differences, and both backends compute the same.

The tests compare gradients of the backend in use, TensorFlow unless ``KERAS_BACKEND=jax`` is set, with differences. With
NNSPEC_FULL=1 and JAX installed, TensorFlow's are also compared with JAX's.
"""

from __future__ import annotations

import pytest

from ..backends import by_other_backend
from .gradients import ALL, TOLERANCE, derivatives

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it reads weights


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    by_gradient, by_differences = derivatives(ALL[name])
    assert by_gradient != 0
    assert by_gradient == pytest.approx(by_differences, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.full
def test_tensorflow_and_jax_compute_the_same_gradients() -> None:
    other = by_other_backend("tests.cells.gradients")
    assert set(other) == set(ALL)
    own = {name: derivatives(text)[0] for name, text in ALL.items()}
    assert own == pytest.approx(other, rel=1e-5, abs=1e-5)
