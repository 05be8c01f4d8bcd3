"""How far numbers are off."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import WholeNumber
from nnspec.training.batches.targets import TargetKind
from nnspec.training.catalogue.metrics.base import Falling, Rising

__all__ = [
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PearsonCorrelation",
    "R2Score",
    "RootMeanSquaredError",
]


class MeanSquaredError(Falling):
    """The mean of the squared differences."""

    relative: ClassVar[bool] = False


class RootMeanSquaredError(Falling):
    """The root of the mean of the squared differences, in the target's unit."""

    relative: ClassVar[bool] = False


class MeanAbsoluteError(Falling):
    """The mean of the absolute differences, in the target's unit."""

    relative: ClassVar[bool] = False


class MeanAbsolutePercentageError(Falling):
    """The mean of the absolute differences, as a percentage of the target."""


class MeanSquaredLogarithmicError(Falling):
    """The mean of the squared differences of ``log(1 + x)``."""

    target: ClassVar[TargetKind | None] = "non_negative"


class LogCoshError(Falling):
    """The mean of ``log(cosh(x))`` of the differences."""

    relative: ClassVar[bool] = False

    @classmethod
    def monitored(cls) -> str:
        return "logcosh"


class R2Score(Rising):
    """The share of the target's variance that is explained: 1 is perfect, 0 no better than the mean."""

    relative: ClassVar[bool] = False

    class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = Field(
        "uniform_average", description="How several outputs become one metric; null for one metric each."
    )
    num_regressors: Annotated[WholeNumber, Field(ge=0)] = Field(
        0, description="Independent variables, for the adjusted score; 0 for not."
    )


class CosineSimilarity(Rising):
    """The cosine of the angle between output and target."""

    axis: WholeNumber = Field(-1, description="The axis the vectors stand along.")


class PearsonCorrelation(Rising):
    """The linear correlation of output and target, computed within each example and averaged."""

    relative: ClassVar[bool] = False

    axis: WholeNumber = Field(-1, description="The axis along which they are correlated; 0 for the batch.")


class ConcordanceCorrelation(Rising):
    """The concordance of output and target (Lin 1989), computed within each example and averaged."""

    axis: WholeNumber = Field(-1, description="The axis along which they are compared; 0 for the batch.")
