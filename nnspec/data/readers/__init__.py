"""The readers, by their names in a spec."""

from __future__ import annotations

from nnspec.data.file_kinds import FileNames
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.plugins import ReaderModules
from nnspec.types import Family

__all__ = ["READERS", "Files", "Reader", "Table"]

_NAMES = (
    "builtin", "coco", "csv", "frame", "idx", "images", "jsonl", "masks", "npz", "parquet", "series", "text", "together", "voc",
    "yolo",
)  # fmt: skip

READERS = Family(
    kind="reader",
    modules=ReaderModules({name: f"nnspec.data.readers.{name}" for name in _NAMES}),
    aliases={
        "mnist": "idx",
        "numpy": "npz",
        "sklearn": "builtin",
        "tsv": "csv",
        "image": "images",
        "image_folder": "images",
        "json": "jsonl",
        "ndjson": "jsonl",
        "segmentation": "masks",
        "pascal_voc": "voc",
        "ultralytics": "yolo",
        "detection": "coco",
        "timeseries": "series",
        "windows": "series",
        "txt": "text",
        "dataframe": "frame",
        "zip": "together",
        "unpaired": "together",
    },
    inexact=frozenset({"mnist", "tsv", "json", "segmentation", "detection"}),
    replacements=FileNames(),
)
"""All readers by name, including those of other packages (entry point group ``nnspec.readers``)."""
