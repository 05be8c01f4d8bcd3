"""Regression metrics."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import WholeNumber
from nnspec.training.catalogue.metrics.base import Falling, Rising
from nnspec.training.catalogue.targets import TargetKind


class MeanSquaredError(Falling):
    """Mean squared error."""

    relative: ClassVar[bool] = False


class RootMeanSquaredError(Falling):
    """Root mean squared error, in the unit of the target."""

    relative: ClassVar[bool] = False


class MeanAbsoluteError(Falling):
    """Mean absolute error, in the unit of the target."""

    relative: ClassVar[bool] = False


class MeanAbsolutePercentageError(Falling):
    """Mean absolute error as a percentage of the target."""


class MeanSquaredLogarithmicError(Falling):
    """Mean squared error of ``log(1 + x)``."""

    target: ClassVar[TargetKind | None] = "non_negative"


class LogCoshError(Falling):
    """Mean of ``log(cosh(x))`` of the error."""

    relative: ClassVar[bool] = False

    def monitored(self) -> str:
        return "logcosh"


class R2Score(Rising):
    """The coefficient of determination: 1 is perfect, 0 is no better than predicting the mean."""

    relative: ClassVar[bool] = False

    class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = Field(
        "uniform_average", description="How to average several outputs; null: one value for each."
    )
    num_regressors: Annotated[WholeNumber, Field(ge=0)] = Field(
        0, description="The number of independent variables for the adjusted score; 0: not adjusted."
    )


class CosineSimilarity(Rising):
    """Cosine similarity of output and target."""

    axis: WholeNumber = Field(-1, description="The axis of the vectors.")


class PearsonCorrelation(Rising):
    """Pearson correlation of output and target, computed within each example and averaged."""

    relative: ClassVar[bool] = False

    axis: WholeNumber = Field(-1, description="The axis to correlate along; 0: the batch.")


class ConcordanceCorrelation(Rising):
    """Concordance correlation of output and target (Lin 1989), computed within each example and averaged."""

    axis: WholeNumber = Field(-1, description="The axis to compare along; 0: the batch.")
