"""File formats recognized by their first bytes, so that a reader can suggest the right reader for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import DataError

GZIP = b"\x1f\x8b"

_FETCH = "download the data file itself"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "a Parquet file", "read it with `parquet: {file}`"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "save its arrays with `numpy.savez`, and read that file with `npz`"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV in UTF-8, and name that file"),
    (b"\x93NUMPY", "a NumPy array (.npy)", "save it with `numpy.savez`, and read that file with `npz`"),
    (b"SQLite format 3\0", "an SQLite database", "save the table as CSV, and name that file"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as Parquet, and read that file with `parquet`"),
    (b"\x89PNG\r\n", "a PNG image", "read a folder of images with `images`"),
    (b"\xff\xd8\xff", "a JPEG image", "read a folder of images with `images`"),
    (b"BZh", "compressed with bzip2", "decompress it, or compress it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "decompress it, or compress it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "extract the file in it, and name that file"),
    (b"Rar!", "a RAR archive", "extract the file in it, and name that file"),
    (b"%PDF", "a PDF document", "save its table as CSV, and name that file"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file: `git lfs pull`"),
    (b"<!DOCTYPE html", "an HTML page", _FETCH),
    (b"<!doctype html", "an HTML page", _FETCH),
    (b"<html", "an HTML page", _FETCH),
)


_BY_SUFFIX = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl", ".npz": "npz", ".parquet": "parquet"
}  # fmt: skip


def reader_of(name: str) -> str | None:
    """Return the reader for a file name's extension; None if unknown.

    Example:
        >>> reader_of("mail/train.CSV.gz")
        'csv'
    """
    return _BY_SUFFIX.get(Path(name.lower().removesuffix(".gz")).suffix)


class FileNames(Mapping[str, str]):
    """Suggestions for a bare file name where a reader is expected, by its extension."""

    def __getitem__(self, name: str) -> str:
        reader = reader_of(name)
        if reader is None:
            raise KeyError(name)
        return f"write the reader before the path: `{{{reader}: PATH}}`"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def other_reader(path: DataFile, wanted: str) -> str:
    """Return a help that names the right reader for a file; empty if its extension is unknown."""
    reader = reader_of(path.name)
    return f"read it with `{reader}: {path.name}`" if reader not in (None, wanted) else ""


def refuse_other_kind(path: DataFile, start: bytes, wanted: str, *, name: str = "", argument: str = "file") -> None:
    """Reject a file whose first bytes are those of another format.

    Args:
        path: The file.
        start: Its first bytes, after decompression if it is compressed with gzip.
        wanted: The format that the reader expects, for the message: ``CSV text``.
        name: The path as written in the spec, for the help. Default: the file's name.
        argument: The reader's argument that names the file.

    Raises:
        DataError: If the file has another format.
    """
    found = _archive(path) if start.startswith(b"PK\x03\x04") else None
    for magic, kind, help in () if found else _KINDS:
        if start.startswith(magic):
            found = kind, help.replace("{file}", name or path.name)
            break
    if found is not None and found[0] != wanted:
        raise DataError(f"{path.name} is {found[0]}, not {wanted}", help=found[1], argument=argument)


def _archive(path: DataFile) -> tuple[str, str]:
    """Return the kind of a zip archive and the help for it: workbooks and NumPy archives are zip files too."""
    import zipfile

    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = []
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook (.xlsx)", "save the sheet as CSV in UTF-8, and name that file"
    if any(name == "content.xml" for name in names):
        return "an OpenDocument file", "save the sheet as CSV in UTF-8, and name that file"
    if any(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays (.npz)", f"read it with `npz: {path.name}`"
    return "a zip archive", "extract the file in it, and name that file"
