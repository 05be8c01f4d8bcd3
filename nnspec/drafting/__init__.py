"""Drafts a spec from data: ``nnspec init --from``.

The first rows of a table, or the files of a folder, are read; the spec states for each column what was seen.
"""

from __future__ import annotations

import os
from pathlib import Path

from nnspec.data.file_kinds import reader_of
from nnspec.diagnostics import NnspecError
from nnspec.drafting.draft import TARGET, Draft, Seen, user_error
from nnspec.drafting.target import Task
from nnspec.types import did_you_mean

__all__ = ["TARGET", "Draft", "Seen", "Task", "draft_spec"]


def draft_spec(
    data: str | Path, folder: str | Path = ".", *, target: str | None = None, task: Task | None = None, name: str = ""
) -> Draft:
    """Draft a spec that trains on data.

    Args:
        data: A table (CSV, JSON Lines, Parquet); a folder of images or texts with a subfolder for each class; a folder with the
            subfolders ``images`` and ``masks``; a folder with boxes in the format of COCO, YOLO or VOC, or a JSON file of
            COCO; or a folder with a table.
        folder: The folder that the spec will be written to, which its paths are relative to.
        target: The column to predict; None to choose one.
        task: ``classification`` or ``regression``; None to choose.
        name: What the model is named after; by default the file or the folder.

    Raises:
        NnspecError: If there are no data, or nothing in them can be predicted.
    """
    path = Path(data)
    if not path.exists():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, near, "")
        raise NnspecError(f"there is no file or folder {path}" + (f"\n  = help: {hint}" if hint else ""))
    written = Path(os.path.relpath(path.resolve(), Path(folder).resolve())).as_posix()
    with user_error():
        if path.is_dir():
            from nnspec.drafting.folders import draft_folder

            return draft_folder(path, written, target=target, task=task, name=name)
        from nnspec.drafting.boxes import draft_boxes, find_boxes
        from nnspec.drafting.tabular import draft_table

        if path.suffix.lower() == ".json" and (boxes := find_boxes(path)) is not None:
            return draft_boxes(path.parent, Path(written).parent.as_posix(), boxes, name or path.stem)

        reader = reader_of(path.name)
        if reader not in ("csv", "jsonl", "parquet"):
            raise NnspecError(
                f"{path} is not a table: expected .csv, .tsv, .jsonl or .parquet\n"
                "  = help: name a table, or a folder of images or texts; `nnspec init --list` lists templates for other data"
            )
        return draft_table(path, written, reader, target=target, task=task, name=name)
