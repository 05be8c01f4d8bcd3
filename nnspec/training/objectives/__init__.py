"""What a training is for: where its targets come from. An objective's module is imported when a spec first names it."""

from __future__ import annotations

from nnspec.types import Family

__all__ = ["OBJECTIVES"]

OBJECTIVES = Family(
    kind="objective",
    modules={
        "autoencoder": f"{__name__}.autoencoder.fields",
        "gan": f"{__name__}.gan.fields",
        "language_model": f"{__name__}.next_token.fields",
        "sequence_to_sequence": f"{__name__}.next_token.fields",
        "supervised": f"{__name__}.base",
    },
    aliases={
        "adversarial": "gan",
        "lm": "language_model",
        "seq2seq": "sequence_to_sequence",
        "classification": "supervised",
        "regression": "supervised",
    },
)
"""Every objective by name."""
