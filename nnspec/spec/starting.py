"""``weights``: initial weights of a step or of a whole document."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.diagnostics import Diagnostic
from nnspec.spec.checked import check
from nnspec.spec.step import WeightsFrom
from nnspec.spec.tree import Scalar, Tree
from nnspec.types import Config


class StartingWeights(Config):
    """Value of ``weights``."""

    main_argument: ClassVar[str | None] = "file"

    file: Annotated[str, Strict()] | None = Field(
        None, description="A run folder or a .safetensors file.", examples=["runs/first"]
    )
    vectors: Annotated[str, Strict()] | None = Field(
        None,
        description="A file of word vectors for an `Embedding`: text of word2vec or GloVe, or .safetensors. In training, they "
        "are joined to the vocabulary of the input.",
        examples=["glove.6B.100d.txt"],
    )
    prefix: Annotated[str, Strict()] | None = Field(
        None, description="Prefix of the weight names in the file; null: the same names as here.", examples=["encoder"]
    )

    @model_validator(mode="after")
    def _one(self) -> StartingWeights:
        if (self.file is None) == (self.vectors is None):
            raise ValueError("one of `file` and `vectors` must be given")
        if self.vectors is not None and self.prefix is not None:
            raise ValueError("`prefix` belongs to `file`, not to `vectors`")
        return self


def read_weights(tree: Tree | None, problems: list[Diagnostic]) -> WeightsFrom | None:
    """Read ``weights``: a path or ``{file: …, prefix: …}``; returns None if it is missing, null or invalid."""
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return None
    before = len(problems)
    given = check(StartingWeights, tree, problems, name="weights")
    if given is None or len(problems) > before:
        return None
    return WeightsFrom(given.file or given.vectors or "", given.prefix, tree.span, tree.path, given.vectors is not None)
