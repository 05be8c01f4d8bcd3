"""Language models: an output predicts the next token. The classes have the names that a spec uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import PositiveInt
from nnspec.training.objectives.base import Objective
from nnspec.types import Config

if TYPE_CHECKING:
    import keras

    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.batches.transforms import BatchTransform
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.objectives.context import ObjectiveContext, Targets
    from nnspec.training.plan import TrainingPlan

__all__ = ["NextToken", "ScheduledSampling", "language_model", "sequence_to_sequence"]

_Text = Annotated[str, Strict()]
_Share = Annotated[float, Strict(), Field(gt=0, le=1)]
_Steps = Annotated[int, Strict(), Field(ge=0)]


class NextToken(Objective):
    """Predicts the next token at each position of a sequence. Padding is not a target."""

    input: _Text | None = Field(
        None, description="The input of tokens; null: the only integer input with the positions of the output."
    )
    output: _Text | None = Field(None, description="The output that predicts the next token; null: the only one with a target.")

    def targets(self, context: ObjectiveContext) -> Targets | None:
        from nnspec.training.objectives.next_token.check import next_token_targets

        return next_token_targets(self, context)

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        from nnspec.training.objectives.next_token.causality_check import check_causality

        [model] = networks.models.values()
        check_causality(model, plan, prepared.train)
        return super().task(networks, plan, prepared, augmenter)


class language_model(NextToken):  # noqa: N801
    """Predicts the next token of a text (Bengio et al. 2003; Mikolov et al. 2010).

    Each row is an example, padded by `pad`. With ``window``, the rows of a split are joined in their order and cut into
    windows without gaps: the last target of one window is the first input of the next. A fraction of the rows for validation is
    then taken from their end.
    """

    main_argument: ClassVar[str | None] = "window"

    window: PositiveInt | None = Field(
        None, description="The number of tokens of an example cut from the joined rows; null: each row is an example."
    )


class ScheduledSampling(Config):
    """Replaces a share of a decoder's training inputs by its own predictions (Bengio et al. 2015)."""

    main_argument: ClassVar[str | None] = "probability"

    probability: _Share = Field(description="The share of tokens to replace.")
    begin: _Steps = Field(0, description="Steps before the first prediction is used.")
    steps: _Steps = Field(0, description="Steps over which the share rises linearly from 0; 0: it is constant.")


class sequence_to_sequence(NextToken):  # noqa: N801
    """Predicts a target sequence from a source sequence, with teacher forcing (Sutskever et al. 2014).

    ``input`` is the whole target sequence with its start and end tokens: `tokenize: {start: true, end: true}`.
    At each position the decoder reads one token and predicts the next.
    """

    scheduled_sampling: ScheduledSampling | None = Field(
        None,
        description="The share of input tokens that are the decoder's own predictions, constant or rising. Null: none.",
    )

    def batch_transforms(self, plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
        if self.scheduled_sampling is None:
            return []
        from nnspec.training.objectives.next_token.scheduled_sampling import ScheduledTokens

        return [ScheduledTokens(plan, model)]
