"""Conversion of the data of a spec, or of files, to Parquet shards or to formats of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.annotation_files import BoxFormat, write_annotations
from nnspec.data.check import PARTS
from nnspec.data.kinds import DataError
from nnspec.data.readers import READERS, Reader
from nnspec.data.readers.base import Table
from nnspec.data.recipe import of_any_size, open_data
from nnspec.data.shards import write_shards
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import is_free
from nnspec.spec import Spec, load
from nnspec.spec.checked import check_named
from nnspec.spec.dumping import flow
from nnspec.spec.tree import MappingNode

_SPEC = (".yaml", ".yml")


@dataclass(frozen=True)
class Converted:
    """The files of one split.

    Attributes:
        part: `train`, `validation` or `test`; None if the data were not those of a spec.
        files: The files.
        rows: The number of rows.
        reader: How a spec reads them, such as ``{parquet: shards/train}``.
        lost: What the format cannot express, as sentences.
    """

    part: str | None
    files: Sequence[Path]
    rows: int
    reader: str
    lost: Sequence[str] = ()


def convert(
    data: str, out: Path, *, shards: int | None = None, to: BoxFormat | None = None, root: Path | None = None
) -> list[Converted]:
    """Write data as Parquet shards with checksums, or images with boxes in another format.

    Those of a spec are written in a folder for each split, others in one folder.

    Args:
        data: A spec, or data as for `nnspec predict --data`: a file, a folder of images, or a reader.
        out: The folder to write, which must not exist or be empty.
        shards: The number of files of each split; None for one for each 128 MiB.
        to: The format of boxes; None for Parquet.
        root: The folder that paths in the spec may not leave.

    Raises:
        SpecError: If the spec or a reader is invalid.
        NnspecError: If the data cannot be read, or the folder cannot be written.
    """
    if not is_free(out):
        raise NnspecError(f"{out} is not empty\n  = help: name another folder")
    if Path(data).suffix.lower() not in _SPEC:
        table, name = open_data(data, encoded=True)
        return [_written(None, table, name, out, shards, to, {})]
    spec = load(Path(data), root=root)
    readers = _readers(spec)
    found = []
    for part, reader in readers.items():
        name = f"data.{part}"
        try:
            table = of_any_size(reader).open({key: reader.find(key, spec.folder, spec.root) for key in reader.named_paths()})
        except DataError as error:
            raise _failed(name, error) from None
        arguments = {
            key: value for key, value in reader.value_arguments().items() if key in _IMAGES and key in reader.model_fields_set
        }
        found.append(_written(part, table, name, out / part, shards, to, arguments))
    return found


_IMAGES = ("image_size", "color_mode", "interpolation", "pad_to_aspect_ratio", "fill_value")


def _readers(spec: Spec) -> dict[str, Reader]:
    problems: list[Diagnostic] = []
    tree = spec.section("data")
    written = {part: given for part in PARTS if tree is not None and (given := tree.get(part)) is not None}
    found = {
        part: reader
        for part, given in written.items()
        if (isinstance(given, MappingNode) and next(iter(given.items()))[0].value != "fold")
        and isinstance(reader := check_named(READERS, given, problems), Reader)
    }
    if problems:
        raise SpecError(problems)
    if not found:
        raise NnspecError(f"{spec.file} states no data\n  = help: write a reader under `data.train`")
    return found


def _written(
    part: str | None,
    table: Table,
    name: str,
    folder: Path,
    shards: int | None,
    to: BoxFormat | None,
    arguments: Mapping[str, object],
) -> Converted:
    try:
        if to is not None:
            made, lost = write_annotations(table, folder, to)
            [(kind, own)] = made.items()
            own = own if isinstance(own, dict) else {"folder": own}
            text = flow({kind: {**own, **arguments} if arguments or kind == "coco" else own["folder"]})
            return Converted(part, [path for path in folder.rglob("*") if path.is_file()], len(table), text, lost)
        files = write_shards(table, folder, shards)
    except DataError as error:
        raise _failed(name, error) from None
    reader: dict[str, object] = {"parquet": folder.as_posix()}
    images = [column for column in table.image_columns if table.encoded(column, 0) is not None]
    if images:
        reader = {"images": {"parquet": folder.as_posix(), "column": images[0], **arguments}}
    return Converted(part, files, len(table), flow(reader))


def _failed(name: str, error: DataError) -> NnspecError:
    return NnspecError(f"{name}: {error.message}" + (f"\n  = help: {error.help}" if error.help else ""))
