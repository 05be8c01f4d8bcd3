"""``weights``: initial weights of a step or of a whole document."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.diagnostics import Diagnostic
from nnspec.spec.checked import check
from nnspec.spec.step import WeightsFrom
from nnspec.spec.tree import Scalar, Tree
from nnspec.types import Config


class StartingWeights(Config):
    """Value of ``weights``."""

    main_argument: ClassVar[str | None] = "file"

    file: Annotated[str, Strict()] = Field(description="A run folder or a .safetensors file.")
    prefix: Annotated[str, Strict()] | None = Field(
        None, description="Prefix of the weight names in the file; null: the same names as here."
    )


def read_weights(tree: Tree | None, problems: list[Diagnostic]) -> WeightsFrom | None:
    """Read ``weights``: a path or ``{file: …, prefix: …}``; returns None if it is missing, null or invalid."""
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return None
    before = len(problems)
    given = check(StartingWeights, tree, problems, name="weights")
    if given is None or len(problems) > before:
        return None
    return WeightsFrom(given.file, given.prefix, tree.span, tree.path)
