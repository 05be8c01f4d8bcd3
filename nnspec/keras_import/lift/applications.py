"""Translators of classes that ``keras.applications`` defines for its models."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.operation_texts import literal
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.parts import Translation, Translator, Within, part


def _scaled_sum(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``CustomScaleLayer`` of Inception-ResNet: ``a + scale · b`` (Szegedy et al. 2016, section 3.3)."""
    del within
    kept, scaled = tensors_in(call.args)
    return (part("Compute", {"results": {"output": f"x + {literal(layer.config.get('scale'))} * y"}}, [kept, scaled]),)


def _layer_scale(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``LayerScale`` of ConvNeXt (Touvron et al. 2021): a learned factor per channel."""
    [x] = tensors_in(call.args)
    shape = within.shape_of(x)
    if shape is None or len(shape) != 4:
        raise NoEquivalent("its input is not a batch of images", setting=True)
    start = {"Constant": {"value": layer.config.get("init_values")}}
    factor = part("Parameter", {"shape": [shape[-1]], "initializer": start}, [], "_factor")
    return factor, part("Compute", {"results": {"output": "x * expand_dims(y, [1, 2])"}}, [x, 0])


def _stochastic_depth(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``StochasticDepth`` of ConvNeXt (Huang et al. 2016): dropout with one draw per example."""
    [x] = tensors_in(call.args)
    rank = within.rank(x)
    if rank is None:
        raise NoEquivalent("the config does not contain the number of input axes", setting=True)
    arguments = {"rate": layer.config.get("drop_path_rate"), "noise_shape": [None] + [1] * (rank - 1)}
    return (part("Dropout", arguments, [x]),)


OF_APPLICATIONS: Mapping[tuple[str, str], Translator] = {
    ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"): _scaled_sum,
    ("keras.src.applications.convnext", "LayerScale"): _layer_scale,
    ("keras.src.applications.convnext", "StochasticDepth"): _stochastic_depth,
}
"""By the module and the name of the class."""
