"""Classes of a user's own, some under the names of Keras's: what they compute is not in the file."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers as L  # noqa: N812
from keras import ops

from benchmarks.import_probes.probe import probe

__all__: list[str] = []

register = keras.saving.register_keras_serializable


class _Doubled:
    def call(self, inputs: Any) -> Any:
        return super().call(inputs) * 2 + 0.5  # type: ignore[misc]


class Own(_Doubled, keras.Model):
    pass


class OwnSequential(_Doubled, keras.Sequential):
    pass


@register("mine", "Functional")
class Functional(_Doubled, keras.Model):
    pass


@register("mine", "Sequential")
class Sequential(_Doubled, keras.Sequential):
    pass


@register("keras", "Dense")
class Dense(_Doubled, L.Dense):
    pass


class ReLU(L.ReLU):
    def call(self, inputs: Any) -> Any:
        return -inputs


class Wrapped(L.TimeDistributed):
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return super().call(inputs, training=training, mask=mask) * 2


class GRUCell(L.GRUCell):
    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        out, states = super().call(inputs, states, training)
        return out * 2, states


@register("mine", "GRU")
class GRU(L.GRU):
    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        return super().call(sequences, initial_state, mask, training) * 2


class NoMask(L.Dense):
    def compute_mask(self, *args: Any, **kwargs: Any) -> Any:
        return None


class InputLayer(L.InputLayer):
    pass


def _functional(kind: Any) -> Any:
    x = keras.Input((4,))
    return kind(x, L.Dense(2)(x))


def _over(layer: Any, shape: tuple[int, ...] = (5, 4)) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, layer(x))


@probe(refused="Own")
def functional_subclass() -> Any:
    return _functional(Own)


@probe(refused="mine>Functional")
def functional_subclass_named_functional() -> Any:
    return _functional(Functional)


@probe(refused="OwnSequential")
def sequential_subclass() -> Any:
    return OwnSequential([keras.Input((4,)), L.Dense(2)])


@probe(refused="mine>Sequential")
def sequential_subclass_named_sequential() -> Any:
    return Sequential([keras.Input((4,)), L.Dense(2)])


@probe(refused="Own")
def functional_subclass_inside() -> Any:
    return _over(_functional(Own), (4,))


@probe(refused="mine>Sequential")
def sequential_subclass_inside() -> Any:
    return _over(Sequential([keras.Input((4,)), L.Dense(2)]), (4,))


@probe(refused="OwnSequential")
def sequential_subclass_inside_a_sequential() -> Any:
    return keras.Sequential([keras.Input((4,)), OwnSequential([keras.Input((4,)), L.Dense(2)])])


@probe(refused="keras>Dense")
def dense_of_ones_own_registered_under_keras() -> Any:
    return _over(Dense(3))


@probe(refused="ReLU")
def relu_of_ones_own() -> Any:
    return _over(ReLU())


@probe(refused="keras>Dense")
def time_distributed_dense_of_ones_own() -> Any:
    return _over(L.TimeDistributed(Dense(3)))


@probe(refused="Wrapped")
def wrapper_of_ones_own() -> Any:
    return _over(Wrapped(L.Dense(3)))


@probe(refused="GRU")
def bidirectional_of_ones_own() -> Any:
    return _over(L.Bidirectional(GRU(3)))


@probe(refused="GRU")
def bidirectional_with_a_backward_layer_of_ones_own() -> Any:
    return _over(L.Bidirectional(L.GRU(3), backward_layer=GRU(3, go_backwards=True)))


@probe(refused="GRUCell")
def cell_of_ones_own() -> Any:
    return _over(L.RNN(GRUCell(3)))


@probe(refused="GRUCell")
def stacked_cells_of_ones_own() -> Any:
    return _over(L.RNN([L.GRUCell(3), GRUCell(3)]))


@probe(refused="keras>Dense")
def spectral_normalization_of_ones_own() -> Any:
    return _over(L.SpectralNormalization(Dense(3)), (4,))


@probe(refused="ReLU")
def activation_layer_of_ones_own() -> Any:
    return _over(L.Dense(3, activation=ReLU()), (4,))


@probe(refused="NoMask")
def own_compute_mask() -> Any:
    t = keras.Input((5,), dtype="int32", name="tokens")
    return keras.Model(t, L.LSTM(2)(NoMask(3)(L.Embedding(5, 4, mask_zero=True)(t))))


@probe(refused="input layer of a custom class")
def input_layer_of_ones_own() -> Any:
    layer = InputLayer(shape=(4,))
    return keras.Model(layer.output, L.Dense(2)(layer.output))


@register("mine", "relu")
def doubled(x: Any) -> Any:
    return x * 2


@register("mine", "gelu")
def gelu(x: Any) -> Any:
    return x * 2


@probe(refused="relu")
def activation_registered_as_relu() -> Any:
    return _over(L.Dense(3, activation=doubled), (4,))


@probe(refused="relu")
def activation_in_a_cell_registered_as_relu() -> Any:
    return _over(L.GRU(3, activation=doubled, recurrent_activation=doubled))


@probe(refused="relu")
def activation_layer_of_a_function() -> Any:
    return _over(L.Activation(doubled), (4,))


@register("mine", "L2")
class L2(keras.regularizers.Regularizer):
    def __call__(self, x: Any) -> Any:
        return ops.sum(x) * 0

    def get_config(self) -> dict[str, Any]:
        return {}


@probe(refused="L2")
def regularizer_registered_as_l2() -> Any:
    return _over(L.Dense(3, kernel_regularizer=L2()), (4,))


@register("mine", "Zeros")
class Zeros(keras.initializers.Initializer):
    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return ops.ones(shape, dtype)


@probe()
def initializer_registered_as_zeros() -> Any:
    return _over(L.Dense(3, kernel_initializer=Zeros()), (4,))


@probe(refused="Lambda")
def lambda_layer() -> Any:
    return _over(L.Lambda(lambda x: x * 2))


@probe(refused="Lambda")
def lambda_of_a_named_function() -> Any:
    return _over(L.Lambda(ops.abs))


@probe(refused="Lambda")
def time_distributed_lambda() -> Any:
    return _over(L.TimeDistributed(L.Lambda(lambda x: x * 2)))


class Subclassed(keras.Model):
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.dense = L.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


@probe(refused="Subclassed")
def subclassed_model() -> Any:
    model = Subclassed()
    model(ops.zeros((2, 4)))
    return model


@probe(refused="Subclassed")
def subclassed_model_inside() -> Any:
    return _over(Subclassed(name="heart"), (4,))


@probe(refused="Subclassed")
def subclassed_model_in_a_sequential() -> Any:
    return keras.Sequential([keras.Input((4,)), Subclassed(name="heart")])
