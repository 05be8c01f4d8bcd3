"""Layers that bring a Keras layer and no ONNX form: what tf2onnx makes of them is part of our graph."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import pytest
from pydantic import Field

from nnspec.layers.arguments import AnyInitializer, Number, PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, Ports, single
from nnspec.layers.checks import known_size
from nnspec.onnx_backend.emit import to_onnx
from nnspec.testing import Case, Input, ProofError, prove
from nnspec.testing.proof import check_onnx
from nnspec.types import PluginError, Weight


class Smooth(Layer):
    """A convolution whose Keras layer lies channels last; tf2onnx turns the kernel."""

    filters: PositiveInt = Field(description="Filters.")
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="First values.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="First values.")

    def infer(self, inputs: Inputs) -> Outputs:
        return single((*inputs["x"].shape[:-1], self.filters))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("kernel", (3, 3, known_size(self, inputs["x"]), self.filters)), self.owns("bias", (self.filters,)))

    def to_keras(self, **arguments: Any) -> Any:
        return keras.layers.Conv2D(kernel_size=3, padding="same", **arguments)


class Remember(Layer):
    """A recurrence: tf2onnx writes a loop, whose body is a graph of its own; a mask says which steps count."""

    uses_mask: ClassVar[bool] = True
    units: PositiveInt = Field(description="Units.")

    def infer(self, inputs: Inputs) -> Outputs:
        return single((self.units,))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        features = known_size(self, inputs["x"])
        shapes = {"kernel": (features, self.units), "recurrent_kernel": (self.units, self.units), "bias": (self.units,)}
        return tuple(Weight(name, shape) for name, shape in shapes.items())

    def to_keras(self, **arguments: Any) -> Any:
        return keras.layers.SimpleRNN(**arguments)


@keras.saving.register_keras_serializable("tests")
class InTwo(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs[0] - inputs[1], inputs[0] * inputs[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0], input_shape[0]


class Both(Layer):
    """Two ports, two outputs."""

    ports: ClassVar[Ports] = Ports(("left", "right"))

    def infer(self, inputs: Inputs) -> Outputs:
        return {"difference": inputs["left"], "product": inputs["left"]}

    def to_keras(self, **arguments: Any) -> Any:
        return InTwo(**arguments)


class Wrong(Smooth):
    """Says of its output what is not so."""

    def infer(self, inputs: Inputs) -> Outputs:
        return single((*inputs["x"].shape[:-1], self.filters + 1))


@keras.saving.register_keras_serializable("tests")
class Bare(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        import tensorflow as tf

        return tf.math.bessel_i0(inputs)


class Bessel(Layer):
    """Runs what ONNX has no operator for."""

    def infer(self, inputs: Inputs) -> Outputs:
        return single(inputs["x"].shape)

    def to_keras(self, **arguments: Any) -> Any:
        return Bare(**arguments)


@pytest.mark.parametrize("opset", [17, 23])
@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Smooth(filters=2), {"x": Input(("H", 5, 3))}),
        (Remember(units=3), {"x": Input(("T", 2))}),
        (Remember(units=3), {"x": Input(("T", 2), masked=True)}),
        (Both(), {"left": Input((4,)), "right": Input((4,))}),
    ],
    ids=["convolution", "loop", "masked loop", "two outputs"],
)
def test_what_is_converted_answers_as_keras_does(layer: Layer, inputs: dict[str, Input], opset: int) -> None:
    assert prove(layer, inputs, opset=opset).agrees


def test_weights_keep_their_names_however_their_axes_are_turned() -> None:
    case = Case.of(Smooth(filters=2), {"x": Input(("H", 5, 3))})
    model, _ = check_onnx(case, [(1, {"H": 4})])
    named = {constant.name: tuple(constant.dims) for constant in model.graph.initializer}
    assert named["layer/kernel"] == (2, 3, 3, 3)
    assert sorted(named["layer/bias"])[-1] == 2
    assert all(name.startswith("layer/") for name in named)
    assert all(node.name.startswith("layer/") for node in model.graph.node)


def test_a_layer_whose_facts_are_wrong_is_named_with_what_keras_gives() -> None:
    with pytest.raises(
        PluginError, match=r"`infer` returns \(batch, 4, 4, 3\), but its Keras layer returns \(batch, 4, 4, 2\)"
    ):
        prove(Wrong(filters=2), Input((4, 4, 1)))


def test_what_onnx_has_no_operator_for_is_reported_with_what_would_help() -> None:
    case = Case.of(Bessel(), {"x": Input((4,))})
    with pytest.raises(PluginError, match=r"tf2onnx cannot convert the layer `Bessel`[\s\S]*to_onnx"):
        to_onnx(case.graph(), {})


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    def __init__(self, factor: float = 1.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "factr": self.factor} if self.factor == 2.0 else config


class Times(Layer):
    """By a factor."""

    factor: Number = Field(description="The factor.")

    def infer(self, inputs: Inputs) -> Outputs:
        return single(inputs["x"].shape)

    def to_keras(self, **arguments: Any) -> Any:
        return Forgetful(**arguments)


@pytest.mark.parametrize(("factor", "reported"), [(3.0, "returns different values"), (2.0, "cannot be made anew")])
def test_a_keras_layer_that_forgets_an_argument_fails_its_proof(factor: float, reported: str) -> None:
    with pytest.raises(ProofError, match=reported):
        prove(Times(factor=factor), Input((4,)))
