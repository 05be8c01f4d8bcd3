"""A dense layer along any axes, defined by an einsum equation."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, field_validator

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import require_float
from nnspec.layers.unsupported import LATER
from nnspec.types import Dim, TensorType, Weight, product, same_size, size_text
from nnspec.types.activation_names import ActivationName

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")
_HELP = "write `ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`"


@dataclass(frozen=True)
class Equation:
    """An einsum equation with the ellipsis replaced by letters.

    Attributes:
        input: A letter for each axis of the input, the batch axis first.
        kernel: A letter for each axis of the kernel.
        output: A letter for each axis of the output, the batch axis first.
    """

    input: str
    kernel: str
    output: str

    @property
    def summed(self) -> str:
        """The axes of input and kernel that are summed over."""
        return "".join(letter for letter in self.input if letter in self.kernel and letter not in self.output)

    @property
    def made(self) -> str:
        """The axes of the output that come from the kernel."""
        return "".join(letter for letter in self.output if letter not in self.input)

    @property
    def kept(self) -> str:
        """The axes of input and output that the kernel does not have."""
        return "".join(letter for letter in self.input if letter not in self.kernel and letter in self.output)

    @property
    def is_product(self) -> bool:
        """Whether it is one matrix product: summed axes come last in the input, new axes last in the output."""
        return self.input == self.kept + self.summed and self.output == self.kept + self.made

    def __str__(self) -> str:
        return f"{self.input},{self.kernel}->{self.output}"


class EinsumDense(Layer):
    """``activation(einsum(equation, x, kernel) + bias)``: a dense layer along the axes in an einsum equation.

    The equation has one letter per axis, starting with the batch axis; letters missing from the output are summed over. ``...``
    matches any axes that stay unchanged: ``...x,xy->...y`` is a ``Dense``, ``abc,cde->abde`` one with two output axes.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        **LATER,
        "gptq_unpacked_column_size": "quantization is not supported",
    }

    equation: str = Field(description="The axes of the input, the kernel and the output: `abc,cd->abd`.")
    output_shape: PositiveInt | list[PositiveInt | None] = Field(
        description="Sizes of the output, without the batch axis and the axes of `...`; null: the size in the input."
    )
    activation: ActivationName | None = Field(None, description="Applied to the output; null: none.")
    bias_axes: str | None = Field(None, description="The axes of the output that have a bias, such as `d`; null: no bias.")
    kernel_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernel."
    )
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the bias.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    kernel_constraint: AnyConstraint | None = Field(None, description="Constraint on the kernel.")
    bias_constraint: AnyConstraint | None = Field(None, description="Constraint on the bias.")

    @field_validator("equation")
    @classmethod
    def _has_the_form(cls, equation: str) -> str:
        found = _FORM.fullmatch(equation)
        if found is None:
            raise ValueError(f"`{equation}` is not an equation of an input, a kernel and an output; {_HELP}")
        left, x, right, kernel, out_left, output, out_right = found.groups()
        if (left, right) != (out_left, out_right) or (left and right):
            raise ValueError(f"`...` must occur in `{equation}` once in the input, and at the same end in the output; {_HELP}")
        for term in (x, kernel, output):
            if len(set(term)) < len(term):
                raise ValueError(f"`{term}` in `{equation}` contains an axis twice")
        if unknown := [letter for letter in output if letter not in x + kernel]:
            raise ValueError(f"the output axis `{unknown[0]}` in `{equation}` is in neither the input nor the kernel")
        if unknown := [letter for letter in kernel if letter not in x + output]:
            raise ValueError(f"the kernel axis `{unknown[0]}` in `{equation}` is in neither the input nor the output")
        return equation

    @property
    def _terms(self) -> tuple[str, ...]:
        found = _FORM.fullmatch(self.equation)
        assert found is not None
        return tuple(group or "" for group in found.groups())

    def written_out(self, x: TensorType) -> Equation:
        """Return the equation for an input of this type, with letters in place of ``...``.

        Raises:
            LayerError: If the number of axes differs, or the batch axis is not first in the output.
        """
        left, axes, right, kernel, _, output, _ = self._terms
        more = x.rank + 1 - len(axes)
        if more < 0 or (more and not (left or right)):
            at_least = "at least " if left or right else ""
            raise LayerError(
                f"the equation `{self.equation}` takes {at_least}{len(axes)} axes, including the batch axis, got (batch, "
                + ", ".join(map(size_text, x.shape))
                + ")",
                help="write one letter per axis, starting with the batch axis, or `...` for axes that stay unchanged",
                argument="equation",
            )
        others = "".join(letter for letter in string.ascii_letters if letter not in axes + kernel + output)[:more]
        before, behind = (others, "") if left else ("", others)
        equation = Equation(before + axes + behind, kernel, before + output + behind)
        batch = equation.input[0]
        if equation.output[0] != batch or batch in kernel:
            raise LayerError(
                f"the batch axis, `{batch}` in `{self.equation}`, must be first in the output and must not be in the kernel",
                help=_HELP,
                argument="equation",
            )
        return equation

    def sizes(self, x: TensorType) -> dict[str, int | Dim]:
        """Return the size of each axis except the batch axis, by its letter in the expanded equation.

        Raises:
            LayerError: If ``output_shape`` does not fit.
        """
        equation = self.written_out(x)
        found = dict(zip(equation.input[1:], x.shape, strict=True))
        given = self.output_shape if isinstance(self.output_shape, list) else [self.output_shape]
        left, _, right, *_ = self._terms
        more = len(equation.input) - len(self._terms[1])
        named = equation.output[max(1, more if left else 0) : len(equation.output) - (more if right else 0)]
        if len(given) != len(named):
            raise LayerError(
                f"the output of `{self.equation}` has {len(named)} axes besides the batch axis"
                + (" and `...`" if left or right else "")
                + f", but `output_shape` has {len(given)}",
                help="write a size for each of them, or null to use the size in the input",
                argument="output_shape",
            )
        for letter, size in zip(named, given, strict=True):
            if size is None and letter not in found:
                raise LayerError(
                    f"the size of `{letter}` in `{self.equation}` cannot be inferred from the input",
                    help="write a number for it in `output_shape`",
                    argument="output_shape",
                )
            if size is None:
                continue
            if same_size(found.get(letter, size), size) is False:
                known = size_text(found[letter])
                raise LayerError(
                    f"`{letter}` in `{self.equation}` is {known} in the input {x}, but {size} in `output_shape`",
                    help="write null for it in `output_shape`",
                    argument="output_shape",
                )
            found[letter] = size
        return found

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        sizes = self.sizes(x)
        self.weights(inputs)
        return single(tuple(sizes[letter] for letter in self.written_out(x).output[1:]))

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        x = inputs["x"]
        sizes = self.sizes(x)
        return tuple(zip(x.shape, (sizes[letter] for letter in self.written_out(x).input[1:]), strict=True))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        x = inputs["x"]
        equation, sizes = self.written_out(x), self.sizes(x)
        kernel = self.owns("kernel", tuple(self._number(letter, sizes, x) for letter in equation.kernel))
        if self.bias_axes is None:
            return (kernel,)
        if not self.bias_axes or any(letter not in equation.output[1:] for letter in self.bias_axes):
            raise LayerError(
                f"`bias_axes` must name output axes of `{self.equation}` other than the batch axis, got `{self.bias_axes}`",
                help=f"write `bias_axes: {equation.made or equation.output[-1]}`, or remove it",
                argument="bias_axes",
            )
        along = equation.output[min(map(equation.output.index, self.bias_axes)) :]
        shape = tuple(self._number(letter, sizes, x) if letter in self.bias_axes else 1 for letter in along)
        return (kernel, self.owns("bias", shape))

    def _number(self, letter: str, sizes: Mapping[str, int | Dim], x: TensorType) -> int:
        size = sizes[letter]
        if isinstance(size, int):
            return size
        raise LayerError(
            f"EinsumDense has weights along `{letter}` of `{self.equation}`, so its size must be fixed, got {x}",
            help="declare the size as a number under `inputs`, or remove the axis from the kernel and from `bias_axes`",
            port="x",
        )

    def macs(self, inputs: Inputs) -> int | Dim:
        """The product of the sizes of all axes of the equation."""
        return product(self.sizes(inputs["x"]).values())

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Only the same position if only the last axis changes."""
        equation = self.written_out(inputs["x"])
        same = equation.input[:-1] == equation.output[:-1] and not set(equation.summed) - set(equation.input[-1])
        return None if same and inputs["x"].rank > 1 else EVERYTHING
