"""A gated linear unit: one class with its facts, its Keras layer and its ONNX form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyInitializer, AnyRegularizer, Flag, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.types import Dim, Weight, product
from nnspec.types.activation_names import ActivationName

if TYPE_CHECKING:
    from nnspec.onnx_backend.builder import Builder
    from nnspec.onnx_backend.call import Call
    from nnspec.onnx_backend.value import Value

__all__ = ["GatedLinearUnit"]


class GatedLinearUnit(Layer):
    """``(x · V + b) * activation(x · W + c)`` over the last axis (Dauphin et al. 2017; with others Shazeer 2020).

    One kernel holds both halves, V before W.
    """

    main_argument: ClassVar[str | None] = "units"
    passes_mask: ClassVar[bool] = True

    units: PositiveInt = Field(description="Size of the output's last axis.")
    activation: ActivationName = Field("sigmoid", description="Of the gate: `silu` makes it SwiGLU, `gelu` GEGLU.")
    use_bias: Flag = Field(True, description="Whether a bias is added to both halves.")
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernel at first.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The bias at first.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")

    @property
    def same_at_every_position(self) -> bool:
        return True

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if not x.rank:
            raise LayerError("GatedLinearUnit takes at least one axis, got a scalar ()", help="declare the input as `[1]`")
        require_float(self, x)
        known_size(self, x)
        return single((*x.shape[:-1], self.units))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel = self.owns("kernel", (known_size(self, inputs["x"]), 2 * self.units))
        return (kernel, self.owns("bias", (2 * self.units,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs) -> int | Dim:
        return product(inputs["x"].shape) * 2 * self.units

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING if inputs["x"].rank == 1 else None

    def to_keras(self, **arguments: Any) -> Any:
        """Keras's layer; it takes the fields above, initializers and regularizers as Keras's objects, and ``name``."""
        from nnspec_example_layers.in_keras import GatedLinearUnit as InKeras

        return InKeras(**arguments)

    def to_onnx(self, b: Builder, call: Call[GatedLinearUnit]) -> Value:
        """The nodes: one product for both halves, then the gate."""
        from nnspec.onnx_backend.activation import apply
        from nnspec.onnx_backend.layout import declared
        from nnspec.onnx_backend.value import Value

        x = declared(b, call.x)
        both = b.op("MatMul", x.name, b.constant(call.weights["kernel"], "kernel"))
        if self.use_bias:
            both = b.op("Add", both, b.constant(call.weights["bias"], "bias"))
        value, gate = b.ops("Split", [both, b.ints([self.units, self.units], "halves")], 2, axis=-1)
        return Value.declared(b.op("Mul", value, apply(b, gate, self.activation)), call.output)
