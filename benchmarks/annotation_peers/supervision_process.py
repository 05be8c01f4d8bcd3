"""Loads data sets with Supervision, in the Python that has it: ``supervision_process.py FOLDERS.json ANSWERS.json``."""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from pathlib import Path


def load(folder: Path, format_: str) -> None:
    """Load a data set, and read each of its images once."""
    import supervision

    made = supervision.DetectionDataset
    for part in json.loads((folder / "parts.json").read_text()):
        images, annotations = str(folder / part["images"]), str(folder / part["annotations"])
        if format_ == "yolo":
            found = made.from_yolo(images, annotations, str(folder / "data.yaml"))
        elif format_ == "coco":
            found = made.from_coco(images, annotations)
        else:
            found = made.from_pascal_voc(images, annotations)
        for _ in found:
            pass


def main(folders: str, answers: str) -> None:
    """Write the warnings and the error of each folder."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.levelname}: {record.getMessage()}")

    logging.getLogger().addHandler(Handler(logging.WARNING))
    found = []
    for folder, format_ in json.loads(Path(folders).read_text()):
        said.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                load(Path(folder), format_)
            except Exception:  # any error of a library is its answer
                said += traceback.format_exc().splitlines()
        found.append([*said, *(f"WARNING: {each.message}" for each in caught)])
    Path(answers).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
