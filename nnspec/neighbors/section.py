"""The section ``neighbors`` of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, Strict

from nnspec.data.section import AnyReader
from nnspec.layers.scalars import PositiveInt
from nnspec.types import Config

_Name = Annotated[str, Strict()]

Similarity = Literal["cosine", "dot"]


class NeighborsSection(Config):
    """The knowledge base in which the exported network finds the rows whose vectors are nearest to that of an example."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"data": {"csv": "data/answers.csv"}, "network": "answering", "show": ["answer"]}]}
    )

    unsupported: ClassVar[Mapping[str, str]] = {
        "k": "it is called `count`",
        "metric": "it is called `similarity`",
        "columns": "it is called `show`",
    }

    data: AnyReader | None = Field(
        None,
        description="The reader of the knowledge base; null: all rows of `data.train`.",
        examples=[{"csv": "data/answers.csv"}],
    )
    network: _Name | None = Field(
        None,
        description="The network that computes the vectors of the knowledge base; null: the exported network.",
        examples=["answering"],
    )
    inputs: dict[str, _Name] = Field(
        {},
        description="With a program: the field whose transforms an input of that network takes, if it has another name.",
        examples=[{"text": "answer"}],
    )
    output: _Name | None = Field(
        None, description="The output with the vector; null: the only output of the exported network.", examples=["embedding"]
    )
    show: list[_Name] | None = Field(
        None,
        min_length=1,
        description="The columns of the knowledge base that are returned; null: all that have one text or number in each row.",
        examples=[["answer"]],
    )
    count: PositiveInt = Field(10, description="The number of neighbors that an exported file returns.", examples=[3])
    similarity: Similarity = Field(
        "cosine",
        description="`cosine`: the cosine of the angle of two vectors, from −1 to 1; `dot`: their inner product.",
        examples=["dot"],
    )
