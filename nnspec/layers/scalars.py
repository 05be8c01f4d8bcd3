"""Numbers and flags as arguments.

Values are not coerced: ``3.0``, ``"3"`` and ``true`` are not valid sizes. A float may be written ``3``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

Flag = Annotated[bool, Strict()]
WholeNumber = Annotated[int, Strict()]
PositiveInt = Annotated[int, Strict(), Field(gt=0)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
PositiveNumber = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Strict(), Field(ge=0, le=1)]
"""A number from 0 to 1."""
