"""Drafts a spec from a folder: images or texts by class, images with boxes or masks, or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from nnspec.data.file_kinds import reader_of
from nnspec.data.folders import files_below, splits_in, subfolders
from nnspec.data.readers.image_arguments import SUFFIXES
from nnspec.diagnostics import NnspecError
from nnspec.drafting.boxes import above_part, draft_boxes, find_boxes
from nnspec.drafting.draft import Draft
from nnspec.drafting.images import draft_images
from nnspec.drafting.masks import draft_masks, mask_folders
from nnspec.drafting.tabular import draft_table
from nnspec.drafting.target import Task
from nnspec.types import listed

_MOST_FILES = 100_000


def draft_folder(path: Path, written: str, *, target: str | None, task: Task | None, name: str = "") -> Draft:
    """Draft a spec from a folder.

    Args:
        path: The folder.
        written: Its path as the spec writes it.
        target: The column to predict, for a table; None to choose one.
        task: How to predict it, for a table; None to choose.
        name: What the model is named after; by default the folder.

    Raises:
        NnspecError: If the folder has no data that are recognized.
    """
    name = name or path.resolve().name
    tables = _tables(path)
    boxes = None if tables else find_boxes(path)
    if tables:
        return _of_tables(path, written, tables, target, task, name)
    if target is not None or task is not None:
        option = "--target" if target is not None else "--task"
        raise NnspecError(f"{option} chooses a column of a table, and {path.name} has no table\n  = help: remove the option")
    if boxes is not None:
        return draft_boxes(path, written, boxes, name)
    if (above := above_part(path)) is not None:
        raise NnspecError(f"{path} is a part of images with boxes\n  = help: name the whole folder: `--from {above}`")
    splits = splits_in(path)
    whole = splits if "train" in splits else {"train": ""}
    parts = {part: f"{written}/{name}" if name else written for part, name in whole.items()}
    train = path / whole["train"]
    if found := mask_folders(train):
        return draft_masks(train, parts, found, name)
    suffixes = Counter(file.suffix.lower() for file in islice(files_below(train), _MOST_FILES))
    images, texts = sum(suffixes[suffix] for suffix in SUFFIXES), suffixes[".txt"]
    if images and images >= texts:
        return draft_images(train, parts, name)
    if texts:
        others = {part: text for part, text in parts.items() if part != "train"}
        return draft_table(train, parts["train"], "text", target=None, task=None, name=name, splits=others)
    seen = ", ".join(f"{count:,} {suffix or 'without extension'}" for suffix, count in suffixes.most_common(4)) or "no files"
    raise NnspecError(
        f"{path} has no data that are recognized: {seen}\n"
        "  = help: name a table (.csv, .jsonl, .parquet), a folder of .png, .jpg or .txt files with a subfolder for each "
        "class, or one with the subfolders `images` and `masks`, or annotations in the format of COCO, YOLO or VOC"
    )


def _tables(path: Path) -> list[str]:
    """The tables in the folder itself; none if it has subfolders, whose files a table may only describe."""
    if subfolders(path):
        return []
    names = sorted(entry.name for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    return [name for name in names if reader_of(name) in ("csv", "jsonl", "parquet")]


def _of_tables(path: Path, written: str, names: list[str], target: str | None, task: Task | None, name: str) -> Draft:
    parts = _parts(names)
    if len(names) > 1 and "train" not in parts:
        shown = listed(f"`{name}`" for name in names[:8])
        raise NnspecError(f"{path} has several tables: {shown}\n  = help: name one of them")
    train = parts.get("train", names[0])
    others = {part: f"{written}/{file}" for part, file in parts.items() if part != "train"}
    reader = reader_of(train)
    assert reader is not None
    return draft_table(path / train, f"{written}/{train}", reader, target=target, task=task, name=name, splits=others)


def _parts(names: list[str]) -> Mapping[str, str]:
    """Which table is which split, by the file names."""
    words = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
    stems = {name: name.lower().partition(".")[0] for name in names}
    return {part: name for part, known in words.items() for name, stem in stems.items() if stem in known}
