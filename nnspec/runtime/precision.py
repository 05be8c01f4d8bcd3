"""The record of a file with smaller numbers than float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter


@dataclass(frozen=True)
class PrecisionRecord:
    """What a file with smaller numbers than float32 loses and gains; part of the file.

    Attributes:
        precision: ``float16`` or ``int8``.
        data: The split that the metrics are of.
        rows: The number of its examples.
        metrics: Each metric with float32 and with this precision, by its name in the log.
        calibrated: The number of examples from which the ranges of activations are.
        errors: The root mean square error of the outputs if only this layer has integers, relative to the outputs, by layer.
        in_float32: The layers that stay in float32, because a metric would lose too much.
        bytes: The size of the file in float32 and in this precision.
        milliseconds: The time of a batch in float32 and in this precision, by its size, on the machine that exported.
    """

    precision: Literal["float16", "int8"]
    data: str = ""
    rows: int = 0
    metrics: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    calibrated: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)
    in_float32: Sequence[str] = ()
    bytes: tuple[int, int] = (0, 0)
    milliseconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PrecisionRecord | None:
        """Read a record from plain JSON values; None if there are none.

        Raises:
            ValueError: If they are not a record.
        """
        return TypeAdapter(cls).validate_python(values) if values else None

    def as_json(self) -> dict[str, Any]:
        """The values as plain JSON types."""
        return asdict(self)

    def text(self) -> str:
        """A summary as text."""
        before, after = self.bytes
        lines = [f"{self.precision}: {after:,} bytes, {before / max(after, 1):.1f} times smaller than float32"]
        lines += [f"  {name} {was:.4f} → {now:.4f}" for name, (was, now) in self.metrics.items()]
        lines[1:1] = [f"on {self.rows:,} examples of the {self.data} data:"] if self.metrics else []
        for size, (was, now) in self.milliseconds.items():
            compared = f"{was / now:.2f} times as fast" if now <= was else f"{now / was:.2f} times slower"
            lines.append(f"batch of {size}: {was:.3g} ms → {now:.3g} ms ({compared} here)")
        if self.in_float32:
            shown = ", ".join(f"`{name}`" for name in self.in_float32)
            lines.append(f"in float32, since integers would cost too much: {shown}")
        return "\n".join(lines)
