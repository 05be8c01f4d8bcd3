"""The rows of several readers, side by side."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers import READERS
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.joined import JoinedTable, PrefixedTable, column_of_member, joined_name
from nnspec.types import Config, Named

_NAME = re.compile(r"[A-Za-z_]\w*")


class Together(Reader):
    """The rows of several readers side by side, such as images of two domains without pairs.

    A row consists of one row of each reader; the rows of shorter ones are repeated. The columns of the reader `a` are
    `a.image`, `a.label`, …. A validation fraction or a fold is taken from each reader before the rows are joined, so that no
    row is in two splits.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"a": {"images": "horses"}, "b": {"images": "zebras"}}]})

    mapping: ClassVar[str | None] = "readers"

    readers: dict[str, Annotated[Config, Named(READERS)]] = Field(
        {}, description="The readers by name; the names are the first parts of the columns."
    )

    @model_validator(mode="after")
    def _named(self) -> Together:
        if len(self.readers) < 2:
            raise ValueError("`together` joins at least two readers: `{a: {csv: a.csv}, b: {csv: b.csv}}`")
        for name in self.readers:
            if not _NAME.fullmatch(name):
                raise ValueError(f"the name of a reader consists of letters, digits and `_`, unlike `{name}`")
        return self

    @property
    def members(self) -> Mapping[str, Reader]:
        return {name: reader for name, reader in self.readers.items() if isinstance(reader, Reader)}

    def with_members(self, members: Mapping[str, Reader]) -> Together:
        return type(self)(readers=dict(members))

    def arguments(self) -> dict[str, Any]:
        return {name: {reader.spec_name: reader.arguments()} for name, reader in self.members.items()}

    def reading_text(self, columns: Collection[str]) -> Together:
        own = {name: [column[len(name) + 1 :] for column in columns if column.startswith(f"{name}.")] for name in self.members}
        return self.with_members({name: reader.reading_text(own[name]) for name, reader in self.members.items()})

    def value_arguments(self) -> dict[str, Any]:
        found = {name: (reader.spec_name, reader.value_arguments()) for name, reader in self.members.items()}
        return {name: {kind: own} for name, (kind, own) in found.items() if own}

    def columns_without_files(self, columns: Collection[str]) -> list[str]:
        alone = tuple(f"{name}." for name, reader in self.members.items() if not reader.named_paths())
        return [column for column in columns if column.startswith(alone)]

    def named_paths(self) -> dict[str, str]:
        return {
            f"{name}.{argument}": text
            for name, reader in self.members.items()
            for argument, text in reader.named_paths().items()
        }

    def find(self, argument: str, folder: Path, root: Path) -> DataFile:
        name, _, own = argument.partition(".")
        return self.members[name].find(own, folder, root)

    def columns(self, files: Files) -> dict[str, Column]:
        found: dict[str, Column] = {}
        for name, reader in self.members.items():
            with _errors_of(name):
                found |= {
                    f"{name}.{column}": column_of_member(name, kind)
                    for column, kind in reader.columns(_own(files, name)).items()
                }
        return found

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        for name, reader in self.members.items():
            for doubt in reader.doubts(_own(files, name), _own(dict.fromkeys(used), name)):
                doubt.argument = joined_name(name, doubt.argument)
                yield doubt

    def open(self, files: Files) -> Table:
        tables = {}
        for name, reader in self.members.items():
            with _errors_of(name):
                tables[name] = PrefixedTable(name, reader.open(_own(files, name)))
        empty = next((name for name, table in tables.items() if not len(table)), None)
        if empty is not None:
            raise DataError(f"the data `{empty}` are empty, so they cannot be repeated", argument=empty)
        return JoinedTable.of(tables)


together = Together


def _own(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the entries of a member, by their names in it."""
    return {key[len(name) + 1 :]: value for key, value in values.items() if key.startswith(f"{name}.")}


@contextmanager
def _errors_of(name: str) -> Iterator[None]:
    """Attribute errors to a member's arguments."""
    try:
        yield
    except DataError as error:
        for each in (error, *getattr(error, "others", ())):
            each.argument = joined_name(name, each.argument)
        raise
