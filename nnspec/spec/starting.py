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
        None,
        description="A run folder, a .safetensors file, a state dict of PyTorch in one, or weights of Keras: .keras, .h5 or "
        ".weights.h5.",
        examples=["runs/first"],
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
    skip: list[Annotated[str, Strict()]] = Field(
        [],
        description="Layers that keep their own initial weights, by their paths, such as `label` or `decoder/*`.",
        examples=[["label"]],
    )
    names: dict[str, Annotated[str, Strict()]] = Field(
        {},
        description="Names in a file of Keras or PyTorch, by layer or scope, where the structure alone leaves a choice.",
        examples=[{"stage1/residual": "layer1.0"}],
    )

    @model_validator(mode="after")
    def _one(self) -> StartingWeights:
        if (self.file is None) == (self.vectors is None):
            raise ValueError("one of `file` and `vectors` must be given")
        if self.vectors is not None and self.prefix is not None:
            raise ValueError("`prefix` belongs to `file`, not to `vectors`")
        if self.vectors is not None and (self.skip or self.names):
            raise ValueError(f"`{'skip' if self.skip else 'names'}` belongs to `file`, not to `vectors`")
        return self


def read_weights(tree: Tree | None, problems: list[Diagnostic]) -> WeightsFrom | None:
    """Read ``weights``: a path or ``{file: …, prefix: …}``; returns None if it is missing, null or invalid."""
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return None
    before = len(problems)
    given = check(StartingWeights, tree, problems, name="weights")
    if given is None or len(problems) > before:
        return None
    file, vectors = given.file or given.vectors or "", given.vectors is not None
    return WeightsFrom(file, given.prefix, tree.span, tree.path, vectors, tuple(given.skip), tuple(given.names.items()))
