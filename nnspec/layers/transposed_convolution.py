"""Transposed convolutions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from pydantic import Field, field_validator

from nnspec.layers.arguments import CountSizes, per_axis
from nnspec.layers.base import Inputs, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size
from nnspec.layers.sliding import SPATIAL_AXES, WithKernel
from nnspec.types import Dim, Weight, product


class TransposedConvolution(WithKernel):
    """Base class of transposed convolutions (Dumoulin and Visin 2016, section 4).

    With span F, stride S and output padding A, N positions become (N − 1)·S + F + A for ``valid`` (A is by default
    max(S − F, 0)), N·S for ``same`` (given A: (N − 1)·S + F mod 2 + A), and (N − 1)·S + F − 2·P + A for a padding of P.
    """

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    output_padding: CountSizes | None = Field(
        None, description="Positions added after the output, fewer than the stride; null: inferred from `padding`."
    )

    @field_validator("output_padding", mode="before")
    @classmethod
    def _added_for_each_axis(cls, value: Any) -> Any:
        return None if value is None else per_axis(value, len(cls.axes), "output_padding", least=0)

    def infer(self, inputs: Inputs) -> Outputs:
        self.check_input(inputs)
        self._check_output_padding()
        sizes = tuple(
            (size - 1) * stride + span - before + after
            for size, stride, span, (before, after) in zip(
                inputs["x"].shape[:-1], self.strides, self.spans, self.trims, strict=True
            )
        )
        if any(isinstance(size, int) and size < 1 for size in sizes):
            raise LayerError(f"a padding of {self.padding} leaves no output positions", help="pad less", argument="padding")
        return single((*sizes, self.filters))

    def _check_output_padding(self) -> None:
        for added, stride, span in zip(self.output_padding or (), self.strides, self.spans, strict=False):
            if added >= stride:
                raise LayerError(
                    f"`output_padding` must be less than the stride, {stride}; got {added}",
                    help="remove `output_padding`, or reduce it",
                    argument="output_padding",
                )
            if self.padding == "same" and span % 2 == 0 and added == 0:
                raise LayerError(
                    f"with `padding: same` and an even kernel, `output_padding` must be 1 to {stride - 1}; got 0",
                    help="remove `output_padding`",
                    argument="output_padding",
                )

    @property
    def trims(self) -> tuple[tuple[int, int], ...]:
        """Positions removed before and added after the full output (negative: removed), for each axis."""
        added = self.output_padding or (None,) * len(self.axes)
        return tuple(
            self._trim(axis, span, stride, extra)
            for axis, (span, stride, extra) in enumerate(zip(self.spans, self.strides, added, strict=True))
        )

    def _trim(self, axis: int, span: int, stride: int, added: int | None) -> tuple[int, int]:
        if self.padding == "valid":
            return 0, max(stride - span, 0) if added is None else added
        if self.padding == "same":
            total = span - stride if added is None else span - span % 2 - added
            before = max(total, 0) // 2
            return before, before - total
        assert not isinstance(self.padding, str)
        before, after = self.padding[axis]
        return before, (added or 0) - after

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel = self.owns("kernel", (*self.kernel_size, self.filters, known_size(self, inputs["x"])))
        return (kernel, self.owns("bias", (self.filters,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs) -> int | Dim:
        """Every input element is multiplied with the whole kernel, including positions cropped from the output."""
        return product(inputs["x"].shape) * product(self.kernel_size) * self.filters

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Output p depends on input i if ``p + before - (F - 1) <= i * S <= p + before``."""
        axes = list(zip(self.spans, self.strides, self.trims, strict=True))
        return Window(
            tuple(1 + Fraction(span - 1, stride) for span, stride, _ in axes),
            tuple(Fraction(1, stride) for _, stride, _ in axes),
            tuple(Fraction(before - (span - 1), stride) for span, stride, (before, _) in axes),
        )


class Conv1DTranspose(TransposedConvolution):
    """Transposed convolution over time (Zeiler et al. 2010)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class Conv2DTranspose(TransposedConvolution):
    """Transposed convolution over images (Zeiler et al. 2010)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class Conv3DTranspose(TransposedConvolution):
    """Transposed convolution over volumes (Zeiler et al. 2010)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
