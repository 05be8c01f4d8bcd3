"""Run by a Python that has Ludwig: constructs its model from each config, and writes what was said.

``python ludwig_process.py ASKED ANSWERED``: ``ASKED`` is a JSON list of configs' texts; ``ANSWERED`` becomes a list of what was
said. ``python ludwig_process.py CONFIG`` constructs one.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from ludwig.api import LudwigModel


class Heard(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def answer(text: str, file: Path, heard: Heard) -> dict[str, Any]:
    """What constructing the model of a config says, errors and warnings; what it reads as where it says nothing."""
    file.write_text(text, encoding="utf-8")
    heard.lines.clear()
    try:
        LudwigModel(config=str(file), logging_level=logging.WARNING)
        said = "\n".join(heard.lines)
    except Exception as error:
        said = "\n".join([*heard.lines, f"{type(error).__name__}: {error}"])
    if not said:
        return {"made": json.dumps(yaml.safe_load(text), default=str)}
    places = [(int(line), int(column)) for line, column in re.findall(r"\bline (\d+), column (\d+)", said)]
    stretches = [(line, column, column + 1) for line, column in places]
    return {"message": said, "lines": [int(line) for line in re.findall(r"\bline (\d+)", said)], "stretches": stretches}


def main(asked: str, answered: str) -> None:
    heard = Heard()
    logging.getLogger().addHandler(heard)
    texts, file = json.loads(Path(asked).read_text(encoding="utf-8")), Path("config.yaml")
    Path(answered).write_text(json.dumps([answer(text, file, heard) for text in texts]), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        LudwigModel(config=sys.argv[1], logging_level=logging.ERROR)
    else:
        main(*sys.argv[1:])
