"""Targets of language models: the next token at each position of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.plan import StreamWindow, TargetSource
from nnspec.data.transforms.pointers import positions
from nnspec.data.transforms.text import pad, tokenize
from nnspec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.plan import DataPlan, Need

    Values = NDArray[Any]


@dataclass(frozen=True)
class NextTokenTarget(TargetSource):
    """Uses the next token of an input as the target at each position.

    Attributes:
        padding: The target at positions without a next token.
        size: The number of tokens of a window that is cut from the rows; None if each row is an example.
        bounded: Whether each sequence must have a start and an end token.
    """

    padding: int = 0
    size: int | None = None
    bounded: bool = False

    @property
    def window(self) -> StreamWindow | None:
        return None if self.size is None else StreamWindow(self.input, self.size, self.size, self.ahead)

    @property
    def ahead(self) -> int:
        return 1

    @property
    def is_input(self) -> bool:
        return False

    @property
    def is_scored(self) -> bool:
        # There are too many tokens to list: metrics summarize them.
        return False

    def shape(self, need: Need, values: Values) -> tuple[int | None, ...]:
        del need
        return values.shape[1:]

    def of(self, values: Any) -> Any:
        from nnspec.data.windows import next_tokens

        return next_tokens(values, self.padding)

    def aligned(self, values: Values) -> Values:
        from nnspec.data.windows import next_token

        return next_token(values, 0)

    def check(self, plan: DataPlan, output: str) -> Iterator[Diagnostic]:
        del output
        if plan.window is None:
            yield from self._other_padding(plan)
        if self.bounded and plan.section.window is not None:
            reason = "a decoder is trained on whole sequences, but `window` cuts them"
            yield d.BadWindow.at(*locate(plan.tree, "window"), help="remove it", reason=reason)
        elif self.bounded:
            yield from self._unbounded(plan)

    def of_stream(self, stream: Values, window: StreamWindow, inputs: Values) -> Values:
        from nnspec.data.windows import windows_of

        del inputs
        return windows_of(stream[1:].astype("int32"), window.length, window.stride, self.padding)

    def _other_padding(self, plan: DataPlan) -> Iterator[Diagnostic]:
        for i, step in self._transforms(plan):
            if isinstance(step, pad) and (step.value or 0) != self.padding:
                reason = f"`pad` uses the value {step.value or 0:g}, but the loss ignores {self.padding}"
                help = f"write `ignore_class: {step.value:g}` in the loss, or remove `value`"
                yield d.BadTransform.at(*locate(plan.tree, "inputs", self.input, "transform", i), help=help, reason=reason)

    def _unbounded(self, plan: DataPlan) -> Iterator[Diagnostic]:
        """Report a tokenizer that does not add start and end tokens."""
        for i, step in self._transforms(plan):
            if isinstance(step, tokenize | positions) and not (step.start and step.end):
                missing = [f"`{token}`" for token, there in (("<SOS>", step.start), ("<EOS>", step.end)) if not there]
                help = f"write `{type(step).__name__}: {{start: true, end: true}}`, with the other arguments"
                span, path = locate(plan.tree, "inputs", self.input, "transform", i)
                yield d.Unbounded.at(span, path, help=help, name=self.input, missing=" and no ".join(missing))

    def _transforms(self, plan: DataPlan) -> Iterator[tuple[int, object]]:
        given = plan.section.inputs.get(self.input)
        yield from enumerate(given.transform if given is not None else [])
