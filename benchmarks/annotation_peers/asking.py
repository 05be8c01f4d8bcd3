"""The folders that each tool expects, and what it says of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 120
_QUIET = {
    "YOLO_OFFLINE": "true",
    "YOLO_VERBOSE": "true",
    "PYTHONWARNINGS": "default",
    "CUDA_VISIBLE_DEVICES": "",
    "TQDM_DISABLE": "1",
}
_VALIDATION = {
    "model": "yolo11n.yaml", "imgsz": 32, "batch": 2, "workers": 0, "plots": False, "device": "cpu", "project": "runs",
    "exist_ok": True,
}  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """A copy of the data set.

    Attributes:
        folder: The folder.
        format: ``coco``, ``yolo`` or ``voc``.
    """

    folder: Path
    format: str

    @property
    def parts(self) -> list[dict[str, str]]:
        """The folders of images and of annotations of each split, of which most copies have one."""
        splits = [name for name in ("train", "val") if (self.folder / "images" / name).is_dir()]
        if self.format == "yolo":
            return [{"images": f"images/{name}", "annotations": f"labels/{name}"} for name in splits] or [
                {"images": "images", "annotations": "labels"}
            ]
        if self.format == "coco":
            files = [name for name in ("instances.json", "val.json") if (self.folder / name).exists()]
            return [{"images": "images", "annotations": name} for name in files]
        return [{"images": "JPEGImages", "annotations": "Annotations"}]


def ask_ultralytics(python: Path, copies: Sequence[Copy]) -> list[list[str]]:
    """Validate an untrained network on each copy, and return the lines that state a problem."""
    return [_lines(_ultralytics(python, copy), copy.folder) for copy in copies]


def _ultralytics(python: Path, copy: Copy) -> str:
    if len(copy.parts) > 1:
        path = copy.folder / "data.yaml"
        path.write_text(
            path.read_text().replace("train: images", "train: images/train").replace("val: images", "val: images/val")
        )
    # A file of settings of its own, so that no run depends on another.
    with tempfile.TemporaryDirectory() as settings:
        command = [str(python.parent / "yolo"), "detect", "val", f"data={copy.folder / 'data.yaml'}"]
        command += [f"{key}={value}" for key, value in _VALIDATION.items()]
        return _run(command, copy.folder, YOLO_CONFIG_DIR=settings)


def ask_datumaro(python: Path, copies: Sequence[Copy]) -> list[list[str]]:
    """Validate each copy, and return the findings of the report and the lines that state a problem."""
    found = []
    for copy in copies:
        with tempfile.TemporaryDirectory() as temporary:
            arranged = Path(temporary) / "set"
            _ARRANGE[copy.format](copy, arranged)
            command = [str(python.parent / "datum"), "validate", "-t", "detection", f"{arranged}:{copy.format}"]
            lines = _lines(_run(command, Path(temporary)), arranged)
            for report in Path(temporary).glob("*.json"):
                lines += [_finding(each) for each in json.loads(report.read_text())["validation_reports"]]
            found.append(lines)
    return found


def _finding(each: dict[str, Any]) -> str:
    item = f" (image {each['item_id']})" if "item_id" in each else ""
    return f"{each['severity']}: {each['anomaly_type']}: {each['description']}{item}"


def _datumaro_coco(copy: Copy, to: Path) -> None:
    names = ["train", "val"]
    (to / "annotations").mkdir(parents=True)
    for name, part in zip(names, copy.parts, strict=False):
        shutil.copytree(copy.folder / part["images"], to / "images" / name)
        shutil.copy(copy.folder / part["annotations"], to / "annotations" / f"instances_{name}.json")


def _datumaro_yolo(copy: Copy, to: Path) -> None:
    names = ["train", "val"][: len(copy.parts)]
    for name, part in zip(names, copy.parts, strict=True):
        for kind in ("images", "annotations"):
            if (copy.folder / part[kind]).is_dir():
                shutil.copytree(copy.folder / part[kind], to / {"images": "images", "annotations": "labels"}[kind] / name)
    text = (copy.folder / "data.yaml").read_text()
    text = re.sub(r"^(train|val): .*\n", "", text, flags=re.MULTILINE)
    (to / "data.yaml").write_text("".join(f"{name}: images/{name}\n" for name in names) + text)


def _datumaro_voc(copy: Copy, to: Path) -> None:
    shutil.copytree(copy.folder, to)
    (to / "ImageSets/Main").mkdir(parents=True)
    names = sorted(path.stem for path in (to / "Annotations").glob("*.xml"))
    (to / "ImageSets/Main/train.txt").write_text("".join(f"{name}\n" for name in names))
    (to / "labelmap.txt").write_text("cat:::\ndog:::\nbird:::\n")


_ARRANGE: dict[str, Callable[[Copy, Path], None]] = {"coco": _datumaro_coco, "yolo": _datumaro_yolo, "voc": _datumaro_voc}


def ask_supervision(python: Path, copies: Sequence[Copy]) -> list[list[str]]:
    """Load each copy, and return the warnings and errors."""
    with tempfile.TemporaryDirectory() as temporary:
        folders, answers = Path(temporary) / "folders.json", Path(temporary) / "answers.json"
        for copy in copies:
            (copy.folder / "parts.json").write_text(json.dumps(copy.parts))
        folders.write_text(json.dumps([(str(copy.folder), copy.format) for copy in copies]))
        script = Path(__file__).with_name("supervision_process.py")
        printed = _run([str(python), str(script), str(folders), str(answers)], Path(temporary))
        if not answers.exists():
            raise RuntimeError(f"Supervision failed:\n{printed[-2000:]}")
        said = json.loads(answers.read_text())
    return [_lines("\n".join(own), copy.folder) for own, copy in zip(said, copies, strict=True)]


def _run(command: Sequence[str], folder: Path, **environment: str) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | _QUIET | environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"ERROR: no end after {_SECONDS} s"
    return f"{done.stdout}\n{done.stderr}"


_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ |: +\d+% .*$")
_PROBLEM = re.compile(
    r"WARNING|ERROR|CRITICAL|⚠|❌|backgrounds,|^[\w.]*(Error|Exception|Warning)\b|no end after", re.IGNORECASE
)


def _lines(printed: str, folder: Path) -> list[str]:
    """Return the lines that state a problem, without times and without the path of the copy."""
    lines = []
    for line in re.split(r"[\r\n]+", _CODES.sub("", printed)):
        # Lines of source code in a traceback are indented.
        if line.startswith(("  ", "Traceback")) or not _PROBLEM.search(line):
            continue
        short = _TIME.sub("", line.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")).strip()
        lines.append(short.replace(str(folder.resolve()), ".").replace(str(folder), "."))
    return list(dict.fromkeys(lines))
